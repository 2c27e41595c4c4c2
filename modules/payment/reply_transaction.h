/*
 * The transaction object of the contract, written in one place: in answers of
 * money-moving requests, in a user's history, in detail.
 */
#ifndef ONEGATE_PAYMENT_REPLY_TRANSACTION_H
#define ONEGATE_PAYMENT_REPLY_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/json.h"
#include "domain/trx_id.h"
#include "domain/uuid.h"
#include "io/pg.h"

/* One transaction as one of its two sides sees it. Texts are the caller's. */
struct transaction {
	struct uuid id;
	const char *type; /* TOPUP, PAYMENT, REFUND, TRANSFER */
	const char *status; /* PENDING, SUCCESS, FAILED, CANCELLED */
	int64_t amount_minor;
	int64_t balance_before_minor, balance_after_minor; /* the viewer's */
	const char *payment_method; /* GOPAY, SHOPEE_PAY or NULL */
	const char *description; /* or NULL */
	int64_t created_ms; /* Unix ms */
	/* in detail */
	struct uuid user_id, account_id; /* the viewer's */
	const char *external_reference; /* or NULL */
	const char *metadata; /* JSON, or NULL */
	bool is_accessible_external;
	int64_t updated_ms;
	int64_t sequence; /* in the viewer's account */
	struct uuid row_id; /* the journal row that began it */
};

/* The public id, with the suffix of the wallet that took part. */
void transaction_trx_id(
    const struct transaction *transaction, char trx_id[TRX_ID_SIZE]);

/* Writes one object. */
void reply_transaction(struct json_writer *writer,
    const struct transaction *transaction, bool detail);
/* Its members without the braces, for objects that hold more. */
void reply_transaction_members(struct json_writer *writer,
    const struct transaction *transaction, bool detail);

/* Writes KEY with UNIX_MS as RFC 3339, and KEY with an id. */
void reply_member_time(
    struct json_writer *writer, const char *key, int64_t unix_ms);
void reply_member_id(
    struct json_writer *writer, const char *key, const struct uuid *id);

/* Reads row ROW of an answer with the columns of payment.transaction_of and
 * transactions_of (text results). Texts live as long as ROWS. */
void transaction_read(
    const PGresult *rows, int row, struct transaction *transaction);

#endif
