/*
 * GET /api/transaction/histories and .../{id}: what the regulators read.
 * A page comes by cursor (stable, any depth) or by number (bounded). Only rows
 * with is_accessible_external exist for them.
 */
#include "transaction/histories.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/cursor.h"
#include "domain/transaction.h"
#include "transaction/api_client.h"
#include "transaction/store.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#define SIZE_DEFAULT 20
#define SIZE_MOST 100
#define PAGED_ROWS_MOST 10000 /* deeper needs the cursor */
#define OFFSET_MOST 1000000 /* nobody turns so many pages */
#define TOO_DEEP "too deep for page: follow next_cursor instead"
#define PAGE_DIGITS_MOST 12

struct filter {
	const char *type, *status, *payment_method, *cursor, *page;
	int64_t size, from_ms, to_ms;
};

/* One list in the making: the visit's state. */
struct listing {
	struct filter filter;
	int64_t first_page; /* 1, and 0 at the older path */
	int64_t page; /* as asked */
	bool by_page;
	int64_t before_us; /* keyset position, 0: from the newest */
	struct uuid before_id;
	int64_t total;
	char watermark[40];
};

static const struct input_field fields[] = {
	{ "type", INPUT_TEXT, false, offsetof(struct filter, type), 0, 32 },
	{ "status", INPUT_TEXT, false, offsetof(struct filter, status), 0, 32 },
	{ "payment_method", INPUT_TEXT, false,
	    offsetof(struct filter, payment_method), 0, 32 },
	{ "cursor", INPUT_TEXT, false, offsetof(struct filter, cursor), 0,
	    512 },
	{ "page", INPUT_TEXT, false, offsetof(struct filter, page), 0,
	    PAGE_DIGITS_MOST },
	{ "size", INPUT_INTEGER, false, offsetof(struct filter, size), 1,
	    SIZE_MOST },
	{ "from_date", INPUT_TIME, false, offsetof(struct filter, from_ms), 0,
	    0 },
	{ "to_date", INPUT_TIME, false, offsetof(struct filter, to_ms), 0, 0 },
};

static void list_begin(struct request *request, int64_t first_page);
static void list_counted(
    struct request *request, const struct pg_answer *answer);
static void list_found(struct request *request, const struct pg_answer *answer);
static void detail_found(
    struct request *request, const struct pg_answer *answer);

static void
list(struct request *request)
{
	list_begin(request, 1);
}

static void
list_from_zero(struct request *request)
{
	list_begin(request, 0);
}

static void
check_word(struct request *request, const char *field, const char *word,
    bool (*known)(const char *), const char *message)
{
	if (word != NULL && !known(word))
		input_refuse(request, field, message);
}

/* Rows before the page. */
static int64_t
page_offset(const struct listing *listing)
{
	return (listing->page - listing->first_page) * listing->filter.size;
}

static void
check_page(struct request *request, struct listing *listing)
{
	const char *text = listing->filter.page;
	char *end;

	listing->page = listing->first_page;
	listing->by_page = listing->filter.cursor == NULL;
	if (text == NULL)
		return;
	listing->page = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' ||
	    listing->page < listing->first_page) {
		input_refuse(request, "page",
		    listing->first_page == 1 ? "a whole number from 1"
					     : "a whole number from 0");
		return;
	}
	if (listing->filter.cursor != NULL)
		input_refuse(request, "page", "give page or cursor, not both");
	else if (page_offset(listing) >= OFFSET_MOST)
		input_refuse(request, "page", TOO_DEEP);
}

static void
check_cursor(struct request *request, struct listing *listing)
{
	const char *text = listing->filter.cursor;

	if (text != NULL &&
	    !cursor_read(
		text, strlen(text), &listing->before_us, &listing->before_id))
		input_refuse(
		    request, "cursor", "use next_cursor of the page before");
}

static void
check(struct request *request, struct listing *listing)
{
	struct filter *filter = &listing->filter;

	check_word(request, "type", filter->type, transaction_type_known,
	    "TOPUP, PAYMENT, REFUND or TRANSFER");
	check_word(request, "status", filter->status, transaction_status_known,
	    "PENDING, SUCCESS, FAILED or CANCELLED");
	check_word(request, "payment_method", filter->payment_method,
	    payment_method_known, "GOPAY or SHOPEE_PAY");
	if (filter->to_ms != INPUT_NO_TIME && filter->from_ms > filter->to_ms)
		input_refuse(request, "to_date", "not before from_date");
	if (filter->size == 0)
		filter->size = SIZE_DEFAULT;
	check_page(request, listing);
	check_cursor(request, listing);
}

static void
put_filter(struct pg_params *params, const struct filter *filter)
{
	pg_put_text(params, filter->type);
	pg_put_text(params, filter->status);
	pg_put_text(params, filter->payment_method);
	pg_put_int8_or_null(params, filter->from_ms, INPUT_NO_TIME);
	pg_put_int8_or_null(params, filter->to_ms, INPUT_NO_TIME);
}

static void
list_begin(struct request *request, int64_t first_page)
{
	struct visit *visit = request->state;
	struct listing *listing;
	struct pg_params params;

	if (!api_client_permitted(request, PERMISSION_READ_TRANSACTIONS))
		return;
	listing = request_alloc(request, sizeof(*listing));
	listing->first_page = first_page;
	listing->filter.from_ms = listing->filter.to_ms = INPUT_NO_TIME;
	visit->state = listing;
	if (!input_query(
		request, fields, INPUT_COUNT(fields), &listing->filter))
		return;
	check(request, listing);
	if (!input_valid(request))
		return;
	pg_params_init(&params);
	put_filter(&params, &listing->filter);
	request_sql(
	    request, store_pool(), STORE_COUNT, &params, false, list_counted);
}

/* The members of meta that do not depend on the rows. */
static struct json_writer *
list_reply(struct request *request, const struct listing *listing)
{
	struct json_writer *writer = reply_begin(request, 200, "Transactions");

	reply_meta_int(request, "size", listing->filter.size);
	if (listing->by_page) {
		reply_meta_int(request, "page", listing->page);
		reply_meta_int(request, "total", listing->total);
	}
	reply_meta_text(request, "watermark",
	    *listing->watermark == '\0' ? NULL : listing->watermark);
	return writer;
}

/* A page past the end is empty; one that is deep within is read by cursor
 * only. False: it has replied. */
static bool
page_reachable(struct request *request, const struct listing *listing)
{
	int64_t offset = page_offset(listing);
	struct json_writer *writer;

	if (offset < PAGED_ROWS_MOST)
		return true;
	if (offset < listing->total) {
		input_refuse(request, "page", TOO_DEEP);
		return input_valid(request);
	}
	writer = list_reply(request, listing);
	reply_meta_text(request, "next_cursor", NULL);
	json_put_array_begin(writer);
	json_put_array_end(writer);
	reply_end(request);
	return false;
}

static void
list_counted(struct request *request, const struct pg_answer *answer)
{
	struct visit *visit = request->state;
	struct listing *listing = visit->state;
	struct pg_params params;

	if (!request_sql_ok(request, answer))
		return;
	listing->total = pg_int(answer->rows, 0, 0);
	snprintf(listing->watermark, sizeof(listing->watermark), "%s",
	    pg_text(answer->rows, 0, 1));
	if (!page_reachable(request, listing))
		return;
	pg_params_init(&params);
	put_filter(&params, &listing->filter);
	if (listing->before_us == 0) {
		pg_put_null(&params);
		pg_put_null(&params);
	} else {
		pg_put_int8(&params, listing->before_us);
		pg_put_uuid(&params, &listing->before_id);
	}
	pg_put_int8(&params, listing->filter.size + 1);
	pg_put_int8(&params, page_offset(listing));
	request_sql(
	    request, store_pool(), STORE_PAGE, &params, false, list_found);
}

static void
put_text(struct json_writer *writer, const PGresult *rows, int row,
    const char *column)
{
	int at = pg_column(rows, column);

	json_put_key(writer, column);
	if (pg_is_null(rows, row, at))
		json_put_null(writer);
	else
		json_put_string(writer, pg_text(rows, row, at));
}

/* Numbers, booleans and jsonb come from PostgreSQL as JSON already. */
static void
put_raw(struct json_writer *writer, const PGresult *rows, int row,
    const char *column)
{
	int at = pg_column(rows, column);
	const char *text = pg_text(rows, row, at);

	json_put_key(writer, column);
	if (pg_is_null(rows, row, at))
		json_put_null(writer);
	else
		json_put_raw(writer, text, strlen(text));
}

void
histories_put(
    struct json_writer *writer, const PGresult *rows, int row, bool detail)
{
	static const char *const texts[] = { "id", "transaction_id",
		"transaction_type", "transaction_status", "currency",
		"payment_method", "description", "created_at" };
	static const char *const amounts[] = { "amount", "balance_before",
		"balance_after" };

	json_put_object_begin(writer);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_text(writer, rows, row, texts[i]);
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		put_raw(writer, rows, row, amounts[i]);
	put_text(writer, rows, row, "user_id");
	put_text(writer, rows, row, "account_id");
	put_raw(writer, rows, row, "is_accessible_external");
	if (detail) {
		put_text(writer, rows, row, "external_reference");
		put_raw(writer, rows, row, "metadata");
		put_text(writer, rows, row, "updated_at");
	}
	json_put_object_end(writer);
}

static void
put_next_cursor(struct request *request, const PGresult *rows, int last)
{
	struct uuid id;
	const char *text = pg_text(rows, last, pg_column(rows, "id"));
	char cursor[CURSOR_TEXT_SIZE];

	uuid_parse(text, strlen(text), &id);
	cursor_write(
	    pg_int(rows, last, pg_column(rows, "created_us")), &id, cursor);
	reply_meta_text(request, "next_cursor", cursor);
}

static void
list_found(struct request *request, const struct pg_answer *answer)
{
	struct visit *visit = request->state;
	struct listing *listing = visit->state;
	struct json_writer *writer;
	int found, shown;

	if (!request_sql_ok(request, answer))
		return;
	found = PQntuples(answer->rows);
	shown =
	    found > listing->filter.size ? (int)listing->filter.size : found;
	writer = list_reply(request, listing);
	if (found > shown)
		put_next_cursor(request, answer->rows, shown - 1);
	else
		reply_meta_text(request, "next_cursor", NULL);
	json_put_array_begin(writer);
	for (int row = 0; row < shown; row++)
		histories_put(writer, answer->rows, row, false);
	json_put_array_end(writer);
	reply_end(request);
}

/* The last part of the path names one transaction: a uuid, or TRX-... */
static void
detail(struct request *request)
{
	const char *name = strrchr(request->path, '/') + 1;
	struct pg_params params;
	struct uuid id;

	if (!api_client_permitted(request, PERMISSION_READ_TRANSACTIONS))
		return;
	pg_params_init(&params);
	if (uuid_parse(name, strlen(name), &id)) {
		pg_put_uuid(&params, &id);
		request_sql(request, store_pool(), STORE_BY_ID, &params, false,
		    detail_found);
		return;
	}
	pg_put_text(&params, name);
	request_sql(request, store_pool(), STORE_BY_TRANSACTION_ID, &params,
	    false, detail_found);
}

static void
detail_found(struct request *request, const struct pg_answer *answer)
{
	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	histories_put(
	    reply_begin(request, 200, "Transaction"), answer->rows, 0, true);
	reply_end(request);
}

ENDPOINT_ADMITTED(
    transaction_histories, api_client_admit, { "GET", list, ACCESS_PUBLIC })
ENDPOINT_ADMITTED(transaction_histories_from_zero, api_client_admit,
    { "GET", list_from_zero, ACCESS_PUBLIC })
ENDPOINT_ADMITTED(
    transaction_nowhere, api_client_nowhere, { "GET", list, ACCESS_PUBLIC })
ENDPOINT_ADMITTED(
    transaction_history, api_client_admit, { "GET", detail, ACCESS_PUBLIC })
