/*
 * The relay: publishes the journal to Kafka, topics transaction-events and
 * payment-events. One in the deployment works (advisory lock), the others wait
 * for its place. It follows the journal as the difference of two snapshots: no
 * row is skipped, an account's rows keep their order, a crash repeats one
 * difference at the most.
 */
#ifndef ONEGATE_PAYMENT_RELAY_H
#define ONEGATE_PAYMENT_RELAY_H

#include <stdbool.h>

/* Starts the job; again is fine. */
void relay_start(void);
/* Waits until the round under way has ended. */
void relay_stop(void);
/* True while this process publishes, or waits as another one does. */
bool relay_ready(void);

#endif
