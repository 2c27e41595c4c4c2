/* Does a job run beside us, and does a stop wake it at once? */
#include "cmocka_all.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "io/clock.h"
#include "io/job.h"

struct seen {
	_Atomic int turns;
	_Atomic bool ended, signals_blocked;
	uint32_t wait_ms;
};

static void
run(struct job *job, void *owner)
{
	struct seen *seen = owner;
	sigset_t blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	seen->signals_blocked =
	    sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
	while (!job_stopping(job)) {
		seen->turns++;
		if (job_wait(job, seen->wait_ms))
			break;
	}
	seen->ended = true;
}

static void
stop_wakes_a_waiting_job(void **state)
{
	struct seen seen = { .wait_ms = 60000 };
	struct job *job = job_start("test", run, &seen);
	uint64_t began_ms = clock_monotonic_ms();

	(void)state;
	assert_non_null(job);
	job_stop(job);
	assert_true(seen.ended);
	assert_true(seen.signals_blocked);
	assert_in_range(clock_monotonic_ms() - began_ms, 0, 1000);
	job_stop(NULL);
}

static void
waits_last_as_long_as_asked(void **state)
{
	struct seen seen = { .wait_ms = 20 };
	struct job *job = job_start("test", run, &seen);
	uint64_t began_ms = clock_monotonic_ms();

	(void)state;
	assert_non_null(job);
	while (seen.turns < 6 && clock_monotonic_ms() < began_ms + 5000)
		sched_yield();
	assert_in_range(clock_monotonic_ms() - began_ms, 95, 4000);
	job_stop(job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop_wakes_a_waiting_job),
		cmocka_unit_test(waits_last_as_long_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
