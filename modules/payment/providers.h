/*
 * Calls to GoPay and ShopeePay: what is to be done goes in, what the provider
 * made of it comes out. Messages and their meaning are domain's
 * (domain/provider.h); this file adds tokens (one request for all who wait,
 * renewed early, once more after a 401) and the connection.
 *
 * It must never turn silence into failure: what may have happened is
 * ANSWER_UNKNOWN, and only what cannot have left here is ANSWER_NOT_TAKEN.
 */
#ifndef ONEGATE_PAYMENT_PROVIDERS_H
#define ONEGATE_PAYMENT_PROVIDERS_H

#include "domain/phone.h"
#include "domain/provider.h"

struct provider_call {
	enum provider provider;
	enum provider_exchange_kind kind; /* no token exchange */
	char phone[PHONE_SIZE]; /* canonical */
	char reference[PROVIDER_REFERENCE_MAX + 1]; /* their idempotency key */
	int64_t amount_minor;
};

/* ANSWER is valid during the callback; its outcome is never
 * ANSWER_TOKEN_EXPIRED. */
typedef void (*provider_done_fn)(
    void *owner, const struct provider_answer *answer);

/* Reads keys and settings, once. False: it has logged what is wrong. */
bool providers_init(void);
void providers_done(void);

/* CALL is copied; DONE runs exactly once, seldom before this returns. */
void providers_call(
    const struct provider_call *call, provider_done_fn done, void *owner);

/* The key that PROVIDER signs its notifications with. */
EVP_PKEY *providers_notice_key(enum provider provider);

#endif
