/* See reply_payment.h. */
#include "payment/reply_payment.h"

#include <string.h>

#include "payment/reply_transaction.h"

static void
put_text(struct json_writer *writer, const char *key, const PGresult *rows,
    int row, const char *column)
{
	int at = pg_column(rows, column);

	json_put_member_string(writer, key,
	    pg_is_null(rows, row, at) ? NULL : pg_text(rows, row, at));
}

/* A column that holds JSON already. */
static void
put_json(
    struct json_writer *writer, const PGresult *rows, int row, const char *name)
{
	int at = pg_column(rows, name);
	const char *text = pg_text(rows, row, at);

	json_put_key(writer, name);
	if (pg_is_null(rows, row, at))
		json_put_null(writer);
	else
		json_put_raw(writer, text, strlen(text));
}

static int64_t
number_of(const PGresult *rows, int row, const char *column)
{
	int at = pg_column(rows, column);

	return pg_is_null(rows, row, at) ? 0 : pg_int(rows, row, at);
}

void
reply_payment(
    struct json_writer *writer, const PGresult *rows, int row, bool now)
{
	int description = pg_column(rows, "description");
	const char *id = pg_text(rows, row, pg_column(rows, "id"));
	struct transaction transaction = {
		.type = "PAYMENT",
		.status = pg_text(rows, row, pg_column(rows, "state")),
		.amount_minor = number_of(rows, row, "amount"),
		.balance_before_minor = number_of(rows, row, "balance_before"),
		.balance_after_minor = number_of(rows, row, "balance_after"),
		.description = pg_is_null(rows, row, description)
		    ? NULL
		    : pg_text(rows, row, description),
		.created_ms = number_of(rows, row, "created_ms"),
	};

	(void)uuid_parse(id, strlen(id), &transaction.id);
	json_put_object_begin(writer);
	reply_transaction_members(writer, &transaction, false);
	json_put_member_string(writer, "status", transaction.status);
	put_text(writer, "merchant_id", rows, row, "merchant_id");
	put_text(writer, "merchant_name", rows, row, "merchant_name");
	put_json(writer, rows, row, "items");
	put_json(writer, rows, row, "metadata");
	reply_member_time(
	    writer, "expires_at", number_of(rows, row, "expires_ms"));
	if (now) {
		json_put_member_money(writer, "refunded_amount",
		    number_of(rows, row, "refunded"));
		reply_member_time(
		    writer, "updated_at", number_of(rows, row, "updated_ms"));
	}
	json_put_object_end(writer);
}
