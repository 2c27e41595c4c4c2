/*
 * Checking a PIN: count the try, compare, and take the count back when it was
 * right. It must never compare before it has counted, nor log a PIN.
 */
#include "web/pin_check.h"

#include <string.h>

#include "io/metrics.h"
#include "web/password_hash.h"
#include "web/reply.h"

#define PIN_LENGTH 6

/* The handler's state waits here while a PIN is checked. */
struct pin_wait {
	struct pin_source source;
	const char *pin;
	const char *phc;
	pin_checked_fn next;
	void *state;
};

static void
pin_passed(struct request *request, const struct pg_answer *answer)
{
	struct pin_wait *wait = request->state;

	if (!request_sql_ok(request, answer))
		return;
	request->state = wait->state;
	wait->next(request, wait->phc);
}

static void
pin_compared(struct request *request, enum password_verdict verdict)
{
	struct pin_wait *wait = request->state;
	struct pg_params params;

	if (verdict == PASSWORD_WRONG) {
		metric_add(METRIC_PIN_FAILURES, 0, 1);
		reply_error(request, ERROR_PIN_WRONG);
		return;
	}
	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	request_sql(request, wait->source.pool, wait->source.passed_statement,
	    &params, false, pin_passed);
}

static void
pin_counted(struct request *request, const struct pg_answer *answer)
{
	struct pin_wait *wait = request->state;
	const char *outcome, *phc;

	if (!request_sql_ok(request, answer))
		return;
	outcome = PQntuples(answer->rows) == 0 ? "not_set"
					       : pg_text(answer->rows, 0, 0);
	if (strcmp(outcome, "blocked") == 0) {
		metric_add(METRIC_PIN_FAILURES, 1, 1);
		reply_error_retry(request, ERROR_PIN_BLOCKED,
		    (unsigned)pg_int(answer->rows, 0, 2));
		return;
	}
	if (strcmp(outcome, "ok") != 0) {
		reply_error(request, ERROR_PIN_NOT_SET);
		return;
	}
	phc = pg_text(answer->rows, 0, 1);
	wait->phc = request_copy(request, phc, strlen(phc));
	password_hash_check(
	    request, wait->pin, strlen(wait->pin), wait->phc, pin_compared);
}

void
pin_check(struct request *request, const struct pin_source *source,
    const char *pin, pin_checked_fn next)
{
	struct pin_wait *wait;
	struct pg_params params;

	if (pin == NULL) {
		reply_error(request, ERROR_PIN_REQUIRED);
		return;
	}
	if (strlen(pin) != PIN_LENGTH ||
	    strspn(pin, "0123456789") != PIN_LENGTH) {
		/* No PIN looks like that: not a try. */
		reply_error(request, ERROR_PIN_WRONG);
		return;
	}
	wait = request_alloc(request, sizeof(*wait));
	wait->source = *source;
	wait->pin = pin;
	wait->next = next;
	wait->state = request->state;
	request->state = wait;
	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	request_sql(request, source->pool, source->attempt_statement, &params,
	    false, pin_counted);
}
