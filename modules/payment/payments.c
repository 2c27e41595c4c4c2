/*
 * POST and GET /api/payment/payments, GET .../{id}: paying a merchant begins
 * with a payment in PENDING, which holds no money yet. The merchant is named
 * by its id or by the QRIS code it shows.
 */
#include <string.h>

#include "domain/transaction.h"
#include "domain/trx_id.h"
#include "io/config.h"
#include "payment/move.h"
#include "payment/payment.h"
#include "payment/payments.h"
#include "payment/post_call.h"
#include "payment/qris.h"
#include "payment/reply_payment.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#define JSON_BYTES_MAX 16384
#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100

struct payment_new {
	struct move move; /* first */
	struct uuid merchant_id;
	int64_t amount_minor;
	const char *qris, *items, *metadata, *description;
	const struct qris *code; /* of qris, or NULL */
	struct uuid account;
};

static const struct input_field new_fields[] = {
	{ "merchant_id", INPUT_UUID, false,
	    offsetof(struct payment_new, merchant_id), 0, 0 },
	{ "qris", INPUT_TEXT, false, offsetof(struct payment_new, qris), 1,
	    512 },
	{ "amount", INPUT_MONEY, false,
	    offsetof(struct payment_new, amount_minor), 0, 0 },
	{ "items", INPUT_JSON, false, offsetof(struct payment_new, items), 0,
	    JSON_BYTES_MAX },
	{ "metadata", INPUT_JSON, false, offsetof(struct payment_new, metadata),
	    0, JSON_BYTES_MAX },
	{ "description", INPUT_TEXT, false,
	    offsetof(struct payment_new, description), 0, 255 },
};

/* A list of objects; what is in them is the merchant's. */
static bool
items_valid(const char *json)
{
	struct json_document document;
	const struct json_node *item;
	bool valid;

	if (json_parse(json, strlen(json), &document) != JSON_OK)
		return false;
	valid = document.nodes[0].type == JSON_ARRAY;
	for (item = json_first(&document, document.nodes);
	     valid && item != NULL; item = json_next(&document, item))
		valid = item->type == JSON_OBJECT;
	json_free(&document);
	return valid;
}

static void
new_check(struct request *request, struct payment_new *in)
{
	bool by_id = !uuid_is_zero(&in->merchant_id);

	if (in->qris != NULL && by_id)
		input_refuse(
		    request, "qris", "give merchant_id or qris, not both");
	else if (in->qris != NULL && !input_refused(request, "qris"))
		in->code = qris_read(request, in->qris);
	if (in->qris == NULL && !by_id)
		input_refuse(request, "merchant_id", "is required");
	if (in->items != NULL && !items_valid(in->items))
		input_refuse(request, "items", "must be a list of objects");
	if (in->metadata != NULL && in->metadata[0] != '{')
		input_refuse(request, "metadata", "must be an object");
	if (input_refused(request, "amount"))
		return;
	if (in->code != NULL)
		qris_amount(request, in->code, &in->amount_minor);
	else if (in->amount_minor == 0 && !input_refused(request, "qris"))
		input_refuse(request, "amount", "is required");
}

bool
payment_path_id(struct request *request, struct uuid *id)
{
	const char *name = request_path_part(request, 3);
	enum trx_id_suffix suffix;

	if (name != NULL &&
	    (uuid_parse(name, strlen(name), id) ||
		(trx_id_parse(name, strlen(name), id, &suffix) &&
		    suffix == TRX_ID_PLAIN)))
		return true;
	reply_error(request, ERROR_PAYMENT_NOT_FOUND);
	return false;
}

bool
payment_ok(struct request *request, const struct pg_answer *answer)
{
	enum error_code error;
	bool replayed;

	if (!request_sql_ok(request, answer))
		return false;
	if (PQntuples(answer->rows) == 0) {
		reply_error(request, ERROR_PAYMENT_NOT_FOUND);
		return false;
	}
	error = post_call_error(
	    (int)pg_int(answer->rows, 0, pg_column(answer->rows, "code")));
	replayed =
	    pg_bool(answer->rows, 0, pg_column(answer->rows, "replayed"));
	if (error != ERROR_NONE) {
		move_refuse(request, error, replayed);
		return false;
	}
	if (replayed)
		idempotency_replayed(request);
	return true;
}

static void
new_written(struct request *request, const struct pg_answer *answer)
{
	if (!payment_ok(request, answer))
		return;
	reply_payment(reply_begin(request, 201, "The payment waits for you"),
	    answer->rows, 0, false);
	reply_end(request);
}

static void
new_write(struct request *request)
{
	const struct payment_new *in = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &in->move.posting.id);
	pg_put_uuid(&params, &in->account);
	pg_put_uuid(&params, &in->merchant_id);
	pg_put_int8(&params, in->amount_minor);
	pg_put_text(&params, in->items);
	pg_put_text(&params, in->description);
	pg_put_text(&params, in->metadata);
	pg_put_int4(
	    &params, (int32_t)config_number(CONFIG_PAYMENT_EXPIRY_SECONDS));
	pg_put_bool(&params, in->qris != NULL);
	move_put_key(&params, &in->move);
	payment_write(request, STATEMENT_PAYMENT_CREATE, &params, new_written);
}

static void
new_merchant(struct request *request, const struct pg_answer *answer)
{
	struct payment_new *in = request->state;
	const char *id;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		/* Refused in the database, which keeps it under its key. */
		new_write(request);
		return;
	}
	id = pg_text(answer->rows, 0, pg_column(answer->rows, "merchant_id"));
	if (uuid_parse(id, strlen(id), &in->merchant_id))
		new_write(request);
	else
		reply_error(request, ERROR_INTERNAL);
}

static void
new_account(struct request *request, const struct uuid *account)
{
	struct payment_new *in = request->state;
	struct pg_params params;

	in->account = *account;
	if (in->qris == NULL) {
		new_write(request);
		return;
	}
	pg_params_init(&params);
	pg_put_text(&params, in->code->national_id);
	payment_read(
	    request, STATEMENT_MERCHANT_BY_QRIS, &params, new_merchant);
}

static void
payments_post(struct request *request)
{
	struct payment_new *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (!input_body(request, new_fields, INPUT_COUNT(new_fields), in))
		return;
	new_check(request, in);
	if (!input_valid(request) ||
	    !move_begin(request, POSTING_PAYMENT_OPENED, "payments"))
		return;
	accounts_own(request, new_account);
}

/* -- reading -------------------------------------------------------------- */

struct payments_list {
	struct account_lookup lookup; /* first */
	const char *status;
	struct uuid merchant, before, id;
	int64_t limit, from_ms, to_ms;
};

static const struct input_field list_fields[] = {
	{ "status", INPUT_TEXT, false, offsetof(struct payments_list, status),
	    0, 32 },
	{ "merchant_id", INPUT_UUID, false,
	    offsetof(struct payments_list, merchant), 0, 0 },
	{ "cursor", INPUT_UUID, false, offsetof(struct payments_list, before),
	    0, 0 },
	{ "limit", INPUT_INTEGER, false, offsetof(struct payments_list, limit),
	    1, LIMIT_MAX },
	{ "from_date", INPUT_TIME, false,
	    offsetof(struct payments_list, from_ms), 0, 0 },
	{ "to_date", INPUT_TIME_END, false,
	    offsetof(struct payments_list, to_ms), 0, 0 },
};

static void
list_found(struct request *request, const struct pg_answer *answer)
{
	const struct payments_list *in = request->state;
	struct json_writer *writer;
	int found, shown;

	if (!request_sql_ok(request, answer))
		return;
	found = PQntuples(answer->rows);
	shown = found > in->limit ? (int)in->limit : found;
	writer = reply_begin(request, 200, "Your payments");
	reply_meta_int(request, "size", shown);
	reply_meta_text(request, "next_cursor",
	    found > shown ? pg_text(answer->rows, shown - 1,
				pg_column(answer->rows, "id"))
			  : NULL);
	json_put_array_begin(writer);
	for (int row = 0; row < shown; row++)
		reply_payment(writer, answer->rows, row, true);
	json_put_array_end(writer);
	reply_end(request);
}

static void
put_id(struct pg_params *params, const struct uuid *id)
{
	if (uuid_is_zero(id))
		pg_put_null(params);
	else
		pg_put_uuid(params, id);
}

static void
list_of(struct request *request, const struct uuid *account)
{
	const struct payments_list *in = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, account);
	pg_put_text(&params, in->status);
	put_id(&params, &in->merchant);
	put_id(&params, &in->before);
	pg_put_int8_or_null(&params, in->from_ms, INPUT_NO_TIME);
	pg_put_int8_or_null(&params, in->to_ms, INPUT_NO_TIME);
	pg_put_int4(&params, (int32_t)in->limit + 1);
	payment_read(request, STATEMENT_PAYMENTS_OF, &params, list_found);
}

static void
payments_get(struct request *request)
{
	struct payments_list *in = request_alloc(request, sizeof(*in));

	request->state = in;
	in->from_ms = in->to_ms = INPUT_NO_TIME;
	if (!input_query(request, list_fields, INPUT_COUNT(list_fields), in))
		return;
	if (in->status != NULL && !transaction_status_known(in->status))
		input_refuse(request, "status",
		    "must be PENDING, SUCCESS, FAILED or CANCELLED");
	if (in->to_ms != INPUT_NO_TIME && in->from_ms > in->to_ms)
		input_refuse(
		    request, "to_date", "must not be before from_date");
	if (!input_valid(request))
		return;
	if (in->limit == 0)
		in->limit = LIMIT_DEFAULT;
	accounts_own(request, list_of);
}

static void
one_found(struct request *request, const struct pg_answer *answer)
{
	if (!payment_ok(request, answer))
		return;
	reply_payment(
	    reply_begin(request, 200, "Your payment"), answer->rows, 0, true);
	reply_end(request);
}

static void
one_of(struct request *request, const struct uuid *account)
{
	const struct payments_list *in = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &in->id);
	pg_put_uuid(&params, account);
	payment_read(request, STATEMENT_PAYMENT_GET, &params, one_found);
}

static void
payment_get(struct request *request)
{
	struct payments_list *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (payment_path_id(request, &in->id))
		accounts_own(request, one_of);
}

ENDPOINT(payment_payments, { "GET", payments_get, ACCESS_USER },
    { "POST", payments_post, ACCESS_USER })
ENDPOINT(payment_payment, { "GET", payment_get, ACCESS_USER })
