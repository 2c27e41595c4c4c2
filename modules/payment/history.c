/*
 * GET /api/payment/transactions and .../{id}: the signed-in user's own
 * history, from the journal itself, exact at the moment of asking. Another
 * user's transaction does not exist here.
 */
#include <string.h>
#include <strings.h>

#include "domain/cursor.h"
#include "domain/transaction.h"
#include "domain/trx_id.h"
#include "payment/accounts.h"
#include "payment/payment.h"
#include "payment/reply_transaction.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100

struct history {
	struct account_lookup lookup; /* first */
	const char *type, *status, *cursor;
	int64_t limit, from_ms, to_ms;
	struct uuid after; /* the page goes on behind this row */
	struct uuid id; /* of one in detail */
	const char *trx_id; /* as asked for, or NULL */
};

static const struct input_field history_fields[] = {
	{ "type", INPUT_TEXT, false, offsetof(struct history, type), 0, 32 },
	{ "status", INPUT_TEXT, false, offsetof(struct history, status), 0,
	    32 },
	{ "from_date", INPUT_TIME, false, offsetof(struct history, from_ms), 0,
	    0 },
	{ "to_date", INPUT_TIME_END, false, offsetof(struct history, to_ms), 0,
	    0 },
	{ "limit", INPUT_INTEGER, false, offsetof(struct history, limit), 1,
	    LIMIT_MAX },
	{ "cursor", INPUT_TEXT, false, offsetof(struct history, cursor), 1,
	    255 },
};

static void
check_cursor(struct request *request, struct history *in)
{
	int64_t sequence;

	if (in->cursor != NULL &&
	    !cursor_read(in->cursor, strlen(in->cursor), &sequence, &in->after))
		input_refuse(
		    request, "cursor", "use next_cursor of the page before");
}

static bool
history_read(struct request *request, struct history *in)
{
	in->from_ms = in->to_ms = INPUT_NO_TIME;
	if (!input_query(
		request, history_fields, INPUT_COUNT(history_fields), in))
		return false;
	if (in->type != NULL && !transaction_type_known(in->type))
		input_refuse(request, "type",
		    "must be TOPUP, PAYMENT, REFUND or TRANSFER");
	if (in->status != NULL && !transaction_status_known(in->status))
		input_refuse(request, "status",
		    "must be PENDING, SUCCESS, FAILED or CANCELLED");
	if (in->to_ms != INPUT_NO_TIME && in->from_ms > in->to_ms)
		input_refuse(
		    request, "to_date", "must not be before from_date");
	if (in->limit == 0)
		in->limit = LIMIT_DEFAULT;
	check_cursor(request, in);
	return input_valid(request);
}

static void
history_found(struct request *request, const struct pg_answer *answer)
{
	const struct history *in = request->state;
	struct json_writer *writer;
	struct transaction transaction = { 0 };
	char cursor[CURSOR_TEXT_SIZE];
	int found, shown;

	if (!request_sql_ok(request, answer))
		return;
	found = PQntuples(answer->rows);
	shown = found > in->limit ? (int)in->limit : found;
	writer = reply_begin(request, 200, "Your transactions");
	json_put_array_begin(writer);
	for (int row = 0; row < shown; row++) {
		transaction_read(answer->rows, row, &transaction);
		reply_transaction(writer, &transaction, false);
	}
	json_put_array_end(writer);
	reply_meta_int(request, "size", shown);
	if (found > shown) {
		/* The row is where the next page goes on. */
		cursor_write(transaction.sequence, &transaction.row_id, cursor);
		reply_meta_text(request, "next_cursor", cursor);
	} else {
		reply_meta_text(request, "next_cursor", NULL);
	}
	reply_end(request);
}

static void
history_of(struct request *request, const struct uuid *account)
{
	const struct history *in = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, account);
	if (in->cursor == NULL)
		pg_put_null(&params);
	else
		pg_put_uuid(&params, &in->after);
	pg_put_text(&params, in->type);
	pg_put_text(&params, in->status);
	pg_put_int8_or_null(&params, in->from_ms, INPUT_NO_TIME);
	pg_put_int8_or_null(&params, in->to_ms, INPUT_NO_TIME);
	pg_put_int4(&params, (int32_t)in->limit + 1);
	payment_read(request, STATEMENT_TRANSACTIONS, &params, history_found);
}

static void
history_get(struct request *request)
{
	struct history *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (history_read(request, in))
		accounts_own(request, history_of);
}

/* -- one ------------------------------------------------------------------ */

static void
detail_found(struct request *request, const struct pg_answer *answer)
{
	const struct history *in = request->state;
	struct transaction transaction;
	char trx_id[TRX_ID_SIZE];

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	transaction_read(answer->rows, 0, &transaction);
	transaction_trx_id(&transaction, trx_id);
	if (in->trx_id != NULL && strcasecmp(in->trx_id, trx_id) != 0) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	reply_transaction(
	    reply_begin(request, 200, "Your transaction"), &transaction, true);
	reply_end(request);
}

static void
detail_of(struct request *request, const struct uuid *account)
{
	const struct history *in = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, account);
	pg_put_uuid(&params, &in->id);
	payment_read(request, STATEMENT_TRANSACTION, &params, detail_found);
}

static void
detail_get(struct request *request)
{
	struct history *in = request_alloc(request, sizeof(*in));
	const char *name = strrchr(request->path, '/') + 1;
	size_t length = strlen(name);

	request->state = in;
	if (!uuid_parse(name, length, &in->id)) {
		in->trx_id = name;
		if (!trx_id_parse(name, length, &in->id, NULL)) {
			reply_error(request, ERROR_NOT_FOUND);
			return;
		}
	}
	accounts_own(request, detail_of);
}

ENDPOINT(payment_transactions, { "GET", history_get, ACCESS_USER })
ENDPOINT(payment_transaction, { "GET", detail_get, ACCESS_USER })
