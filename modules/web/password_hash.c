/*
 * The pool that hashes passwords and PINs. It must never allocate per hash,
 * never run on the loop's thread and never leave a secret behind.
 */
#include "web/password_hash.h"

#include <argon2.h>
#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>

#include "domain/phc.h"
#include "io/config.h"
#include "io/entropy.h"
#include "io/log.h"
#include "io/metrics.h"
#include "web/reply.h"
#include "web/worker.h"

/* One hash on its way through a thread; lives in the request's memory. */
struct password_job {
	struct request *request;
	char secret[PASSWORD_SECRET_MAX + 1];
	size_t length;
	struct phc phc;
	bool check; /* else make */
	bool known; /* false: compare with nobody's hash */
	bool failed; /* the library refused: no memory for a larger hash */
	bool equal;
	password_made_fn made;
	password_checked_fn checked;
};

static struct thread_pool *pool;
static struct phc_cost wanted;

/* argon2_ctx hands its allocator no context: the thread's memory is here. */
static _Thread_local uint8_t *thread_memory;
static _Thread_local size_t thread_memory_size;

/* The thread's own memory; a hash stored with a higher cost than configured
 * now gets pages of its own for the while. */
static int
memory_take(uint8_t **memory, size_t bytes)
{
	void *pages;

	if (bytes <= thread_memory_size) {
		*memory = thread_memory;
		return (0);
	}
	pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*memory = pages == MAP_FAILED ? NULL : pages;
	return (0);
}

static void
memory_give(uint8_t *memory, size_t bytes)
{
	if (memory != thread_memory)
		(void)munmap(memory, bytes);
}

/* On a pool thread: HASH of the job's secret with its salt and cost. */
static bool
hash_compute(struct password_job *job, uint8_t hash[PHC_HASH_LENGTH])
{
	argon2_context context = {
		.out = hash,
		.outlen = PHC_HASH_LENGTH,
		.pwd = (uint8_t *)job->secret,
		.pwdlen = (uint32_t)job->length,
		.salt = job->phc.salt,
		.saltlen = PHC_SALT_LENGTH,
		.t_cost = job->phc.cost.passes,
		.m_cost = job->phc.cost.memory_kib,
		.lanes = job->phc.cost.lanes,
		.threads = 1,
		.version = ARGON2_VERSION_13,
		.allocate_cbk = memory_take,
		.free_cbk = memory_give,
		.flags = ARGON2_FLAG_CLEAR_PASSWORD,
	};

	return (argon2_ctx(&context, Argon2_id) == ARGON2_OK);
}

static void
password_work(void *arg, void *scratch, size_t scratch_size)
{
	struct password_job *job = arg;
	uint8_t hash[PHC_HASH_LENGTH] = { 0 };

	thread_memory = scratch;
	thread_memory_size = scratch_size;
	job->failed = !hash_compute(job, hash);
	OPENSSL_cleanse(job->secret, sizeof(job->secret));
	if (job->check)
		job->equal =
		    CRYPTO_memcmp(hash, job->phc.hash, PHC_HASH_LENGTH) == 0;
	else
		memcpy(job->phc.hash, hash, PHC_HASH_LENGTH);
	OPENSSL_cleanse(hash, sizeof(hash));
}

static enum password_verdict
verdict_of(const struct password_job *job)
{
	if (!job->known || !job->equal)
		return (PASSWORD_WRONG);
	return (phc_cost_below(&job->phc.cost, &wanted) ? PASSWORD_OUTDATED
							: PASSWORD_RIGHT);
}

static void
password_step(struct request *request)
{
	struct password_job *job = request->waiting;
	char text[PHC_TEXT_SIZE];

	if (job->failed) {
		log_event(LOG_LEVEL_ERROR, "password: hashing failed",
		    LOG_TEXT("request_id", request->id));
		reply_error(request, ERROR_UNAVAILABLE);
	} else if (job->check) {
		job->checked(request, verdict_of(job));
	} else {
		phc_format(&job->phc, text);
		job->made(request, request_copy(request, text, strlen(text)));
	}
}

static void
password_finish(void *arg)
{
	struct password_job *job = arg;

	metric_set(METRIC_PASSWORD_WAITING, 0, password_hash_waiting());
	job->request->waiting = job;
	request_release(job->request, password_step);
}

static struct password_job *
job_new(struct request *request, const char *secret, size_t length)
{
	struct password_job *job = request_alloc(request, sizeof(*job));

	assert(length <= PASSWORD_SECRET_MAX);
	job->request = request;
	memcpy(job->secret, secret, length);
	job->length = length;
	job->phc.cost = wanted;
	return (job);
}

static void
job_submit(struct password_job *job)
{
	if (thread_pool_submit(pool, password_work, password_finish, job)) {
		request_hold(job->request);
		metric_set(METRIC_PASSWORD_WAITING, 0, password_hash_waiting());
		return;
	}
	OPENSSL_cleanse(job->secret, sizeof(job->secret));
	metric_add(METRIC_PASSWORD_SHED, 0, 1);
	reply_error(job->request, ERROR_OVERLOADED);
}

void
password_hash_make(struct request *request, const char *secret, size_t length,
    password_made_fn next)
{
	struct password_job *job = job_new(request, secret, length);

	entropy_fill(job->phc.salt, sizeof(job->phc.salt));
	job->made = next;
	job_submit(job);
}

void
password_hash_check(struct request *request, const char *secret, size_t length,
    const char *phc, password_checked_fn next)
{
	struct password_job *job = job_new(request, secret, length);

	job->check = true;
	job->known = phc != NULL && phc_parse(phc, &job->phc);
	if (!job->known) {
		/* Nobody, or a row that is not ours: the same work for
		 * nothing. */
		job->phc.cost = wanted;
		entropy_fill(job->phc.salt, sizeof(job->phc.salt));
	}
	job->checked = next;
	job_submit(job);
}

int
password_hash_waiting(void)
{
	return (pool == NULL ? 0 : thread_pool_waiting(pool));
}

void
password_wipe(const char *text, size_t length)
{
	if (text != NULL)
		OPENSSL_cleanse((void *)(uintptr_t)text, length);
}

static void
password_hash_stop(void)
{
	thread_pool_free(pool);
	pool = NULL;
}

bool
password_hash_init(void)
{
	if (pool != NULL)
		return (true);
	wanted.memory_kib = (uint32_t)config_number(CONFIG_ARGON2_MEMORY_KIB);
	wanted.passes = (uint32_t)config_number(CONFIG_ARGON2_PASSES);
	wanted.lanes = 1;
	pool = thread_pool_new((int)config_number(CONFIG_ARGON2_THREADS),
	    (int)config_number(CONFIG_ARGON2_QUEUE),
	    (size_t)wanted.memory_kib * 1024);
	if (pool == NULL)
		return (false);
	worker_at_exit(password_hash_stop);
	return (true);
}
