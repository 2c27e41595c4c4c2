/*
 * A background job: one straight-line function in its own thread, for work
 * that follows a stream (relay, consumer). It blocks as it likes, asks
 * job_stopping often, and waits by job_wait so that a stop wakes it.
 */
#ifndef ONEGATE_IO_JOB_H
#define ONEGATE_IO_JOB_H

#include <stdbool.h>
#include <stdint.h>

struct job;
typedef void (*job_fn)(struct job *job, void *owner);

/* NAME is kept. NULL when there is no thread for it (the log says so). */
struct job *job_start(const char *name, job_fn run, void *owner);
/* Asks it to stop and waits until it has. NULL is fine. */
void job_stop(struct job *job);

bool job_stopping(const struct job *job);
/* Waits TIMEOUT_MS or until asked to stop; true when asked to stop. */
bool job_wait(struct job *job, uint32_t timeout_ms);

#endif
