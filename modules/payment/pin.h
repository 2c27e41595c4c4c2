/*
 * The PIN of a user for large amounts: header X-Payment-Pin, asked for from
 * ONEGATE_PIN_THRESHOLD rupiah (0: never).
 */
#ifndef ONEGATE_PAYMENT_PIN_H
#define ONEGATE_PAYMENT_PIN_H

#include "web/request.h"

/* NEXT when AMOUNT_MINOR needs no PIN or the right one was given; else it has
 * replied: 403 pin_required, pin_not_set or pin_wrong, 429 pin_blocked. */
void pin_confirm(struct request *request, int64_t amount_minor, step_fn next);

/* False when no amount ever needs a PIN. */
bool pin_configured(void);

#endif
