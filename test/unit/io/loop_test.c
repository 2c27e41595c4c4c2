/* Does the loop run what is ready, once, in order, and survive removals? */
#include "cmocka_all.h"

#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/loop.h"

#define TIMERS 200

static int order[TIMERS], fired;
static uint64_t due_order[TIMERS];

static void
timer_note(struct loop_timer *timer, void *owner)
{
	due_order[fired] = timer->due_ms;
	order[fired++] = *(int *)owner;
}

static void
run_for(uint64_t ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		loop_run(5);
}

static int
set_up(void **state)
{
	(void)state;
	fired = 0;
	return loop_init() ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_done();
	return 0;
}

static void
timers_fire_in_order(void **state)
{
	static struct loop_timer timers[TIMERS];
	static int delays[TIMERS];

	(void)state;
	for (int i = 0; i < TIMERS; i++) {
		delays[i] = (i * 7919) % 97;
		loop_timer_set(
		    &timers[i], (uint64_t)delays[i], timer_note, &delays[i]);
	}
	run_for(130);
	assert_int_equal(fired, TIMERS);
	for (int i = 1; i < TIMERS; i++)
		assert_true(due_order[i - 1] <= due_order[i]);
}

static void
timer_set_again_moves(void **state)
{
	struct loop_timer timer = { 0 }, other = { 0 };
	int one = 1, two = 2;

	(void)state;
	loop_timer_set(&timer, 5, timer_note, &one);
	loop_timer_set(&other, 20, timer_note, &two);
	loop_timer_set(&timer, 500, timer_note, &one);
	run_for(60);
	assert_int_equal(fired, 1);
	assert_int_equal(order[0], 2);
	run_for(460);
	assert_int_equal(fired, 2);
}

static void
timer_cleared_is_silent(void **state)
{
	struct loop_timer timer = { 0 };
	int one = 1;

	(void)state;
	loop_timer_clear(&timer);
	loop_timer_set(&timer, 1, timer_note, &one);
	loop_timer_clear(&timer);
	loop_timer_clear(&timer);
	run_for(20);
	assert_int_equal(fired, 0);
}

static void
timer_again(struct loop_timer *timer, void *owner)
{
	if (++*(int *)owner < 3)
		loop_timer_set(timer, 1, timer_again, owner);
}

static void
timer_sets_itself(void **state)
{
	struct loop_timer timer = { 0 };
	int count = 0;

	(void)state;
	loop_timer_set(&timer, 0, timer_again, &count);
	run_for(30);
	assert_int_equal(count, 3);
}

struct pair {
	int descriptors[2];
	struct loop_watch *watches[2];
	int calls;
};

/* Whichever runs first removes both: the other must not run. */
static void
pair_ready(struct loop_watch *watch, uint32_t events, void *owner)
{
	struct pair *pair = owner;

	(void)watch;
	assert_true(events & EPOLLIN);
	pair->calls++;
	for (int i = 0; i < 2; i++) {
		loop_watch_free(pair->watches[i]);
		close(pair->descriptors[i]);
	}
}

static void
watch_freed_in_the_batch_is_not_called(void **state)
{
	struct pair pair = { .calls = 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		pair.descriptors[i] = eventfd(1, EFD_NONBLOCK);
		pair.watches[i] = loop_watch_new(
		    pair.descriptors[i], EPOLLIN, pair_ready, &pair);
		assert_non_null(pair.watches[i]);
		assert_int_equal(loop_watch_descriptor(pair.watches[i]),
		    pair.descriptors[i]);
	}
	run_for(20);
	assert_int_equal(pair.calls, 1);
}

static void
watch_of_nothing_fails(void **state)
{
	(void)state;
	assert_null(loop_watch_new(-1, EPOLLIN, pair_ready, NULL));
	loop_watch_free(NULL);
}

static int deferred_calls;

static void
defer_note(void *owner)
{
	int *left = owner;

	deferred_calls++;
	if (--*left > 0)
		assert_true(loop_defer(defer_note, owner));
}

static void
deferred_runs_once_a_turn(void **state)
{
	int left = 3;

	(void)state;
	deferred_calls = 0;
	assert_true(loop_defer(defer_note, &left));
	assert_int_equal(deferred_calls, 0); /* never inside loop_defer */
	for (int turn = 1; turn <= 3; turn++) {
		loop_run(1000); /* must wake at once */
		assert_int_equal(deferred_calls, turn);
	}
	loop_run(0);
	assert_int_equal(deferred_calls, 3);
}

static void
deferred_wakes_an_outer_epoll(void **state)
{
	int left = 1, outer = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	(void)state;
	assert_int_equal(epoll_ctl(outer, EPOLL_CTL_ADD, loop_fd(), &event), 0);
	assert_int_equal(epoll_wait(outer, &event, 1, 0), 0);
	assert_true(loop_defer(defer_note, &left));
	assert_int_equal(epoll_wait(outer, &event, 1, 1000), 1);
	loop_run(0);
	assert_int_equal(left, 0);
	assert_int_equal(epoll_wait(outer, &event, 1, 0), 0);
	close(outer);
}

static void
done_runs_what_was_deferred(void **state)
{
	int left = 2;

	(void)state;
	assert_true(loop_defer(defer_note, &left));
	loop_done();
	assert_int_equal(left, 0);
	assert_true(loop_init());
	assert_true(loop_init());
}

int
main(void)
{
#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LOOP_TEST(timers_fire_in_order),
		LOOP_TEST(timer_set_again_moves),
		LOOP_TEST(timer_cleared_is_silent),
		LOOP_TEST(timer_sets_itself),
		LOOP_TEST(watch_freed_in_the_batch_is_not_called),
		LOOP_TEST(watch_of_nothing_fails),
		LOOP_TEST(deferred_runs_once_a_turn),
		LOOP_TEST(deferred_wakes_an_outer_epoll),
		LOOP_TEST(done_runs_what_was_deferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
