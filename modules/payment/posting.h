/*
 * The coalescing worker: postings that arrive while a batch is on its way
 * wait, and go together as the next one. Alone, a posting goes at once.
 *
 * A posting is given to payment.post exactly once as far as money can tell:
 * its id (and its idempotency key, when it has one) makes a repeat harmless,
 * so a lost connection is answered by asking again, never by guessing. A
 * posting always runs to its end, whether its client waits or not.
 *
 * This file must never decide about money: every rule stands in payment.post.
 */
#ifndef ONEGATE_PAYMENT_POSTING_H
#define ONEGATE_PAYMENT_POSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/error.h"
#include "domain/uuid.h"
#include "io/pg.h"

/* What a posting does; numbers are payment.transfers.kind. */
enum posting_kind {
	POSTING_CHARGE = 1,
	POSTING_TOPUP_HOLD = 2,
	POSTING_TOPUP_SETTLE = 3,
	POSTING_TOPUP_RELEASE = 4,
	POSTING_TRANSFER = 5,
	POSTING_PAYMENT = 6,
	POSTING_REFUND = 7,
	POSTING_FEE = 8,
	POSTING_ADJUSTMENT = 9,
	POSTING_CHARGE_OPENED = 10,
	POSTING_PAYMENT_OPENED = 11,
	POSTING_ENDED = 12
};

#define POSTING_SCOPE_SIZE 96
#define POSTING_KEY_MAX 255

struct posting;
/* Runs on the loop, never inside posting_submit. */
typedef void (*posting_done_fn)(struct posting *posting, void *owner);

struct posting {
	/* set by the caller */
	struct uuid id; /* UUIDv7, made by the worker */
	enum posting_kind kind;
	struct uuid debit, credit; /* accounts, different ones */
	int64_t amount_minor; /* 1..MONEY_MAX_MINOR */
	struct uuid operation; /* zero: none */
	const char *description; /* NULL: none */
	const char *key; /* NULL: no replay protection */
	size_t key_length; /* 1..POSTING_KEY_MAX */
	char scope[POSTING_SCOPE_SIZE]; /* user and route */
	uint8_t fingerprint[32];
	/* What payment.post refuses with when the key is new: the caller found
	 * a reason that must be answered the same again. ERROR_NONE: none. */
	enum error_code refuse_with;

	/* the answer */
	enum error_code error; /* ERROR_NONE: posted */
	bool replayed; /* the answer of an earlier request with this key */
	struct uuid row_id; /* the journal row; of the first one in a replay */
	struct uuid row_operation;
	int64_t row_amount_minor;
	int64_t debit_balance_minor, credit_balance_minor; /* after the row */
	int64_t debit_held_minor, credit_held_minor;
	int64_t created_ms; /* Unix ms */

	/* private */
	posting_done_fn done;
	void *owner;
	struct posting *next;
	uint64_t queued_us;
};

/* Connects CONNECTIONS lanes, each with one batch of at most BATCH postings in
 * flight, and lets at most QUEUE postings wait. False: out of memory. */
bool posting_init(const char *conninfo);
void posting_done(void);

/*
 * Queues POSTING, which must stay until DONE has run. False, and DONE never
 * runs, when too many wait: answer 503 overloaded.
 */
bool posting_submit(struct posting *posting, posting_done_fn done, void *owner);

/* True when a lane is connected. */
bool posting_ready(void);

#endif
