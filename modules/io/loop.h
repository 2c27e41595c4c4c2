/*
 * The worker's event loop: a private epoll with timers. Kore knows one
 * descriptor of it (loop_fd), level triggered, and calls loop_run(0); a unit
 * test calls loop_run with a wait of its own. One loop a thread.
 */
#ifndef ONEGATE_IO_LOOP_H
#define ONEGATE_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop_watch;
typedef void (*loop_ready_fn)(
    struct loop_watch *watch, uint32_t events, void *owner);

struct loop_timer;
typedef void (*loop_timer_fn)(struct loop_timer *timer, void *owner);

/* Embedded by its owner; zeroed is "not set". */
struct loop_timer {
	uint64_t due_ms;
	loop_timer_fn fire;
	void *owner;
	struct loop_timer *previous, *next;
};

/* Makes the loop; again is fine. False with errno. */
bool loop_init(void);
void loop_done(void);
int loop_fd(void);

/* Runs what is ready, waiting at most TIMEOUT_MS (0: not at all). */
void loop_run(int timeout_ms);

/* Watches DESCRIPTOR for EVENTS (EPOLLIN, EPOLLOUT); NULL with errno. */
struct loop_watch *loop_watch_new(
    int descriptor, uint32_t events, loop_ready_fn ready, void *owner);
void loop_watch_events(struct loop_watch *watch, uint32_t events);
int loop_watch_descriptor(const struct loop_watch *watch);
/* Safe inside its own callback and for NULL; call before close(). */
void loop_watch_free(struct loop_watch *watch);

/* Fires once after DELAY_MS; setting again moves it. */
void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms,
    loop_timer_fn fire, void *owner);
void loop_timer_clear(struct loop_timer *timer);

/* Calls FN(owner) once at the end of the current turn of the loop (or of the
 * next, when called between turns). False when memory ran out. */
bool loop_defer(void (*fn)(void *owner), void *owner);

#endif
