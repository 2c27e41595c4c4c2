/*
 * Takes up what is open or past its time: provider operations without an
 * outcome (asked about or repeated, less and less often, and given to people
 * in the end), payments that nobody processed, records that need not be kept,
 * the journal's next months. Every worker has one; the database lets no two
 * take the same operation.
 */
#ifndef ONEGATE_PAYMENT_JANITOR_H
#define ONEGATE_PAYMENT_JANITOR_H

void janitor_start(void);
void janitor_stop(void);

#endif
