/*
 * The payment object: the members of its transaction, and what was bought
 * where.
 */
#ifndef ONEGATE_PAYMENT_REPLY_PAYMENT_H
#define ONEGATE_PAYMENT_REPLY_PAYMENT_H

#include "domain/json.h"
#include "io/pg.h"

/* Writes row ROW of an answer with the columns of sql/README.md, Payments.
 * NOW false: as a step of its life left it, without what changes later. */
void reply_payment(
    struct json_writer *writer, const PGresult *rows, int row, bool now);

#endif
