/*
 * How the process starts, drains and ends, in memory that Kore's parent and
 * its workers share: SIGTERM makes the parent announce the drain, wait until
 * no worker has work left (or ONEGATE_DRAIN_MS), and only then stop Kore.
 */
#ifndef ONEGATE_WEB_LIFECYCLE_H
#define ONEGATE_WEB_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

/* In the parent, before any worker. Ends the process on a failure. */
void lifecycle_parent(void);
/* In each worker, before it takes requests. */
void lifecycle_worker(void);

bool lifecycle_draining(void);
/* True once the listener has to go (ONEGATE_LAME_DUCK_MS are over). */
bool lifecycle_closing(void);
/* True once this worker has to leave; it may have missed the signal. */
bool lifecycle_ending(void);

/* Work of this worker that a drain waits for. */
void lifecycle_alive(int change);
/* The same of all workers. */
int64_t lifecycle_alive_total(void);

/* Milliseconds since the parent started. */
uint64_t lifecycle_uptime_ms(void);

#endif
