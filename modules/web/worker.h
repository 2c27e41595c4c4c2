/*
 * A worker's life: what every module's init begins with and its teardown ends
 * with. Kore's hooks (parent configure, seccomp, worker configure, teardown)
 * live behind this header, once for all modules of a process.
 */
#ifndef ONEGATE_WEB_WORKER_H
#define ONEGATE_WEB_WORKER_H

#include <stdbool.h>

/*
 * First call of a module's init (again is fine: SIGHUP calls it again):
 * configuration, log, loop in Kore's loop, metrics, Redis, HTTP client,
 * 250 ms timer. A wrong configuration ends the process with one clear line.
 * MODULE is "auth", "payment" or "transaction".
 */
void worker_begin(const char *module);

/* True while the process is asked to end; new work is answered 503 by ready,
 * running work goes on. */
bool worker_draining(void);

/* Background work that a drain must wait for (a posting in flight). */
void worker_busy(int change);

/* STOP runs at the worker's teardown, last registered first. */
void worker_at_exit(void (*stop)(void));
/* RELOAD runs at SIGHUP. */
void worker_at_reload(void (*reload)(void));

#endif
