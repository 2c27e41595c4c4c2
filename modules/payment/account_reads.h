/*
 * People's accounts read together: all readings that wait when a batch leaves
 * go to the database as one statement, and each request gets its own row. Read
 * from the authority after the request came, like a query of one's own.
 */
#ifndef ONEGATE_PAYMENT_ACCOUNT_READS_H
#define ONEGATE_PAYMENT_ACCOUNT_READS_H

#include "web/request.h"

/* Columns of the rows, binary. */
enum account_column {
	ACCOUNT_ID,
	ACCOUNT_AVAILABLE,
	ACCOUNT_HELD,
	ACCOUNT_CURRENCY,
	ACCOUNT_STATUS,
	ACCOUNT_CREATED_MS,
	ACCOUNT_UPDATED_MS
};

/* ROWS are valid during the call. ROW is -1 when the person has no account. */
typedef void (*account_row_fn)(
    struct request *request, const PGresult *rows, int row);

/* Reads the signed-in user's account. Replies 503 itself when the database
 * does not answer or too many wait. */
void account_read(struct request *request, account_row_fn next);

#endif
