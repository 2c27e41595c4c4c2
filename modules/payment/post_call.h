/*
 * payment.post on the wire: a batch as binary arrays, its answer as items.
 */
#ifndef ONEGATE_PAYMENT_POST_CALL_H
#define ONEGATE_PAYMENT_POST_CALL_H

#include "payment/posting.h"

#define POST_CALL_MAX 256 /* items of one call */

/* The statement table of the posting connections; statement 0 is post. */
extern const struct pg_statement post_call_statements[];

/* Puts COUNT items into PARAMS: the distinct accounts sorted once, the items
 * with indexes into them. LOST: some may stand in the journal already. */
void post_call_write(struct pg_params *params, struct posting *const items[],
    int count, bool lost);

/* Reads one row an item into the items' answers. False when ROWS are not an
 * answer of payment.post to COUNT items; nothing may be believed then. */
bool post_call_read(
    const PGresult *rows, struct posting *const items[], int count);

/* The error of a code of payment.post; 0 is ERROR_NONE. */
enum error_code post_call_error(int code);
/* The other way round; 0 for ERROR_NONE. */
int16_t post_call_code(enum error_code error);

#endif
