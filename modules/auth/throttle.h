/*
 * How often somebody may try: sliding limits per address and per account seen
 * from one address, and a delay that grows with an account's failures. There
 * is no lock: a stranger can slow an account's sign-in down, never close it.
 */
#ifndef ONEGATE_AUTH_THROTTLE_H
#define ONEGATE_AUTH_THROTTLE_H

#include "web/request.h"

enum throttle_kind {
	THROTTLE_LOGIN, /* with an account */
	THROTTLE_REGISTER,
	THROTTLE_REFRESH,
	THROTTLE_SECRET /* a signed-in user's password or PIN, with account */
};

/*
 * Counts one try of KIND from the request's address, and of ACCOUNT (any text
 * that names it; NULL: none) from there; then NEXT. Replies 429 with
 * Retry-After when there were too many.
 */
void throttle(struct request *request, enum throttle_kind kind,
    const char *account, step_fn next);

/*
 * Counts a failure of ACCOUNT, whoever tried; then NEXT, after a delay that
 * doubles from the third failure of a quarter of an hour on.
 */
void throttle_failed(
    struct request *request, const char *account, step_fn next);

#endif
