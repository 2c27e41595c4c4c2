/*
 * Which account belongs to whom: the signed-in user's own and the one a
 * sender names. Names are found once and then remembered by this worker, so a
 * transfer needs no query beside its posting. Only names are remembered, never
 * a balance or a status: those are payment.post's, under its locks.
 *
 * A person whom payment has not met yet is met now: payment.open_accounts()
 * follows auth's events, here on a miss and on a timer.
 */
#ifndef ONEGATE_PAYMENT_ACCOUNTS_H
#define ONEGATE_PAYMENT_ACCOUNTS_H

#include "web/request.h"

/* ACCOUNT is NULL when nobody has that name. */
typedef void (*account_step_fn)(
    struct request *request, const struct uuid *account);

/* A look-up on its way. It must be the first member of request->state. */
struct account_lookup {
	account_step_fn next;
	bool opened; /* open_accounts has run for this look-up */
	int statement;
	const char *name; /* canonical */
};

bool accounts_init(void);
void accounts_done(void);

/* The signed-in user's account; replies 503 itself when there is none yet. */
void accounts_own(struct request *request, account_step_fn next);

/* The account of the person whom TO names: a user name without regard to
 * case, a phone in any of its forms, or an account's id. An id is taken as it
 * stands; payment.post, which locks the account, knows whether it is one. */
void accounts_receiver(
    struct request *request, const char *to, account_step_fn next);

#endif
