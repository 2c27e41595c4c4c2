/* See operations.h. */
#include "payment/operations.h"

#include <stdlib.h>
#include <string.h>

#include "io/config.h"
#include "io/log.h"
#include "io/metrics.h"
#include "payment/payment.h"

#define DECIDE_DEADLINE_MS 5000
#define RETRY_SECONDS_MAX 600
#define BACKOFF_SHIFT_MAX 10

static void
copy_text(
    const PGresult *rows, int row, const char *column, char *text, size_t size)
{
	int at = pg_column(rows, column);
	const char *value =
	    pg_is_null(rows, row, at) ? "" : pg_text(rows, row, at);
	size_t length = strlen(value);

	if (length >= size)
		length = size - 1;
	memcpy(text, value, length);
	text[length] = '\0';
}

static int64_t
number_of(const PGresult *rows, int row, const char *column)
{
	int at = pg_column(rows, column);

	return pg_is_null(rows, row, at) ? 0 : pg_int(rows, row, at);
}

static void
copy_id(const PGresult *rows, int row, const char *column, struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	copy_text(rows, row, column, text, sizeof(text));
	if (!uuid_parse(text, strlen(text), id))
		memset(id, 0, sizeof(*id));
}

void
operation_read(
    const PGresult *rows, int row, struct provider_operation *operation)
{
	struct provider_call *call = &operation->call;
	enum payment_method method;
	char text[16];

	memset(operation, 0, sizeof(*operation));
	copy_id(rows, row, "id", &operation->id);
	copy_id(rows, row, "account_id", &operation->account_id);
	copy_id(rows, row, "user_id", &operation->user_id);
	copy_text(rows, row, "direction", text, sizeof(text));
	operation->out = strcmp(text, "out") == 0;
	call->kind = operation->out ? EXCHANGE_TOPUP : EXCHANGE_CHARGE;
	copy_text(rows, row, "provider", text, sizeof(text));
	if (payment_method_read(text, &method))
		call->provider = provider_by_method(method);
	copy_text(rows, row, "phone", call->phone, sizeof(call->phone));
	copy_text(
	    rows, row, "reference", call->reference, sizeof(call->reference));
	call->amount_minor = number_of(rows, row, "amount");
	copy_text(
	    rows, row, "state", operation->state, sizeof(operation->state));
	operation->balance_before_minor =
	    number_of(rows, row, "balance_before");
	operation->balance_after_minor = number_of(rows, row, "balance_after");
	operation->attempts = (int)number_of(rows, row, "attempts");
	copy_text(rows, row, "escalated", text, sizeof(text));
	operation->escalated = text[0] == 't';
	operation->created_ms = number_of(rows, row, "created_ms");
	operation->updated_ms = number_of(rows, row, "updated_ms");
}

void
operation_transaction(const struct provider_operation *operation,
    const char *description, struct transaction *transaction)
{
	*transaction = (struct transaction){
		.id = operation->id,
		.type = "TOPUP",
		.status = operation->state,
		.amount_minor = operation->call.amount_minor,
		.balance_before_minor = operation->balance_before_minor,
		.balance_after_minor = operation->balance_after_minor,
		.payment_method = payment_method_name(
		    provider_info(operation->call.provider)->method),
		.description = description,
		.created_ms = operation->created_ms,
		.user_id = operation->user_id,
		.account_id = operation->account_id,
		.is_accessible_external = true,
		.updated_ms = operation->updated_ms,
	};
}

/* -- decisions ------------------------------------------------------------ */

struct decision {
	enum provider provider;
	operation_done_fn done;
	void *owner;
};

static uint64_t decisions[PROVIDERS];

uint64_t
operations_decided(enum provider provider)
{
	return decisions[provider];
}

static void
count_end(const struct provider_operation *operation)
{
	static const struct {
		const char *state;
		unsigned label;
	} ends[] = { { "SUCCESS", 0 }, { "FAILED", 1 }, { "CANCELLED", 2 } };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(operation->state, ends[i].state) == 0)
			metric_add(METRIC_OPERATIONS_DECIDED, ends[i].label, 1);
	}
}

static void
decided(void *owner, const struct pg_answer *answer)
{
	struct decision *decision = owner;
	struct provider_operation now;

	decisions[decision->provider]++;
	if (answer->status == PG_DONE && PQntuples(answer->rows) == 1) {
		operation_read(answer->rows, 0, &now);
		count_end(&now);
		decision->done(decision->owner, &now);
	} else {
		log_event(LOG_LEVEL_ERROR, "operation: not decided",
		    LOG_NUMBER("status", answer->status),
		    LOG_TEXT("sqlstate", answer->sqlstate),
		    LOG_TEXT("message",
			answer->message != NULL ? answer->message : ""));
		decision->done(decision->owner, NULL);
	}
	free(decision);
}

/* The pause before the next look doubles with each attempt. */
static int32_t
retry_seconds(const struct provider_operation *operation)
{
	int64_t seconds = config_number(CONFIG_PROVIDER_RETRY_SECONDS);
	int shift = operation->attempts < BACKOFF_SHIFT_MAX
	    ? operation->attempts
	    : BACKOFF_SHIFT_MAX;

	seconds <<= shift;
	return (
	    int32_t)(seconds < RETRY_SECONDS_MAX ? seconds : RETRY_SECONDS_MAX);
}

/* What is written for OUTCOME; PENDING stands for "leave it open". */
static enum provider_outcome
outcome_final(enum provider_outcome outcome, bool first)
{
	switch (outcome) {
	case ANSWER_DONE:
	case ANSWER_REFUSED:
	case ANSWER_CANCELLED:
		return outcome;
	case ANSWER_NOT_TAKEN:
		return first ? ANSWER_REFUSED : ANSWER_PENDING;
	case ANSWER_UNKNOWN:
	case ANSWER_PENDING:
	case ANSWER_NOT_FOUND:
	case ANSWER_TOKEN_EXPIRED:
		break;
	}
	return ANSWER_PENDING;
}

static const char *
text_or_null(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

void
operation_decide(const struct provider_operation *operation, bool first,
    const struct provider_answer *answer, operation_done_fn done, void *owner)
{
	struct decision *decision = calloc(1, sizeof(*decision));
	enum provider_outcome outcome = outcome_final(answer->outcome, first);
	enum payment_statement statement;
	struct pg_params params;

	if (decision == NULL)
		abort();
	decision->done = done;
	decision->owner = owner;
	decision->provider = operation->call.provider;
	pg_params_init(&params);
	pg_put_uuid(&params, &operation->id);
	if (outcome == ANSWER_DONE) {
		statement = operation->out ? STATEMENT_TOPUP_SETTLE
					   : STATEMENT_CHARGE_CREDIT;
		pg_put_text(&params, text_or_null(answer->external_reference));
	} else if (outcome == ANSWER_PENDING) {
		statement = STATEMENT_OPERATION_ATTEMPT;
		pg_put_text(&params, answer->code);
		pg_put_int4(&params, retry_seconds(operation));
		pg_put_text(&params, text_or_null(answer->external_reference));
	} else {
		statement = operation->out ? STATEMENT_TOPUP_RELEASE
					   : STATEMENT_CHARGE_FAIL;
		pg_put_text(&params,
		    outcome == ANSWER_CANCELLED ? "CANCELLED" : "FAILED");
		pg_put_text(&params, answer->code);
	}
	pg_call(payment_writes(), (int)statement, &params, false,
	    DECIDE_DEADLINE_MS, decided, decision);
}
