/*
 * The event loop: epoll, one timerfd for a sorted list of timers, one eventfd
 * that wakes it for deferred calls. What may still be named by the running
 * batch of events is freed only after the batch. Knows nothing of its users.
 */
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/clock.h"

#define LOOP_BATCH 128 /* events taken at once */
#define LOOP_DONE_ROUNDS 64 /* turns of deferred calls that loop_done runs */

struct loop_watch {
	int descriptor;
	uint32_t events;
	bool dead;
	loop_ready_fn ready;
	void *owner;
	struct loop_watch *next_dead;
};

struct deferred {
	void (*fn)(void *owner);
	void *owner;
	struct deferred *next;
};

static _Thread_local struct {
	bool made, in_turn;
	int epoll, clock, bell;
	struct loop_watch *clock_watch, *bell_watch;
	uint64_t armed_ms; /* when the timerfd rings, 0 = not armed */
	struct loop_timer timers; /* the head of the sorted ring */
	struct deferred *deferred, **deferred_end;
	struct loop_watch *dead;
} loop;

/* Drains an eventfd or timerfd; empty is fine. */
static void
counter_drain(int descriptor)
{
	uint64_t count;

	while (read(descriptor, &count, sizeof(count)) == -1 && errno == EINTR)
		;
}

/* Lets the timerfd ring at the first timer, when that is sooner than now set */
static void
clock_arm(void)
{
	const struct loop_timer *first = loop.timers.next;
	struct itimerspec at = { 0 };

	if (first == &loop.timers ||
	    (loop.armed_ms != 0 && loop.armed_ms <= first->due_ms))
		return;
	loop.armed_ms = first->due_ms;
	at.it_value.tv_sec = (time_t)(first->due_ms / 1000);
	at.it_value.tv_nsec = (long)(first->due_ms % 1000) * 1000000;
	if (at.it_value.tv_sec == 0 && at.it_value.tv_nsec == 0)
		at.it_value.tv_nsec = 1;
	if (timerfd_settime(loop.clock, TFD_TIMER_ABSTIME, &at, NULL) == -1)
		abort();
}

static void
clock_ready(struct loop_watch *watch, uint32_t events, void *owner)
{
	uint64_t now_ms = clock_monotonic_ms();

	(void)watch, (void)events, (void)owner;
	counter_drain(loop.clock);
	loop.armed_ms = 0;
	while (loop.timers.next != &loop.timers &&
	    loop.timers.next->due_ms <= now_ms) {
		struct loop_timer *timer = loop.timers.next;

		loop_timer_clear(timer);
		timer->fire(timer, timer->owner);
	}
	clock_arm();
}

static void
bell_ready(struct loop_watch *watch, uint32_t events, void *owner)
{
	(void)watch, (void)events, (void)owner;
	counter_drain(loop.bell);
}

static void
bell_ring(void)
{
	const uint64_t one = 1;

	while (write(loop.bell, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

bool
loop_init(void)
{
	if (loop.made)
		return true;
	loop.timers.next = loop.timers.previous = &loop.timers;
	loop.deferred = NULL;
	loop.deferred_end = &loop.deferred;
	loop.dead = NULL;
	loop.armed_ms = 0;
	loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	loop.clock =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	loop.bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	loop.made = true;
	loop.clock_watch =
	    loop_watch_new(loop.clock, EPOLLIN, clock_ready, NULL);
	loop.bell_watch = loop_watch_new(loop.bell, EPOLLIN, bell_ready, NULL);
	if (loop.clock_watch != NULL && loop.bell_watch != NULL)
		return true;
	loop_done();
	return false;
}

static void
dead_free(void)
{
	while (loop.dead != NULL) {
		struct loop_watch *watch = loop.dead;

		loop.dead = watch->next_dead;
		free(watch);
	}
}

/* Runs what was deferred up to now; what these defer comes in the next turn. */
static void
deferred_run(void)
{
	struct deferred *item = loop.deferred;

	loop.deferred = NULL;
	loop.deferred_end = &loop.deferred;
	while (item != NULL) {
		struct deferred *next = item->next;

		item->fn(item->owner);
		free(item);
		item = next;
	}
}

int
loop_fd(void)
{
	return loop.epoll;
}

void
loop_run(int timeout_ms)
{
	struct epoll_event events[LOOP_BATCH];
	int count;

	assert(loop.made && !loop.in_turn);
	count = epoll_wait(loop.epoll, events, LOOP_BATCH, timeout_ms);
	loop.in_turn = true;
	for (int i = 0; i < count; i++) {
		struct loop_watch *watch = events[i].data.ptr;

		if (!watch->dead)
			watch->ready(watch, events[i].events, watch->owner);
	}
	deferred_run();
	dead_free();
	loop.in_turn = false;
	if (loop.deferred != NULL)
		bell_ring();
}

struct loop_watch *
loop_watch_new(
    int descriptor, uint32_t events, loop_ready_fn ready, void *owner)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));
	struct epoll_event interest = { .events = events, .data.ptr = watch };

	assert(loop.made);
	if (watch == NULL)
		return NULL;
	watch->descriptor = descriptor;
	watch->events = events;
	watch->ready = ready;
	watch->owner = owner;
	if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, descriptor, &interest) == -1) {
		free(watch);
		return NULL;
	}
	return watch;
}

void
loop_watch_events(struct loop_watch *watch, uint32_t events)
{
	struct epoll_event interest = { .events = events, .data.ptr = watch };

	if (watch->events == events)
		return;
	watch->events = events;
	/* Fails only when the owner closed the descriptor already. */
	(void)epoll_ctl(
	    loop.epoll, EPOLL_CTL_MOD, watch->descriptor, &interest);
}

int
loop_watch_descriptor(const struct loop_watch *watch)
{
	return watch->descriptor;
}

void
loop_watch_free(struct loop_watch *watch)
{
	if (watch == NULL || watch->dead)
		return;
	(void)epoll_ctl(loop.epoll, EPOLL_CTL_DEL, watch->descriptor, NULL);
	watch->dead = true;
	watch->next_dead = loop.dead;
	loop.dead = watch;
}

/* The timer after which one of DUE_MS belongs. Searched from the end of the
 * ring that is nearer in time: most timers are set for one of a few delays. */
static struct loop_timer *
timer_place(uint64_t due_ms)
{
	struct loop_timer *head = &loop.timers, *place = head->previous;

	if (head->next == head || due_ms < head->next->due_ms)
		return head;
	if (place->due_ms > due_ms &&
	    place->due_ms - due_ms > due_ms - head->next->due_ms) {
		for (place = head;
		     place->next != head && place->next->due_ms <= due_ms;)
			place = place->next;
		return place;
	}
	while (place != head && place->due_ms > due_ms)
		place = place->previous;
	return place;
}

void
loop_timer_set(struct loop_timer *timer, uint64_t delay_ms, loop_timer_fn fire,
    void *owner)
{
	struct loop_timer *place;

	assert(loop.made);
	loop_timer_clear(timer);
	timer->due_ms = clock_monotonic_ms() + delay_ms;
	timer->fire = fire;
	timer->owner = owner;
	place = timer_place(timer->due_ms);
	timer->previous = place;
	timer->next = place->next;
	place->next->previous = timer;
	place->next = timer;
	if (loop.timers.next == timer)
		clock_arm();
}

void
loop_timer_clear(struct loop_timer *timer)
{
	if (timer->next == NULL)
		return;
	timer->previous->next = timer->next;
	timer->next->previous = timer->previous;
	timer->next = timer->previous = NULL;
}

bool
loop_defer(void (*fn)(void *owner), void *owner)
{
	struct deferred *item = calloc(1, sizeof(*item));

	assert(loop.made);
	if (item == NULL)
		return false;
	item->fn = fn;
	item->owner = owner;
	if (loop.deferred == NULL && !loop.in_turn)
		bell_ring();
	*loop.deferred_end = item;
	loop.deferred_end = &item->next;
	return true;
}

void
loop_done(void)
{
	if (!loop.made)
		return;
	for (int i = 0; i < LOOP_DONE_ROUNDS && loop.deferred != NULL; i++)
		deferred_run();
	assert(loop.deferred == NULL);
	loop_watch_free(loop.clock_watch);
	loop_watch_free(loop.bell_watch);
	dead_free();
	if (loop.epoll != -1)
		close(loop.epoll);
	if (loop.clock != -1)
		close(loop.clock);
	if (loop.bell != -1)
		close(loop.bell);
	loop.made = false;
}
