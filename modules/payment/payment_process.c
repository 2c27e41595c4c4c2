/*
 * POST /api/payment/payments/{id}/process, cancel and refund: the payer's
 * steps in a payment's life. Each is one call of the database, which decides
 * under the locks of the payment and of both accounts.
 */
#include "payment/move.h"
#include "payment/payment.h"
#include "payment/payments.h"
#include "payment/pin.h"
#include "payment/reply_payment.h"
#include "payment/reply_transaction.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#include <string.h>

struct payment_step {
	struct move move; /* first */
	struct uuid payment, account;
	int64_t amount_minor; /* refund: 0 means the rest */
	const char *reason;
};

static const struct input_field refund_fields[] = {
	{ "amount", INPUT_MONEY, false,
	    offsetof(struct payment_step, amount_minor), 0, 0 },
	{ "reason", INPUT_TEXT, true, offsetof(struct payment_step, reason), 1,
	    255 },
};

/* Reads path, body and key; ROUTE names the step. */
static bool
step_read(struct request *request, const char *step,
    const struct input_field *fields, size_t count)
{
	struct payment_step *in = request_alloc(request, sizeof(*in));
	char id[UUID_TEXT_SIZE];

	request->state = in;
	if (!payment_path_id(request, &in->payment) ||
	    !input_body(request, fields, count, in) || !input_valid(request))
		return false;
	uuid_format(&in->payment, id);
	return move_begin(request, POSTING_PAYMENT,
	    request_format(request, "%s:%s", step, id));
}

static void
step_params(const struct payment_step *in, struct pg_params *params)
{
	pg_params_init(params);
	pg_put_uuid(params, &in->payment);
	pg_put_uuid(params, &in->account);
}

static void
payment_shown(struct request *request, const struct pg_answer *answer,
    const char *message)
{
	if (!payment_ok(request, answer))
		return;
	reply_payment(
	    reply_begin(request, 200, message), answer->rows, 0, false);
	reply_end(request);
}

/* -- process -------------------------------------------------------------- */

static void
process_done(struct request *request, const struct pg_answer *answer)
{
	payment_shown(request, answer, "The merchant was paid");
}

static void
process_pay(struct request *request)
{
	const struct payment_step *in = request->state;
	struct pg_params params;

	step_params(in, &params);
	pg_put_uuid(&params, &in->move.posting.id);
	move_put_key(&params, &in->move);
	payment_write(
	    request, STATEMENT_PAYMENT_PROCESS, &params, process_done);
}

/* The amount decides whether a PIN is needed. */
static void
process_found(struct request *request, const struct pg_answer *answer)
{
	int code;

	if (!request_sql_ok(request, answer))
		return;
	code = PQntuples(answer->rows) == 0
	    ? 1
	    : (int)pg_int(answer->rows, 0, pg_column(answer->rows, "code"));
	if (code != 0)
		reply_error(request, ERROR_PAYMENT_NOT_FOUND);
	else
		pin_confirm(request,
		    pg_int(answer->rows, 0, pg_column(answer->rows, "amount")),
		    process_pay);
}

static void
process_of(struct request *request, const struct uuid *account)
{
	struct payment_step *in = request->state;
	struct pg_params params;

	in->account = *account;
	if (!pin_configured()) {
		process_pay(request);
		return;
	}
	step_params(in, &params);
	payment_read(request, STATEMENT_PAYMENT_GET, &params, process_found);
}

static void
process_post(struct request *request)
{
	if (step_read(request, "process", NULL, 0))
		accounts_own(request, process_of);
}

/* -- cancel --------------------------------------------------------------- */

static void
cancel_done(struct request *request, const struct pg_answer *answer)
{
	payment_shown(request, answer, "The payment was cancelled");
}

static void
cancel_of(struct request *request, const struct uuid *account)
{
	struct payment_step *in = request->state;
	struct pg_params params;

	in->account = *account;
	step_params(in, &params);
	move_put_key(&params, &in->move);
	payment_write(request, STATEMENT_PAYMENT_CANCEL, &params, cancel_done);
}

static void
cancel_post(struct request *request)
{
	if (step_read(request, "cancel", NULL, 0))
		accounts_own(request, cancel_of);
}

/* -- refund --------------------------------------------------------------- */

static void
refund_done(struct request *request, const struct pg_answer *answer)
{
	const struct payment_step *in = request->state;
	const PGresult *rows = answer->rows;
	struct transaction transaction = {
		.type = "REFUND", .status = "SUCCESS", .description = in->reason
	};
	const char *id;

	if (!payment_ok(request, answer))
		return;
	id = pg_text(rows, 0, pg_column(rows, "row_id"));
	(void)uuid_parse(id, strlen(id), &transaction.id);
	transaction.amount_minor =
	    pg_int(rows, 0, pg_column(rows, "row_amount"));
	transaction.balance_before_minor =
	    pg_int(rows, 0, pg_column(rows, "balance_before"));
	transaction.balance_after_minor =
	    pg_int(rows, 0, pg_column(rows, "balance_after"));
	transaction.created_ms = pg_int(rows, 0, pg_column(rows, "created_ms"));
	reply_transaction(reply_begin(request, 200, "The money came back"),
	    &transaction, false);
	reply_end(request);
}

static void
refund_of(struct request *request, const struct uuid *account)
{
	struct payment_step *in = request->state;
	struct pg_params params;

	in->account = *account;
	step_params(in, &params);
	pg_put_uuid(&params, &in->move.posting.id);
	pg_put_int8(&params, in->amount_minor);
	pg_put_text(&params, in->reason);
	move_put_key(&params, &in->move);
	payment_write(request, STATEMENT_PAYMENT_REFUND, &params, refund_done);
}

static void
refund_post(struct request *request)
{
	if (step_read(
		request, "refund", refund_fields, INPUT_COUNT(refund_fields)))
		accounts_own(request, refund_of);
}

ENDPOINT(payment_process, { "POST", process_post, ACCESS_USER })
ENDPOINT(payment_cancel, { "POST", cancel_post, ACCESS_USER })
ENDPOINT(payment_refund, { "POST", refund_post, ACCESS_USER })
