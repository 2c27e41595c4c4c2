/*
 * The follower: reads topic transaction-events and keeps the read model, with
 * its offsets in the transaction that stores the rows, so that each event
 * counts exactly once. A message that cannot be read goes to the dead letters
 * with its reason; no partition ever stands still for one.
 */
#ifndef ONEGATE_TRANSACTION_FOLLOWER_H
#define ONEGATE_TRANSACTION_FOLLOWER_H

#include <stdbool.h>

/* Starts the job; again is fine. */
void follower_start(void);
void follower_stop(void);
/* True while it hears the brokers and stores. */
bool follower_ready(void);

#endif
