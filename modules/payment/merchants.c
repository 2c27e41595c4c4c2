/*
 * GET /api/payment/merchants and .../{merchant_id}: who can be paid.
 */
#include <string.h>

#include "payment/payment.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100

struct merchants {
	const char *q;
	int64_t limit;
	struct uuid after; /* the last of the page before; zero: none */
};

static const struct input_field merchants_fields[] = {
	{ "q", INPUT_TEXT, false, offsetof(struct merchants, q), 0, 255 },
	{ "limit", INPUT_INTEGER, false, offsetof(struct merchants, limit), 1,
	    LIMIT_MAX },
	{ "cursor", INPUT_UUID, false, offsetof(struct merchants, after), 0,
	    0 },
};

static void
put_merchant(struct json_writer *writer, const PGresult *rows, int row)
{
	static const char *const columns[] = { "merchant_id", "name",
		"category", "city" };

	json_put_object_begin(writer);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		json_put_member_string(writer, columns[i],
		    pg_text(rows, row, pg_column(rows, columns[i])));
	json_put_object_end(writer);
}

static void
merchants_found(struct request *request, const struct pg_answer *answer)
{
	const struct merchants *in = request->state;
	struct json_writer *writer;
	int found, shown;

	if (!request_sql_ok(request, answer))
		return;
	found = PQntuples(answer->rows);
	shown = found > in->limit ? (int)in->limit : found;
	writer = reply_begin(request, 200, "Merchants");
	reply_meta_int(request, "size", shown);
	if (found > shown)
		reply_meta_text(request, "next_cursor",
		    pg_text(answer->rows, shown - 1,
			pg_column(answer->rows, "merchant_id")));
	else
		reply_meta_text(request, "next_cursor", NULL);
	json_put_array_begin(writer);
	for (int row = 0; row < shown; row++)
		put_merchant(writer, answer->rows, row);
	json_put_array_end(writer);
	reply_end(request);
}

static void
merchants_get(struct request *request)
{
	struct merchants *in = request_alloc(request, sizeof(*in));
	struct pg_params params;

	request->state = in;
	if (!input_query(
		request, merchants_fields, INPUT_COUNT(merchants_fields), in))
		return;
	if (!input_valid(request))
		return;
	if (in->limit == 0)
		in->limit = LIMIT_DEFAULT;
	pg_params_init(&params);
	pg_put_text(&params, in->q);
	if (uuid_is_zero(&in->after))
		pg_put_null(&params);
	else
		pg_put_uuid(&params, &in->after);
	pg_put_int4(&params, (int32_t)in->limit + 1);
	payment_write(request, STATEMENT_MERCHANTS, &params, merchants_found);
}

static void
merchant_found(struct request *request, const struct pg_answer *answer)
{
	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	put_merchant(reply_begin(request, 200, "Merchant"), answer->rows, 0);
	reply_end(request);
}

static void
merchant_get(struct request *request)
{
	const char *name = strrchr(request->path, '/') + 1;
	struct pg_params params;
	struct uuid id;

	if (!uuid_parse(name, strlen(name), &id)) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	pg_params_init(&params);
	pg_put_uuid(&params, &id);
	payment_read(request, STATEMENT_MERCHANT, &params, merchant_found);
}

ENDPOINT(payment_merchants, { "GET", merchants_get, ACCESS_USER })
ENDPOINT(payment_merchant, { "GET", merchant_get, ACCESS_USER })
