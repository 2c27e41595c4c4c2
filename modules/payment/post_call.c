/* See post_call.h; sql/README.md has the call and its codes. */
#include "payment/post_call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/digest.h"

const struct pg_statement post_call_statements[] = {
	{ "payment_post",
	    "select item, code, replayed, row_id, operation, amount,"
	    " debit_balance, credit_balance, debit_held, credit_held, "
	    "created_ms"
	    " from payment.post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
	    " $12, $13, hashes => $14)" },
	{ NULL, NULL }
};

enum post_column {
	COLUMN_ITEM,
	COLUMN_CODE,
	COLUMN_REPLAYED,
	COLUMN_ROW_ID,
	COLUMN_OPERATION,
	COLUMN_AMOUNT,
	COLUMN_DEBIT_BALANCE,
	COLUMN_CREDIT_BALANCE,
	COLUMN_DEBIT_HELD,
	COLUMN_CREDIT_HELD,
	COLUMN_CREATED_MS,
	COLUMN_COUNT
};

/* Codes of payment.post, by their number. */
static const enum error_code errors[] = {
	ERROR_NONE,
	ERROR_SELF_TRANSFER,
	ERROR_AMOUNT_OUT_OF_RANGE,
	ERROR_UNKNOWN_RECEIVER,
	ERROR_ACCOUNT_SUSPENDED,
	ERROR_ACCOUNT_CLOSED,
	ERROR_RECEIVER_UNAVAILABLE,
	ERROR_CURRENCY_MISMATCH,
	ERROR_INSUFFICIENT_FUNDS,
	ERROR_LIMIT_EXCEEDED,
	ERROR_RECEIVER_LIMIT_EXCEEDED,
	ERROR_SENDER_UNREGISTERED,
	ERROR_KEY_REUSED,
	ERROR_PAYMENT_NOT_FOUND,
	ERROR_PAYMENT_NOT_PENDING,
	ERROR_PAYMENT_EXPIRED,
	ERROR_PAYMENT_NOT_REFUNDABLE,
	ERROR_REFUND_EXCEEDS_PAYMENT,
	ERROR_MERCHANT_FUNDS_SHORT,
	ERROR_OPERATION_NOT_FOUND,
	ERROR_OPERATION_NOT_PENDING,
	ERROR_KEY_IN_PROGRESS,
	ERROR_MERCHANT_NOT_FOUND,
	ERROR_QRIS_LIMIT_EXCEEDED,
	ERROR_DUPLICATE_REFERENCE,
	ERROR_WALLET_NOT_LINKED,
};

#define ERRORS (sizeof(errors) / sizeof(errors[0]))

enum error_code
post_call_error(int code)
{
	return code >= 0 && (size_t)code < ERRORS ? errors[code]
						  : ERROR_INTERNAL;
}

int16_t
post_call_code(enum error_code error)
{
	for (size_t i = 0; i < ERRORS; i++) {
		if (errors[i] == error)
			return (int16_t)i;
	}
	assert(!"an error that payment.post does not know");
	return 0;
}

static int
account_order(const void *a, const void *b)
{
	return uuid_compare(a, b);
}

/* The distinct accounts of the items, ascending. */
static int
accounts_of(struct posting *const items[], int count,
    struct uuid accounts[2 * POST_CALL_MAX])
{
	int all = 0, distinct = 0;

	assert(count > 0 && count <= POST_CALL_MAX);
	for (int i = 0; i < count; i++) {
		accounts[all++] = items[i]->debit;
		accounts[all++] = items[i]->credit;
	}
	qsort(accounts, (size_t)all, sizeof(*accounts), account_order);
	for (int i = 0; i < all; i++) {
		if (distinct == 0 ||
		    !uuid_equal(&accounts[distinct - 1], &accounts[i]))
			accounts[distinct++] = accounts[i];
	}
	return distinct;
}

/* The index of ACCOUNT, counted from 1 as SQL does. */
static int32_t
place_of(const struct uuid *account, const struct uuid *accounts, int count)
{
	const struct uuid *found = bsearch(
	    account, accounts, (size_t)count, sizeof(*accounts), account_order);

	return (int32_t)(found - accounts) + 1;
}

static void
put_texts(struct pg_params *params, struct posting *const items[], int count)
{
	pg_array_begin(params, PG_OID_TEXT, count);
	for (int i = 0; i < count; i++) {
		if (items[i]->description == NULL)
			pg_array_null(params);
		else
			pg_array_text(params, items[i]->description,
			    strlen(items[i]->description));
	}
	pg_array_end(params);
}

static void
put_keys(struct pg_params *params, struct posting *const items[], int count)
{
	pg_array_begin(params, PG_OID_TEXT, count);
	for (int i = 0; i < count; i++)
		pg_array_text(params, items[i]->scope, strlen(items[i]->scope));
	pg_array_end(params);
	pg_array_begin(params, PG_OID_TEXT, count);
	for (int i = 0; i < count; i++) {
		if (items[i]->key == NULL)
			pg_array_null(params);
		else
			pg_array_text(
			    params, items[i]->key, items[i]->key_length);
	}
	pg_array_end(params);
	pg_array_begin(params, PG_OID_BYTEA, count);
	for (int i = 0; i < count; i++) {
		if (items[i]->key == NULL)
			pg_array_null(params);
		else
			pg_array_bytea(params, items[i]->fingerprint,
			    sizeof(items[i]->fingerprint));
	}
	pg_array_end(params);
}

/* What the journal finds a key by: payment.key_hash of SQL, made here because it
 * costs PostgreSQL 2 us a key. */
static struct uuid
key_hash(const struct posting *item)
{
	char text[POSTING_SCOPE_SIZE + POSTING_KEY_MAX];
	size_t scope = strlen(item->scope);
	uint8_t digest[DIGEST_SHA256_SIZE];
	struct uuid hash;

	assert(item->key_length <= POSTING_KEY_MAX);
	memcpy(text, item->scope, scope);
	text[scope] = '\x1f';
	memcpy(text + scope + 1, item->key, item->key_length);
	digest_sha256(text, scope + 1 + item->key_length, digest);
	memcpy(hash.bytes, digest, sizeof(hash.bytes));
	return hash;
}

static void
put_hashes(struct pg_params *params, struct posting *const items[], int count)
{
	pg_array_begin(params, PG_OID_UUID, count);
	for (int i = 0; i < count; i++) {
		struct uuid hash;

		if (items[i]->key == NULL) {
			pg_array_null(params);
			continue;
		}
		hash = key_hash(items[i]);
		pg_array_uuid(params, &hash);
	}
	pg_array_end(params);
}

static void
put_refusals(struct pg_params *params, struct posting *const items[], int count)
{
	pg_array_begin(params, PG_OID_INT2, count);
	for (int i = 0; i < count; i++)
		pg_array_int2(params, post_call_code(items[i]->refuse_with));
	pg_array_end(params);
}

static void
put_sides(struct pg_params *params, struct posting *const items[], int count,
    const struct uuid *accounts, int distinct)
{
	pg_array_begin(params, PG_OID_INT4, count);
	for (int i = 0; i < count; i++)
		pg_array_int4(
		    params, place_of(&items[i]->debit, accounts, distinct));
	pg_array_end(params);
	pg_array_begin(params, PG_OID_INT4, count);
	for (int i = 0; i < count; i++)
		pg_array_int4(
		    params, place_of(&items[i]->credit, accounts, distinct));
	pg_array_end(params);
}

void
post_call_write(struct pg_params *params, struct posting *const items[],
    int count, bool lost)
{
	struct uuid accounts[2 * POST_CALL_MAX];
	int distinct = accounts_of(items, count, accounts);

	pg_array_begin(params, PG_OID_UUID, distinct);
	for (int i = 0; i < distinct; i++)
		pg_array_uuid(params, &accounts[i]);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_UUID, count);
	for (int i = 0; i < count; i++)
		pg_array_uuid(params, &items[i]->id);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_INT2, count);
	for (int i = 0; i < count; i++)
		pg_array_int2(params, (int16_t)items[i]->kind);
	pg_array_end(params);
	put_sides(params, items, count, accounts, distinct);
	pg_array_begin(params, PG_OID_INT8, count);
	for (int i = 0; i < count; i++)
		pg_array_int8(params, items[i]->amount_minor);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_UUID, count);
	for (int i = 0; i < count; i++) {
		if (uuid_is_zero(&items[i]->operation))
			pg_array_null(params);
		else
			pg_array_uuid(params, &items[i]->operation);
	}
	pg_array_end(params);
	put_texts(params, items, count);
	put_keys(params, items, count);
	put_refusals(params, items, count);
	pg_put_bool(params, lost);
	put_hashes(params, items, count);
}

static int64_t
number_or_zero(const PGresult *rows, int row, int column)
{
	return pg_is_null(rows, row, column) ? 0
					     : pg_binary_int(rows, row, column);
}

static void
item_read(const PGresult *rows, int row, struct posting *item)
{
	item->error =
	    post_call_error((int)pg_binary_int(rows, row, COLUMN_CODE));
	item->replayed = *PQgetvalue(rows, row, COLUMN_REPLAYED) != 0;
	item->row_id = pg_binary_uuid(rows, row, COLUMN_ROW_ID);
	if (!pg_is_null(rows, row, COLUMN_OPERATION))
		item->row_operation =
		    pg_binary_uuid(rows, row, COLUMN_OPERATION);
	item->row_amount_minor = number_or_zero(rows, row, COLUMN_AMOUNT);
	item->debit_balance_minor =
	    number_or_zero(rows, row, COLUMN_DEBIT_BALANCE);
	item->credit_balance_minor =
	    number_or_zero(rows, row, COLUMN_CREDIT_BALANCE);
	item->debit_held_minor = number_or_zero(rows, row, COLUMN_DEBIT_HELD);
	item->credit_held_minor = number_or_zero(rows, row, COLUMN_CREDIT_HELD);
	item->created_ms = number_or_zero(rows, row, COLUMN_CREATED_MS);
}

bool
post_call_read(const PGresult *rows, struct posting *const items[], int count)
{
	if (PQnfields(rows) != COLUMN_COUNT || PQntuples(rows) != count)
		return false;
	for (int row = 0; row < count; row++) {
		int64_t item = pg_binary_int(rows, row, COLUMN_ITEM);

		if (item < 1 || item > count)
			return false;
		item_read(rows, row, items[item - 1]);
	}
	return true;
}
