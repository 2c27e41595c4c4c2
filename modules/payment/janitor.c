/*
 * See janitor.h. It never decides by itself what has happened at a provider:
 * only an answer does.
 */
#include "payment/janitor.h"

#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/config.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics.h"
#include "payment/operations.h"
#include "payment/payment.h"

#define CLAIM_EVERY_MS 500
#define CLAIM_MAX 16 /* operations taken up at once */
#define LEASE_SPARE_S 10
#define LEASE_CALLS 8 /* status, repeat, a token each, all once more */
#define EXPIRE_EVERY_MS 5000
#define EXPIRE_MAX 200
#define COUNT_EVERY_MS 5000
#define PURGE_EVERY_MS 60000
#define PURGE_MAX 1000
#define PARTITIONS_EVERY_MS 3600000
#define AUDIT_EVERY_MS 30000
#define DEADLINE_MS 10000

/* -- one operation -------------------------------------------------------- */

struct visit {
	struct provider_operation operation;
};

static int visits;

static void
visit_end(void *owner, const struct provider_operation *now)
{
	(void)now;
	visits--;
	free(owner);
}

static void visit_answered(void *owner, const struct provider_answer *answer);

static void
visit_call(struct visit *visit, enum provider_exchange_kind kind)
{
	visit->operation.call.kind = kind;
	providers_call(&visit->operation.call, visit_answered, visit);
}

static void
visit_answered(void *owner, const struct provider_answer *answer)
{
	struct visit *visit = owner;

	/* A charge that never arrived there is sent again, under the same
	 * reference: it can still act only once. */
	if (visit->operation.call.kind == EXCHANGE_CHARGE_STATUS &&
	    answer->outcome == ANSWER_NOT_FOUND) {
		visit_call(visit, EXCHANGE_CHARGE);
		return;
	}
	operation_decide(&visit->operation, false, answer, visit_end, visit);
}

static void
visit_ask(struct visit *visit)
{
	metric_add(METRIC_OPERATIONS_REPEATED, 0, 1);
	visit_call(visit,
	    visit->operation.out ? EXCHANGE_TOPUP : EXCHANGE_CHARGE_STATUS);
}

static void
visit_escalated(void *owner, const struct pg_answer *answer)
{
	struct visit *visit = owner;
	char id[UUID_TEXT_SIZE];

	uuid_format(&visit->operation.id, id);
	if (answer->status == PG_DONE) {
		metric_add(METRIC_OPERATIONS_DECIDED, 3, 1);
		log_event(LOG_LEVEL_ERROR,
		    "operation: no outcome in time, people must look",
		    LOG_TEXT("operation", id),
		    LOG_TEXT("provider",
			provider_word(visit->operation.call.provider)));
	}
	visit_ask(visit);
}

static void
visit_begin(const PGresult *rows, int row)
{
	struct visit *visit = calloc(1, sizeof(*visit));
	struct pg_params params;
	int64_t age_ms;

	if (visit == NULL)
		abort();
	visits++;
	operation_read(rows, row, &visit->operation);
	age_ms = (int64_t)clock_unix_ms() - visit->operation.created_ms;
	if (visit->operation.escalated ||
	    age_ms < config_number(CONFIG_PROVIDER_ESCALATE_SECONDS) * 1000) {
		visit_ask(visit);
		return;
	}
	pg_params_init(&params);
	pg_put_uuid(&params, &visit->operation.id);
	pg_put_text(&params, "no outcome in time");
	pg_call(payment_writes(), STATEMENT_OPERATION_ESCALATE, &params, false,
	    DEADLINE_MS, visit_escalated, visit);
}

/* -- the rounds ------------------------------------------------------------ */

/* A statement that comes round again and again. */
struct round {
	enum payment_statement statement;
	uint32_t every_ms;
	void (*params)(struct pg_params *params);
	void (*read)(const PGresult *rows);
	struct loop_timer timer;
};

static void round_due(struct loop_timer *timer, void *owner);

static void
round_done(void *owner, const struct pg_answer *answer)
{
	struct round *round = owner;

	if (answer->status == PG_DONE && round->read != NULL)
		round->read(answer->rows);
	if (answer->status == PG_REFUSED)
		log_event(LOG_LEVEL_ERROR, "janitor: refused",
		    LOG_NUMBER("statement", round->statement),
		    LOG_TEXT("sqlstate", answer->sqlstate),
		    LOG_TEXT("message", answer->message));
	loop_timer_set(&round->timer, round->every_ms, round_due, round);
}

static void
round_due(struct loop_timer *timer, void *owner)
{
	struct round *round = owner;
	struct pg_params params;

	(void)timer;
	if (round->statement == STATEMENT_OPERATIONS_CLAIM &&
	    visits >= CLAIM_MAX) {
		loop_timer_set(
		    &round->timer, round->every_ms, round_due, round);
		return;
	}
	pg_params_init(&params);
	if (round->params != NULL)
		round->params(&params);
	pg_call(payment_writes(), (int)round->statement, &params, false,
	    DEADLINE_MS, round_done, round);
}

static void
claim_params(struct pg_params *params)
{
	pg_put_int4(params, CLAIM_MAX - visits);
	pg_put_int4(params,
	    (int32_t)(LEASE_CALLS * config_number(CONFIG_PROVIDER_TIMEOUT_MS) /
		    1000 +
		LEASE_SPARE_S));
}

static void
claim_read(const PGresult *rows)
{
	for (int row = 0; row < PQntuples(rows); row++)
		visit_begin(rows, row);
}

static void
count_read(const PGresult *rows)
{
	metric_set(METRIC_OPERATIONS_OPEN, 0, pg_int(rows, 0, 0));
	metric_set(METRIC_OPERATIONS_ESCALATED, 0, pg_int(rows, 0, 1));
}

/* What the nightly proof of the books found; no row before the first. */
static void
audit_read(const PGresult *rows)
{
	if (PQntuples(rows) == 0)
		return;
	metric_set(METRIC_AUDIT_FINISHED, 0, pg_int(rows, 0, 0) / 1000);
	metric_set(METRIC_AUDIT_BREAKS, 0, pg_int(rows, 0, 1));
}

static void
expire_params(struct pg_params *params)
{
	pg_put_int4(params, EXPIRE_MAX);
}

static void
purge_params(struct pg_params *params)
{
	pg_put_int4(params, PURGE_MAX);
}

static struct round rounds[] = {
	{ .statement = STATEMENT_OPERATIONS_CLAIM,
	    .every_ms = CLAIM_EVERY_MS,
	    .params = claim_params,
	    .read = claim_read },
	{ .statement = STATEMENT_PAYMENTS_EXPIRE,
	    .every_ms = EXPIRE_EVERY_MS,
	    .params = expire_params },
	{ .statement = STATEMENT_OPERATIONS_OPEN,
	    .every_ms = COUNT_EVERY_MS,
	    .read = count_read },
	{ .statement = STATEMENT_AUDIT_LAST,
	    .every_ms = AUDIT_EVERY_MS,
	    .read = audit_read },
	{ .statement = STATEMENT_PURGE,
	    .every_ms = PURGE_EVERY_MS,
	    .params = purge_params },
	{ .statement = STATEMENT_MAKE_PARTITIONS,
	    .every_ms = PARTITIONS_EVERY_MS },
};

#define ROUNDS (sizeof(rounds) / sizeof(rounds[0]))

void
janitor_start(void)
{
	for (size_t i = 0; i < ROUNDS; i++)
		loop_timer_set(&rounds[i].timer, rounds[i].every_ms, round_due,
		    &rounds[i]);
}

void
janitor_stop(void)
{
	for (size_t i = 0; i < ROUNDS; i++)
		loop_timer_clear(&rounds[i].timer);
}
