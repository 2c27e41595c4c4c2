/*
 * The pool: one bounded ring of jobs that all threads take from, one list of
 * finished ones that the loop is told of by an eventfd. Must never let a job
 * be forgotten: what was accepted runs, and is told.
 */
#include "io/thread_pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/log.h"
#include "io/loop.h"
#include "io/memory.h"

#define THREADS_MAX 64
#define QUEUE_MAX 65536
#define THREAD_NICE 10
#define THREAD_STACK_BYTES ((size_t)256 * 1024)

struct work {
	thread_work_fn run;
	thread_done_fn done;
	void *job;
};

struct thread_pool {
	pthread_mutex_t mutex;
	pthread_cond_t arrived;
	struct work *waiting; /* ring of waiting_max */
	int waiting_first, waiting_max;
	_Atomic int waiting_count; /* changed under the mutex */
	struct work *finished; /* at most waiting_max + thread_count */
	int finished_count, running_count;
	bool stopping;
	size_t scratch_size;
	pthread_t threads[THREADS_MAX];
	int thread_count;
	int bell;
	struct loop_watch *watch;
};

static void
bell_ring(const struct thread_pool *pool)
{
	const uint64_t one = 1;

	while (write(pool->bell, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

/* Waits for work; false when the pool stops and none is left. Mutex held. */
static bool
work_take(struct thread_pool *pool, struct work *work)
{
	while (pool->waiting_count == 0 && !pool->stopping)
		(void)pthread_cond_wait(&pool->arrived, &pool->mutex);
	if (pool->waiting_count == 0)
		return false;
	*work = pool->waiting[pool->waiting_first];
	pool->waiting_first = (pool->waiting_first + 1) % pool->waiting_max;
	pool->waiting_count--;
	pool->running_count++;
	return true;
}

/* The thread's own memory, from the kernel: it goes back whole. */
static void *
scratch_new(size_t size)
{
	void *scratch;

	if (size == 0)
		return NULL;
	scratch = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (scratch != MAP_FAILED) {
		/* Argon2id jumps all over it: measured 10 % faster than in
		 * small pages. Only a wish; the kernel may say no. */
		(void)madvise(scratch, size, MADV_HUGEPAGE);
		return scratch;
	}
	log_event(LOG_LEVEL_ERROR, "thread_pool: no scratch memory");
	abort();
}

static void *
pool_thread(void *memory)
{
	struct thread_pool *pool = memory;
	void *scratch = scratch_new(pool->scratch_size);
	struct work work;

	(void)prctl(PR_SET_NAME, "pool");
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), THREAD_NICE);
	(void)pthread_mutex_lock(&pool->mutex);
	while (work_take(pool, &work)) {
		(void)pthread_mutex_unlock(&pool->mutex);
		work.run(work.job, scratch, pool->scratch_size);
		(void)pthread_mutex_lock(&pool->mutex);
		pool->running_count--;
		pool->finished[pool->finished_count++] = work;
		if (pool->finished_count == 1)
			bell_ring(pool);
	}
	(void)pthread_mutex_unlock(&pool->mutex);
	if (scratch != NULL) {
		explicit_bzero(scratch, pool->scratch_size);
		(void)munmap(scratch, pool->scratch_size);
	}
	return NULL;
}

/* Tells what is finished, in the order it ended. A DONE may submit. */
static void
finished_tell(struct loop_watch *watch, uint32_t events, void *owner)
{
	struct thread_pool *pool = owner;
	struct work *told;
	uint64_t count;
	int told_count;

	(void)watch, (void)events;
	while (read(pool->bell, &count, sizeof(count)) == -1 && errno == EINTR)
		;
	(void)pthread_mutex_lock(&pool->mutex);
	told_count = pool->finished_count;
	told = memory_new((size_t)told_count + 1, sizeof(*told));
	memcpy(told, pool->finished, (size_t)told_count * sizeof(*told));
	pool->finished_count = 0;
	(void)pthread_mutex_unlock(&pool->mutex);
	for (int i = 0; i < told_count; i++)
		told[i].done(told[i].job);
	free(told);
}

static bool
threads_begin(struct thread_pool *pool, int threads)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	bool created = true;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (created && pool->thread_count < threads) {
		created = pthread_create(&pool->threads[pool->thread_count],
			      &attributes, pool_thread, pool) == 0;
		pool->thread_count += created ? 1 : 0;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return created;
}

struct thread_pool *
thread_pool_new(int threads, int queue, size_t scratch_size)
{
	struct thread_pool *pool;

	assert(threads >= 1 && threads <= THREADS_MAX);
	assert(queue >= 1 && queue <= QUEUE_MAX);
	pool = memory_new(1, sizeof(*pool));
	pool->waiting_max = queue;
	pool->waiting = memory_new((size_t)queue, sizeof(*pool->waiting));
	pool->finished = memory_new(
	    (size_t)queue + (size_t)threads, sizeof(*pool->finished));
	pool->scratch_size = scratch_size;
	(void)pthread_mutex_init(&pool->mutex, NULL);
	(void)pthread_cond_init(&pool->arrived, NULL);
	pool->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (pool->bell != -1)
		pool->watch =
		    loop_watch_new(pool->bell, EPOLLIN, finished_tell, pool);
	if (pool->watch != NULL && threads_begin(pool, threads))
		return pool;
	log_event(LOG_LEVEL_ERROR, "thread_pool: cannot start",
	    LOG_NUMBER("threads", pool->thread_count));
	thread_pool_free(pool);
	return NULL;
}

bool
thread_pool_submit(struct thread_pool *pool, thread_work_fn work,
    thread_done_fn done, void *job)
{
	bool taken;
	int last;

	(void)pthread_mutex_lock(&pool->mutex);
	/* Finished ones that the loop has not taken yet count too. */
	taken = !pool->stopping &&
	    pool->waiting_count + pool->finished_count < pool->waiting_max;
	if (taken) {
		last = (pool->waiting_first + pool->waiting_count) %
		    pool->waiting_max;
		pool->waiting[last] =
		    (struct work){ .run = work, .done = done, .job = job };
		pool->waiting_count++;
		(void)pthread_cond_signal(&pool->arrived);
	}
	(void)pthread_mutex_unlock(&pool->mutex);
	return taken;
}

int
thread_pool_waiting(const struct thread_pool *pool)
{
	return pool->waiting_count;
}

void
thread_pool_free(struct thread_pool *pool)
{
	if (pool == NULL)
		return;
	(void)pthread_mutex_lock(&pool->mutex);
	pool->stopping = true;
	(void)pthread_cond_broadcast(&pool->arrived);
	(void)pthread_mutex_unlock(&pool->mutex);
	for (int i = 0; i < pool->thread_count; i++)
		(void)pthread_join(pool->threads[i], NULL);
	if (pool->watch != NULL)
		finished_tell(NULL, 0, pool);
	loop_watch_free(pool->watch);
	if (pool->bell != -1)
		(void)close(pool->bell);
	(void)pthread_cond_destroy(&pool->arrived);
	(void)pthread_mutex_destroy(&pool->mutex);
	free(pool->waiting);
	free(pool->finished);
	free(pool);
}
