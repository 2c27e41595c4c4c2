/* See reply_transaction.h. */
#include "payment/reply_transaction.h"

#include <string.h>

#include "domain/rfc3339.h"
#include "domain/transaction.h"

void
reply_member_id(
    struct json_writer *writer, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id, text);
	json_put_member_string(writer, key, text);
}

void
reply_member_time(struct json_writer *writer, const char *key, int64_t unix_ms)
{
	char text[RFC3339_SIZE];

	rfc3339_format(unix_ms * 1000, text);
	json_put_member_string(writer, key, text);
}

static void
put_detail(struct json_writer *writer, const struct transaction *transaction)
{
	reply_member_id(writer, "user_id", &transaction->user_id);
	reply_member_id(writer, "account_id", &transaction->account_id);
	json_put_member_string(
	    writer, "external_reference", transaction->external_reference);
	json_put_key(writer, "metadata");
	if (transaction->metadata == NULL)
		json_put_null(writer);
	else
		json_put_raw(writer, transaction->metadata,
		    strlen(transaction->metadata));
	json_put_member_bool(writer, "is_accessible_external",
	    transaction->is_accessible_external);
	reply_member_time(writer, "updated_at", transaction->updated_ms);
}

void
transaction_trx_id(
    const struct transaction *transaction, char trx_id[TRX_ID_SIZE])
{
	static const enum trx_id_suffix suffixes[PAYMENT_METHODS] = {
		[PAYMENT_METHOD_GOPAY] = TRX_ID_GOPAY,
		[PAYMENT_METHOD_SHOPEE_PAY] = TRX_ID_SHOPEEPAY,
	};
	enum payment_method method;

	trx_id_format(&transaction->id,
	    payment_method_read(transaction->payment_method, &method)
		? suffixes[method]
		: TRX_ID_PLAIN,
	    trx_id);
}

void
reply_transaction_members(struct json_writer *writer,
    const struct transaction *transaction, bool detail)
{
	char trx_id[TRX_ID_SIZE];

	transaction_trx_id(transaction, trx_id);
	reply_member_id(writer, "id", &transaction->id);
	json_put_member_string(writer, "transaction_id", trx_id);
	json_put_member_string(writer, "transaction_type", transaction->type);
	json_put_member_string(
	    writer, "transaction_status", transaction->status);
	json_put_member_money(writer, "amount", transaction->amount_minor);
	json_put_member_money(
	    writer, "balance_before", transaction->balance_before_minor);
	json_put_member_money(
	    writer, "balance_after", transaction->balance_after_minor);
	json_put_member_string(writer, "currency", "IDR");
	json_put_member_string(
	    writer, "payment_method", transaction->payment_method);
	json_put_member_string(writer, "description", transaction->description);
	reply_member_time(writer, "created_at", transaction->created_ms);
	if (detail)
		put_detail(writer, transaction);
}

void
reply_transaction(struct json_writer *writer,
    const struct transaction *transaction, bool detail)
{
	json_put_object_begin(writer);
	reply_transaction_members(writer, transaction, detail);
	json_put_object_end(writer);
}

static const char *
text_of(const PGresult *rows, int row, const char *column)
{
	int at = pg_column(rows, column);

	return pg_is_null(rows, row, at) ? NULL : pg_text(rows, row, at);
}

static int64_t
number_of(const PGresult *rows, int row, const char *column)
{
	int at = pg_column(rows, column);

	return pg_is_null(rows, row, at) ? 0 : pg_int(rows, row, at);
}

static struct uuid
uuid_of(const PGresult *rows, int row, const char *column)
{
	const char *text = text_of(rows, row, column);
	struct uuid id = { { 0 } };

	if (text == NULL || !uuid_parse(text, strlen(text), &id))
		memset(&id, 0, sizeof(id));
	return id;
}

void
transaction_read(const PGresult *rows, int row, struct transaction *transaction)
{
	*transaction = (struct transaction){
		.id = uuid_of(rows, row, "id"),
		.type = text_of(rows, row, "type"),
		.status = text_of(rows, row, "status"),
		.amount_minor = number_of(rows, row, "amount"),
		.balance_before_minor = number_of(rows, row, "balance_before"),
		.balance_after_minor = number_of(rows, row, "balance_after"),
		.payment_method = text_of(rows, row, "payment_method"),
		.description = text_of(rows, row, "description"),
		.created_ms = number_of(rows, row, "created_ms"),
		.user_id = uuid_of(rows, row, "user_id"),
		.account_id = uuid_of(rows, row, "account_id"),
		.external_reference = text_of(rows, row, "external_reference"),
		.metadata = text_of(rows, row, "metadata"),
		.is_accessible_external = pg_bool(
		    rows, row, pg_column(rows, "is_accessible_external")),
		.updated_ms = number_of(rows, row, "updated_ms"),
		.sequence = number_of(rows, row, "sequence"),
		.row_id = uuid_of(rows, row, "row_id"),
	};
}
