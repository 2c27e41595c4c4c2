/*
 * What top-ups in and out have in common: the same fields, the same steps
 * (open, call, decide, keep the answer), the same answers.
 */
#ifndef ONEGATE_PAYMENT_TOPUP_H
#define ONEGATE_PAYMENT_TOPUP_H

#include "payment/move.h"
#include "payment/operations.h"

/* The request->state of a top-up. */
struct topup {
	struct move move; /* first */
	int64_t amount_minor;
	const char *method_text, *phone_text, *description;
	struct provider_operation operation;
	enum error_code refuse; /* found before: kept under the key */
	struct provider_answer *answer; /* the provider's */
	int status; /* of our answer */
	enum error_code error;
	const char *data; /* JSON of the answer, or NULL for an error */
};

/* Reads and checks the fields; ROUTE is the scope of its key. False: it has
 * replied. */
bool topup_read(struct request *request, bool out, const char *route);

/* Opens the operation for ACCOUNT and runs it to its answer. */
void topup_run(struct request *request, const struct uuid *account);

#endif
