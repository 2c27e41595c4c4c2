/* Does each accepted job run once and be told once, and is "full" said? */
#include "cmocka_all.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/loop.h"
#include "io/thread_pool.h"

#define SCRATCH ((size_t)1 << 20)

static pthread_t loop_thread;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

struct job_seen {
	_Atomic int runs;
	int told;
	bool off_the_loop, told_on_the_loop;
	void *scratch;
};

static void
work(void *memory, void *scratch, size_t size)
{
	struct job_seen *seen = memory;

	seen->off_the_loop = !pthread_equal(pthread_self(), loop_thread);
	seen->scratch = scratch;
	if (size > 0)
		memset(scratch, 1, size);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	seen->runs++;
}

static void
told(void *memory)
{
	struct job_seen *seen = memory;

	seen->told_on_the_loop = pthread_equal(pthread_self(), loop_thread);
	seen->told++;
}

static int
set_up(void **state)
{
	(void)state;
	loop_thread = pthread_self();
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
wait_told(const struct job_seen *seen, int count)
{
	uint64_t end_ms = clock_monotonic_ms() + 5000;

	for (int i = 0; i < count; i++)
		while (seen[i].told == 0 && clock_monotonic_ms() < end_ms)
			loop_run(20);
}

static void
each_job_runs_and_is_told_once(void **state)
{
	static struct job_seen seen[500];
	struct thread_pool *pool = thread_pool_new(3, 500, SCRATCH);

	(void)state;
	assert_non_null(pool);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 500; i++)
		assert_true(thread_pool_submit(pool, work, told, &seen[i]));
	wait_told(seen, 500);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(seen[i].runs, 1);
		assert_int_equal(seen[i].told, 1);
		assert_true(seen[i].off_the_loop);
		assert_true(seen[i].told_on_the_loop);
		assert_non_null(seen[i].scratch);
		assert_int_equal((uintptr_t)seen[i].scratch % 64, 0);
	}
	thread_pool_free(pool);
}

static void
full_queue_refuses(void **state)
{
	static struct job_seen seen[10];
	struct thread_pool *pool = thread_pool_new(1, 4, 0);
	int accepted = 0;

	(void)state;
	assert_non_null(pool);
	memset(seen, 0, sizeof(seen));
	pthread_mutex_lock(&gate);
	assert_true(thread_pool_submit(pool, work, told, &seen[accepted++]));
	while (thread_pool_waiting(pool) > 0)
		sched_yield(); /* the thread has the first one */
	for (int i = 0; i < 4; i++)
		assert_true(
		    thread_pool_submit(pool, work, told, &seen[accepted++]));
	assert_int_equal(thread_pool_waiting(pool), 4);
	assert_false(thread_pool_submit(pool, work, told, &seen[9]));
	pthread_mutex_unlock(&gate);
	wait_told(seen, accepted);
	assert_int_equal(seen[9].runs + seen[9].told, 0);
	assert_true(thread_pool_submit(pool, work, told, &seen[9]));
	wait_told(&seen[9], 1);
	assert_int_equal(seen[9].told, 1);
	thread_pool_free(pool);
}

static void
free_runs_and_tells_what_was_accepted(void **state)
{
	static struct job_seen seen[50];
	struct thread_pool *pool = thread_pool_new(2, 50, SCRATCH);

	(void)state;
	assert_non_null(pool);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 50; i++)
		assert_true(thread_pool_submit(pool, work, told, &seen[i]));
	thread_pool_free(pool);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(seen[i].runs, 1);
		assert_int_equal(seen[i].told, 1);
	}
	thread_pool_free(NULL);
}

static void
look_around(void *memory, void *scratch, size_t size)
{
	bool *polite = memory;
	sigset_t blocked;

	(void)scratch, (void)size;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	*polite = sigismember(&blocked, SIGTERM) &&
	    getpriority(PRIO_PROCESS, (id_t)gettid()) == 10;
}

static void
nothing(void *memory)
{
	(void)memory;
}

static void
threads_are_nice_and_deaf(void **state)
{
	struct thread_pool *pool = thread_pool_new(1, 1, 0);
	bool polite = false;

	(void)state;
	assert_true(thread_pool_submit(pool, look_around, nothing, &polite));
	thread_pool_free(pool);
	assert_true(polite);
	assert_true(getpriority(PRIO_PROCESS, (id_t)gettid()) < 10);
}

int
main(void)
{
#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		POOL_TEST(each_job_runs_and_is_told_once),
		POOL_TEST(full_queue_refuses),
		POOL_TEST(free_runs_and_tells_what_was_accepted),
		POOL_TEST(threads_are_nice_and_deaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
