/*
 * Provider operations: top-ups out and charges in, and what a provider's
 * answer makes of them. The state machine itself and every rule about money
 * stand in sql/functions; whoever learns an outcome first (the request, a
 * notification, the janitor) decides it here, once: a second decision changes
 * nothing and is told what stands.
 */
#ifndef ONEGATE_PAYMENT_OPERATIONS_H
#define ONEGATE_PAYMENT_OPERATIONS_H

#include "io/pg.h"
#include "payment/providers.h"
#include "payment/reply_transaction.h"

#define OPERATION_STATE_SIZE 12
#define OPERATION_EXTERNAL_SIZE 256

struct provider_operation {
	struct uuid id;
	bool out; /* money to the wallet; false: from it */
	struct provider_call call; /* what repeats or begins it */
	struct uuid account_id, user_id;
	char state[OPERATION_STATE_SIZE]; /* PENDING, SUCCESS, ... */
	int64_t balance_before_minor, balance_after_minor;
	int attempts;
	bool escalated; /* its money stands in suspense */
	int64_t created_ms, updated_ms; /* Unix ms */
};

/* Reads row ROW with the columns of sql/README.md, Provider operations. */
void operation_read(
    const PGresult *rows, int row, struct provider_operation *operation);

/* OPERATION as its owner's transaction; DESCRIPTION may be NULL. */
void operation_transaction(const struct provider_operation *operation,
    const char *description, struct transaction *transaction);

/* OPERATION is what stands now; NULL: the database did not answer, and the
 * janitor will come to it. Valid during the callback. */
typedef void (*operation_done_fn)(
    void *owner, const struct provider_operation *operation);

/*
 * Writes what ANSWER says about OPERATION: settles, releases, credits, fails,
 * or leaves it open with its next attempt. FIRST: no earlier call can have
 * reached the provider, so that NOT_TAKEN is a failure and not a riddle.
 * DONE runs exactly once, never inside.
 */
void operation_decide(const struct provider_operation *operation, bool first,
    const struct provider_answer *answer, operation_done_fn done, void *owner);

/* How many outcomes of PROVIDER were written by this worker: what was heard of
 * a wallet before may have changed with each. */
uint64_t operations_decided(enum provider provider);

#endif
