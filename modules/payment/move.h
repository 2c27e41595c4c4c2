/*
 * What every money-moving request has in common: its idempotency key with its
 * scope, its posting, and the answer to a refusal.
 */
#ifndef ONEGATE_PAYMENT_MOVE_H
#define ONEGATE_PAYMENT_MOVE_H

#include "payment/accounts.h"
#include "payment/posting.h"
#include "web/idempotency.h"

/* The first member of request->state of such a request. */
struct move {
	struct account_lookup lookup;
	struct idempotency idempotency;
	struct posting posting;
	step_fn posted;
};

/*
 * Call after input_valid: reads the key and prepares the posting with a new
 * id. The scope of a key is the user and ROUTE ("transfer"); a route with an
 * id in its path gives the id in ROUTE too. False: it has replied.
 */
bool move_begin(
    struct request *request, enum posting_kind kind, const char *route);

/*
 * Posts what stands in the state's posting, then POSTED. A refusal of
 * payment.post is answered here: the catalogue's error, marked as a replay
 * when it is one.
 */
void move_post(struct request *request, step_fn posted);

/* Puts scope, key and fingerprint (three nulls without a key). */
void move_put_key(struct pg_params *params, const struct move *move);

/* Answers with ERROR, which payment.post or a companion gave. */
void move_refuse(struct request *request, enum error_code error, bool replayed);

#endif
