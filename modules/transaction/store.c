/*
 * The pool and the statements of the regulators' reads. See store.h.
 */
#include "transaction/store.h"

#include "io/config.h"

#define CONNECTIONS 4
#define QUEUE 512

/* The optional filters of every list: null means "all". */
#define FILTER                                                                 \
	" ($1::text is null or transaction_type = $1)"                         \
	" and ($2::text is null or transaction_status = $2)"                   \
	" and ($3::text is null or payment_method = $3)"                       \
	" and ($4::bigint is null or created_at >="                            \
	" timestamptz 'epoch' + $4 * interval '1 millisecond')"                \
	" and ($5::bigint is null or created_at <"                             \
	" timestamptz 'epoch' + $5 * interval '1 millisecond')"

#define COLUMNS                                                                \
	"select id, user_id, account_id, transaction_id, transaction_type,"    \
	" transaction_status, amount, balance_before, balance_after,"          \
	" currency, description, external_reference, payment_method,"          \
	" metadata, case when is_accessible_external then 'true' else"         \
	" 'false' end as is_accessible_external,"                              \
	" meta.rfc3339(created_at) as created_at,"                             \
	" meta.rfc3339(updated_at) as updated_at,"                             \
	" (extract(epoch from t.created_at) * 1000000)::bigint as created_us"  \
	" from transaction.accessible_transactions t"

static const struct pg_statement statements[] = {
	[STORE_FIND_KEY] = { "find_key",
	    "select * from transaction.find_api_key($1)" },
	[STORE_WRITE_ACCESS] = { "write_access",
	    "select transaction.write_access_logs($1::uuid[], $2::uuid[],"
	    " $3::text[], $4::text[], $5::text[], $6::text[], $7::smallint[],"
	    " $8::text[])" },
	[STORE_PAGE] = { "page",
	    COLUMNS " where" FILTER
		    " and ($6::bigint is null or (t.created_at, t.id) <"
		    " (timestamptz 'epoch' + $6 * interval '1 microsecond',"
		    " $7::uuid))"
		    " order by t.created_at desc, t.id desc"
		    " limit $8::bigint offset $9::bigint" },
	[STORE_COUNT] = { "count",
	    "select transaction.count_accessible($1, $2, $3,"
	    " timestamptz 'epoch' + $4::bigint * interval '1 millisecond',"
	    " timestamptz 'epoch' + $5::bigint * interval '1 millisecond'),"
	    " meta.rfc3339(transaction.watermark())" },
	[STORE_BY_ID] = { "by_id", COLUMNS " where t.id = $1::uuid" },
	[STORE_BY_TRANSACTION_ID] = { "by_transaction_id",
	    COLUMNS " where t.transaction_id = $1::text" },
	[STORE_DAILY] = { "daily",
	    "select * from transaction.daily_report("
	    "(timestamptz 'epoch' + $1::bigint * interval '1 millisecond'),"
	    "(timestamptz 'epoch' + $2::bigint * interval '1 millisecond'))" },
	{ NULL, NULL },
};

static struct pg_pool *pool;

void
store_init(void)
{
	if (pool != NULL)
		return;
	pool = pg_pool_new(&(struct pg_options){
	    .name = "regulator",
	    .conninfo = config_text(CONFIG_REGULATOR_PG),
	    .statements = statements,
	    .connections = CONNECTIONS,
	    .in_flight = 4,
	    .queue = QUEUE,
	});
}

struct pg_pool *
store_pool(void)
{
	return pool;
}

bool
store_ready(void)
{
	struct pg_counts counts;

	pg_pool_counts(pool, &counts);
	return counts.ready > 0;
}
