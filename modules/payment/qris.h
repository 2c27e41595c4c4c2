/*
 * QRIS codes that a merchant shows (domain/qris.h), as payments use them.
 */
#ifndef ONEGATE_PAYMENT_QRIS_H
#define ONEGATE_PAYMENT_QRIS_H

#include "domain/qris.h"
#include "web/request.h"

/*
 * Reads TEXT, the member "qris" of the body; NULL when it is damaged: the
 * field is refused with what is wrong (input_valid tells). The code lives as
 * long as the request.
 */
const struct qris *qris_read(struct request *request, const char *text);

/*
 * What is to be paid for CODE, in *AMOUNT_MINOR: there the bill that the body
 * named, 0 for none. A code with an amount wants just that; where the payer
 * may add a tip, as much or more. The code's own tip comes on top. Refuses
 * the field "amount" when it does not fit.
 */
void qris_amount(
    struct request *request, const struct qris *code, int64_t *amount_minor);

#endif
