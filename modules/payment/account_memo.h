/*
 * Which account belongs to whom, as this worker has found it: a table of fixed
 * size in memory. An account keeps its owner for good; names and phones may
 * change hands, so everything is forgotten after ten minutes.
 */
#ifndef ONEGATE_PAYMENT_ACCOUNT_MEMO_H
#define ONEGATE_PAYMENT_ACCOUNT_MEMO_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/uuid.h"

/* What an account was found by. */
enum account_memo_kind {
	ACCOUNT_OF_USER = 1, /* the 16 bytes of the user's id */
	ACCOUNT_OF_NAME, /* a user name's key */
	ACCOUNT_OF_PHONE /* E.164 */
};

/* False when memory is short; again is fine. */
bool account_memo_init(void);
void account_memo_done(void);

/* The account remembered for NAME of LENGTH bytes, or NULL. Valid until the
 * next put. */
const struct uuid *account_memo_find(
    enum account_memo_kind kind, const void *name, size_t length);

/* Remembers it, unless NAME is longer than 47 bytes: such are looked up each
 * time. */
void account_memo_put(enum account_memo_kind kind, const void *name,
    size_t length, const struct uuid *account);

#endif
