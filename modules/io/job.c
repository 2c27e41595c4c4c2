/*
 * A thread for a job, and the one condition that wakes it. Must never touch
 * the loop: what a job has to say goes through PostgreSQL, Kafka or metrics.
 */
#include "io/job.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/memory.h"

struct job {
	const char *name;
	job_fn run;
	void *owner;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	_Atomic bool stopping;
};

static void *
job_thread(void *memory)
{
	struct job *job = memory;

	(void)prctl(PR_SET_NAME, job->name);
	job->run(job, job->owner);
	return NULL;
}

/* Signals are the loop's: the thread starts with all of them blocked. */
static bool
thread_begin(struct job *job)
{
	sigset_t all, before;
	int created;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	created = pthread_create(&job->thread, NULL, job_thread, job);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return created == 0;
}

static void
job_release(struct job *job)
{
	(void)pthread_cond_destroy(&job->changed);
	(void)pthread_mutex_destroy(&job->mutex);
	free(job);
}

struct job *
job_start(const char *name, job_fn run, void *owner)
{
	struct job *job = memory_new(1, sizeof(*job));
	pthread_condattr_t attributes;

	job->name = name;
	job->run = run;
	job->owner = owner;
	(void)pthread_mutex_init(&job->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&job->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (thread_begin(job))
		return job;
	log_event(
	    LOG_LEVEL_ERROR, "job: no thread", LOG_TEXT("job", job->name));
	job_release(job);
	return NULL;
}

void
job_stop(struct job *job)
{
	int joined;

	if (job == NULL)
		return;
	(void)pthread_mutex_lock(&job->mutex);
	job->stopping = true;
	(void)pthread_cond_broadcast(&job->changed);
	(void)pthread_mutex_unlock(&job->mutex);
	joined = pthread_join(job->thread, NULL);
	assert(joined == 0);
	(void)joined;
	job_release(job);
}

bool
job_stopping(const struct job *job)
{
	return job->stopping;
}

bool
job_wait(struct job *job, uint32_t timeout_ms)
{
	uint64_t due_ms = clock_monotonic_ms() + timeout_ms;
	struct timespec due = { .tv_sec = (time_t)(due_ms / 1000),
		.tv_nsec = (long)(due_ms % 1000) * 1000000 };
	bool stopping;
	int waited = 0;

	(void)pthread_mutex_lock(&job->mutex);
	while (!job->stopping && waited == 0)
		waited =
		    pthread_cond_timedwait(&job->changed, &job->mutex, &due);
	stopping = job->stopping;
	(void)pthread_mutex_unlock(&job->mutex);
	return stopping;
}
