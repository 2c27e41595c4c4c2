/*
 * See topup.h. The steps of one top-up:
 *
 *   opened    the amount is held (out) or on record (in), committed
 *   called    the provider has answered, refused, or kept silent
 *   decided   settled, released, credited, failed, or left to the janitor
 *   answered  the answer is kept under its key, then given
 */
#include "payment/topup.h"

#include <string.h>

#include "domain/phone.h"
#include "io/config.h"
#include "io/log.h"
#include "payment/payment.h"
#include "payment/post_call.h"
#include "web/input.h"
#include "web/reply.h"

#define FIRST_ATTEMPT_CALLS 4 /* a token, the call, both once more */
#define FIRST_ATTEMPT_SPARE_S 5

static const struct input_field topup_fields[] = {
	{ "amount", INPUT_MONEY, true, offsetof(struct topup, amount_minor), 0,
	    0 },
	{ "payment_method", INPUT_TEXT, true,
	    offsetof(struct topup, method_text), 1, 32 },
	{ "phone_number", INPUT_TEXT, true, offsetof(struct topup, phone_text),
	    1, 32 },
	{ "description", INPUT_TEXT, false, offsetof(struct topup, description),
	    0, 255 },
};

/* -- reading -------------------------------------------------------------- */

static void
check_phone(struct request *request, struct topup *in, bool method_known)
{
	struct provider_call *call = &in->operation.call;
	enum phone_wallet wallet, own;

	if (in->phone_text == NULL || input_refused(request, "phone_number"))
		return;
	own = call->provider == PROVIDER_GOPAY ? PHONE_GOPAY : PHONE_SHOPEEPAY;
	if (!phone_parse_wallet(
		in->phone_text, strlen(in->phone_text), call->phone, &wallet))
		input_refuse(request, "phone_number",
		    "must be a mobile number of 10 to 15 digits, "
		    "08..., 628... or the wallet's own");
	else if (wallet != PHONE_NO_WALLET && wallet != own && method_known)
		input_refuse(request, "phone_number",
		    "is the number of another provider's wallet");
}

static void
check_fields(struct request *request, struct topup *in)
{
	enum payment_method method;
	const char *problem;
	bool known = in->method_text != NULL &&
	    payment_method_read(in->method_text, &method);

	if (known)
		in->operation.call.provider = provider_by_method(method);
	else if (in->method_text != NULL)
		input_refuse(
		    request, "payment_method", "must be GOPAY or SHOPEE_PAY");
	check_phone(request, in, known);
	if (!known || in->amount_minor == 0)
		return;
	problem = provider_amount_problem(
	    in->operation.call.provider, in->operation.out, in->amount_minor);
	if (problem != NULL)
		input_refuse(request, "amount", problem);
}

bool
topup_read(struct request *request, bool out, const char *route)
{
	struct topup *in = request_alloc(request, sizeof(*in));
	struct provider_operation *operation = &in->operation;

	request->state = in;
	operation->out = out;
	operation->call.kind = out ? EXCHANGE_TOPUP : EXCHANGE_CHARGE;
	if (!input_body(request, topup_fields, INPUT_COUNT(topup_fields), in))
		return false;
	check_fields(request, in);
	return input_valid(request) &&
	    move_begin(request,
		out ? POSTING_TOPUP_HOLD : POSTING_CHARGE_OPENED, route);
}

/* -- answering ------------------------------------------------------------ */

static void
answer_give(struct request *request)
{
	const struct topup *in = request->state;

	if (in->data != NULL)
		reply_stored(request, in->status,
		    in->operation.out ? "The wallet is topped up"
				      : "The top-up has begun",
		    NULL, in->data, strlen(in->data));
	else
		reply_error(request, in->error);
}

static void
answer_kept(struct request *request, const struct pg_answer *answer)
{
	/* Without it a repeat is told how the operation stands: still true. */
	if (answer->status != PG_DONE)
		log_event(LOG_LEVEL_WARNING, "topup: answer not kept",
		    LOG_TEXT("request_id", request->id),
		    LOG_TEXT("sqlstate", answer->sqlstate));
	answer_give(request);
}

/* The answer is kept before it is given, so that a repeat gets the same. An
 * error is kept as its reason. */
static void
answer_keep(struct request *request)
{
	const struct topup *in = request->state;
	struct pg_params params;

	if (in->move.posting.key == NULL) {
		answer_give(request);
		return;
	}
	pg_params_init(&params);
	pg_put_uuid(&params, &in->operation.id);
	pg_put_int4(&params, in->status);
	pg_put_text(&params,
	    in->data != NULL ? in->data : error_info(in->error)->reason);
	payment_write(
	    request, STATEMENT_OPERATION_ANSWER, &params, answer_kept);
}

/* The transaction as JSON in the request's memory. */
static const char *
transaction_json(struct request *request, const char *description)
{
	const struct topup *in = request->state;
	struct transaction transaction;
	struct json_writer writer;
	const char *json;

	operation_transaction(&in->operation, description, &transaction);
	json_writer_init(&writer);
	reply_transaction(&writer, &transaction, false);
	json = json_writer_failed(&writer)
	    ? NULL
	    : request_copy(request, writer.bytes, writer.length);
	json_writer_free(&writer);
	return json;
}

/* ANSWER is NULL when only the end is known. */
static enum error_code
failure_error(const struct provider_answer *answer)
{
	if (answer == NULL)
		return ERROR_PROVIDER_REFUSED;
	if (answer->outcome == ANSWER_NOT_TAKEN)
		return ERROR_PROVIDER_UNAVAILABLE;
	if (answer->outcome == ANSWER_REFUSED && answer->insufficient_funds)
		return ERROR_WALLET_FUNDS_SHORT;
	return ERROR_PROVIDER_REFUSED;
}

/* What the outcome is to the caller. */
static void
answer_make(struct request *request, const char *description)
{
	struct topup *in = request->state;

	in->error = ERROR_NONE;
	if (strcmp(in->operation.state, "FAILED") == 0 ||
	    strcmp(in->operation.state, "CANCELLED") == 0)
		in->error = failure_error(in->answer);
	if (in->error == ERROR_NONE) {
		in->status = in->operation.out ? 200 : 201;
		in->data = transaction_json(request, description);
		if (in->data == NULL)
			in->error = ERROR_INTERNAL;
	}
	if (in->error != ERROR_NONE)
		in->status = error_info(in->error)->status;
}

/* -- running -------------------------------------------------------------- */

static void
run_answer(struct request *request)
{
	const struct topup *in = request->state;

	answer_make(request, in->description);
	answer_keep(request);
}

static void
run_decided(void *owner, const struct provider_operation *now)
{
	struct request *request = owner;
	struct topup *in = request->state;

	if (now != NULL)
		in->operation = *now;
	request_release(request, run_answer);
}

static void
run_decide(struct request *request)
{
	struct topup *in = request->state;

	request_hold(request);
	operation_decide(
	    &in->operation, true, in->answer, run_decided, request);
}

static void
run_called(void *owner, const struct provider_answer *answer)
{
	struct request *request = owner;
	struct topup *in = request->state;

	in->answer = request_alloc(request, sizeof(*in->answer));
	*in->answer = *answer;
	request_release(request, run_decide);
}

/* The key was used before: the same answer again. */
static void
run_again(struct request *request, const PGresult *rows)
{
	struct topup *in = request->state;
	int status = pg_column(rows, "answer_status");
	int text = pg_column(rows, "description");
	const char *body = pg_text(rows, 0, pg_column(rows, "answer_body"));

	idempotency_replayed(request);
	if (pg_is_null(rows, 0, status)) {
		answer_make(request,
		    pg_is_null(rows, 0, text) ? NULL : pg_text(rows, 0, text));
		answer_give(request);
		return;
	}
	in->status = (int)pg_int(rows, 0, status);
	if (in->status < 400)
		in->data = request_copy(request, body, strlen(body));
	else
		in->error = error_by_reason(body);
	answer_give(request);
}

static void
run_opened(struct request *request, const struct pg_answer *answer)
{
	struct topup *in = request->state;
	const PGresult *rows = answer->rows;
	enum error_code error;
	bool replayed;

	if (!request_sql_ok(request, answer))
		return;
	error = post_call_error((int)pg_int(rows, 0, pg_column(rows, "code")));
	replayed = pg_bool(rows, 0, pg_column(rows, "replayed"));
	if (error != ERROR_NONE) {
		move_refuse(
		    request, error, replayed && error != ERROR_KEY_IN_PROGRESS);
		return;
	}
	operation_read(rows, 0, &in->operation);
	if (replayed) {
		run_again(request, rows);
		return;
	}
	request_hold(request);
	providers_call(&in->operation.call, run_called, request);
}

void
topup_run(struct request *request, const struct uuid *account)
{
	struct topup *in = request->state;
	struct provider_call *call = &in->operation.call;
	struct pg_params params;

	in->operation.id = in->move.posting.id;
	uuid_format(&in->operation.id, call->reference);
	call->amount_minor = in->amount_minor;
	pg_params_init(&params);
	pg_put_uuid(&params, &in->operation.id);
	pg_put_uuid(&params, account);
	pg_put_text(&params,
	    payment_method_name(provider_info(call->provider)->method));
	pg_put_text(&params, call->phone);
	pg_put_int8(&params, call->amount_minor);
	pg_put_text(&params, call->reference);
	pg_put_text(&params, in->description);
	pg_put_int4(&params,
	    (int32_t)(FIRST_ATTEMPT_CALLS *
		    config_number(CONFIG_PROVIDER_TIMEOUT_MS) / 1000 +
		FIRST_ATTEMPT_SPARE_S));
	move_put_key(&params, &in->move);
	if (!in->operation.out)
		pg_put_int4(&params, post_call_code(in->refuse));
	payment_write(request,
	    in->operation.out ? STATEMENT_TOPUP_BEGIN : STATEMENT_CHARGE_BEGIN,
	    &params, run_opened);
}
