/*
 * The payment module's start: its connections, what it needs, and the work
 * that no request asks for (accounts of new people, open operations, events).
 */
#include "payment/payment.h"

#include <kore.h>

#include "io/config.h"
#include "payment/accounts.h"
#include "payment/janitor.h"
#include "payment/posting.h"
#include "payment/providers.h"
#include "payment/relay.h"
#include "web/health.h"
#include "web/password_hash.h"
#include "web/pin_check.h"
#include "web/session.h"
#include "web/worker.h"

__attribute__((visibility("default"))) int payment_init(int action);

#define READ_CONNECTIONS 2
#define READ_IN_FLIGHT 64
#define READ_QUEUE 4096
#define WRITE_CONNECTIONS 6
#define WRITE_IN_FLIGHT 2
#define WRITE_QUEUE 1024

static const struct pg_statement statements[] = {
#define STATEMENT(id, name, sql) { name, sql },
#include "payment/statements.def"
#undef STATEMENT
	{ NULL, NULL }
};

static struct pg_pool *reads, *writes;

struct pg_pool *
payment_reads(void)
{
	return reads;
}

struct pg_pool *
payment_writes(void)
{
	return writes;
}

void
payment_read(struct request *request, enum payment_statement statement,
    struct pg_params *params, sql_step_fn next)
{
	request_sql(request, reads, (int)statement, params, false, next);
}

void
payment_write(struct request *request, enum payment_statement statement,
    struct pg_params *params, sql_step_fn next)
{
	request_sql(request, writes, (int)statement, params, false, next);
}

static struct pg_pool *
pool_new(const char *name, int connections, int in_flight, int queue)
{
	const struct pg_options options = {
		.name = name,
		.conninfo = config_text(CONFIG_PAYMENT_PG),
		.statements = statements,
		.connections = connections,
		.in_flight = in_flight,
		.queue = queue,
	};

	return pg_pool_new(&options);
}

static bool
database_ready(void)
{
	struct pg_counts counts;

	pg_pool_counts(reads, &counts);
	return counts.ready > 0;
}

static void
payment_stop(void)
{
	janitor_stop();
	relay_stop();
	accounts_done();
	posting_done();
	providers_done();
	pg_pool_free(reads);
	pg_pool_free(writes);
	reads = writes = NULL;
}

static bool
payment_start(void)
{
	reads = pool_new(
	    "payment.reads", READ_CONNECTIONS, READ_IN_FLIGHT, READ_QUEUE);
	writes = pool_new(
	    "payment.writes", WRITE_CONNECTIONS, WRITE_IN_FLIGHT, WRITE_QUEUE);
	if (reads == NULL || writes == NULL ||
	    !posting_init(config_text(CONFIG_PAYMENT_PG)) ||
	    !session_init(reads, STATEMENT_ENDED_SESSIONS) ||
	    !password_hash_init() || !providers_init() || !accounts_init())
		return false;
	janitor_start();
	relay_start();
	health_need("postgresql", database_ready);
	health_need("ledger", posting_ready);
	health_need("sessions", session_ready);
	health_use("kafka", relay_ready);
	worker_at_exit(payment_stop);
	return true;
}

/* Kore calls it in each worker, again after SIGHUP. */
int
payment_init(int action)
{
	if (action != KORE_MODULE_LOAD)
		return KORE_RESULT_OK;
	worker_begin("payment");
	if (reads != NULL)
		return KORE_RESULT_OK;
	return payment_start() ? KORE_RESULT_OK : KORE_RESULT_ERROR;
}
