/*
 * Start, drain and end. Kore stops at SIGTERM at once and drops what runs; so
 * the parent's SIGTERM is ours: it announces the drain in shared memory, looks
 * every 100 ms whether work is left, and passes the signal on to Kore when
 * there is none or the time is over. A worker that misses Kore's signal (it
 * was just being started) reads in the same memory that it has to go.
 * In signal handlers: nothing but shared memory, setitimer, kill.
 */
#include "web/lifecycle.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <kore.h>

#include "io/clock.h"
#include "io/config.h"

#define WORKERS_MAX 64
#define LOOK_EVERY_US 100000

struct slot {
	_Alignas(64) atomic_int_least64_t alive;
};

struct shared {
	atomic_bool draining, closing, ending;
	uint64_t started_ms, drain_ms, lame_duck_ms;
	atomic_uint_least64_t drain_began_ms;
	pid_t parent;
	struct slot workers[WORKERS_MAX];
};

static struct shared *shared;
static struct slot *own;

int64_t
lifecycle_alive_total(void)
{
	int64_t total = 0;
	unsigned i;

	for (i = 0; i < WORKERS_MAX; i++)
		total += atomic_load_explicit(
		    &shared->workers[i].alive, memory_order_relaxed);
	return total;
}

/* SIGALRM in the parent, while draining. */
static void
drain_look(int signal_number)
{
	uint64_t waited_ms = clock_monotonic_ms() - shared->drain_began_ms;

	(void)signal_number;
	if (waited_ms >= shared->lame_duck_ms)
		shared->closing = true;
	if (waited_ms < shared->lame_duck_ms ||
	    (lifecycle_alive_total() > 0 && waited_ms < shared->drain_ms))
		return;
	shared->ending = true;
	/* Again at every look: a storm of SIGCHLD overwrites the one slot. */
	sig_recv = SIGTERM;
}

static void
drain_begin(int signal_number)
{
	const struct itimerval every = { { 0, LOOK_EVERY_US },
		{ 0, LOOK_EVERY_US } };

	(void)signal_number;
	if (shared->draining)
		return;
	shared->drain_began_ms = clock_monotonic_ms();
	shared->draining = true;
	(void)setitimer(ITIMER_REAL, &every, NULL);
}

/* SIGTERM in a worker: its parent decides, except when it already has. */
static void
worker_terminated(int signal_number)
{
	if (shared->ending)
		sig_recv = (sig_atomic_t)signal_number;
	else
		(void)kill(shared->parent, SIGTERM);
}

static void
handle(int signal_number, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	(void)sigfillset(&action.sa_mask);
	if (sigaction(signal_number, &action, NULL) == -1)
		fatalx("lifecycle: sigaction: %s", errno_s);
}

void
lifecycle_parent(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fatalx("lifecycle: no shared memory: %s", errno_s);
	if (worker_count > WORKERS_MAX || cpu_count > WORKERS_MAX)
		fatalx("lifecycle: at most %d workers", WORKERS_MAX);
	shared->started_ms = clock_monotonic_ms();
	shared->drain_ms = (uint64_t)config_number(CONFIG_DRAIN_MS);
	shared->lame_duck_ms = (uint64_t)config_number(CONFIG_LAME_DUCK_MS);
	if (shared->drain_ms < shared->lame_duck_ms)
		shared->drain_ms = shared->lame_duck_ms;
	shared->parent = getpid();
	handle(SIGALRM, drain_look);
	handle(SIGTERM, drain_begin);
	if (kore_foreground)
		handle(SIGINT, drain_begin);
	/* A SIGTERM that came while Kore was still reading its conf file. */
	if (sig_recv == SIGTERM || sig_recv == SIGINT) {
		sig_recv = 0;
		drain_begin(SIGTERM);
	}
}

void
lifecycle_worker(void)
{
	own = &shared->workers[worker->id - 1];
	own->alive = 0; /* the worker before us may have died at work */
	handle(SIGTERM, worker_terminated);
	if (kore_foreground)
		handle(SIGINT, worker_terminated);
	if (shared->ending)
		sig_recv = SIGTERM;
}

bool
lifecycle_draining(void)
{
	return shared != NULL &&
	    atomic_load_explicit(&shared->draining, memory_order_relaxed);
}

bool
lifecycle_closing(void)
{
	return shared != NULL && shared->closing;
}

bool
lifecycle_ending(void)
{
	return shared != NULL && shared->ending;
}

void
lifecycle_alive(int change)
{
	if (own != NULL)
		(void)atomic_fetch_add_explicit(
		    &own->alive, change, memory_order_relaxed);
}

uint64_t
lifecycle_uptime_ms(void)
{
	return clock_monotonic_ms() - shared->started_ms;
}
