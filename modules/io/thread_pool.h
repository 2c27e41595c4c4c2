/*
 * A bounded pool of threads for work that burns a core (Argon2id), so that
 * the loop never does. Threads are nice 10, with all signals blocked.
 */
#ifndef ONEGATE_IO_THREAD_POOL_H
#define ONEGATE_IO_THREAD_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct thread_pool;

/* Runs on a pool thread. SCRATCH is the thread's own permanent memory. */
typedef void (*thread_work_fn)(void *job, void *scratch, size_t scratch_size);
/* Runs on the loop afterwards. */
typedef void (*thread_done_fn)(void *job);

/* THREADS 1..64, QUEUE 1..65536, SCRATCH_SIZE in bytes for each thread (page
 * aligned). NULL when threads cannot be had (the log says so). */
struct thread_pool *thread_pool_new(
    int threads, int queue, size_t scratch_size);
/* Lets all accepted jobs run and tells them. NULL is fine. On the loop. */
void thread_pool_free(struct thread_pool *pool);

/* False when the queue is full: answer 503. */
bool thread_pool_submit(struct thread_pool *pool, thread_work_fn work,
    thread_done_fn done, void *job);

/* Accepted jobs that no thread has taken yet. */
int thread_pool_waiting(const struct thread_pool *pool);

#endif
