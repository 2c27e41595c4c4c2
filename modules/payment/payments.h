/*
 * What the routes of one payment share: its id in the path, and the answers of
 * its SQL functions.
 */
#ifndef ONEGATE_PAYMENT_PAYMENTS_H
#define ONEGATE_PAYMENT_PAYMENTS_H

#include "web/request.h"

/* The payment that the path names (part 3), as uuid or TRX-...; false: it has
 * replied 404. */
bool payment_path_id(struct request *request, struct uuid *id);

/* True when ANSWER has a payment that did what was asked; marks a replay.
 * Else it has replied. */
bool payment_ok(struct request *request, const struct pg_answer *answer);

#endif
