/*
 * The life of a request: its memory, its steps and the moment it ends. It
 * ends when Kore has let go of it and nothing outside will call back any more:
 * a client that leaves frees Kore's object, never the chain.
 * Must never free a request while one of its steps is on the stack.
 */
#include "web/edge.h"

#include <assert.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include <kore.h>
#include <http.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics.h"
#include "web/lifecycle.h"
#include "web/reply.h"

#define BLOCK_SIZE 8192u /* a usual request fits in one */
#define BLOCKS_KEPT 512u
#define ALIGNMENT 16u

struct request_block {
	struct request_block *next;
	size_t used, size; /* of bytes */
	_Alignas(ALIGNMENT) char bytes[];
};

static struct request_block *kept_blocks;
static unsigned kept_count;
static unsigned alive;

static struct request_block *
block_new(size_t size)
{
	struct request_block *block = kept_blocks;

	if (size <= BLOCK_SIZE && block != NULL) {
		kept_blocks = block->next;
		kept_count--;
		block->used = 0;
		return block;
	}
	if (size < BLOCK_SIZE)
		size = BLOCK_SIZE;
	block = malloc(sizeof(*block) + size);
	if (block == NULL)
		abort();
	block->used = 0;
	block->size = size;
	return block;
}

/* Requests carry passwords and tokens. */
static void
block_free(struct request_block *block)
{
	OPENSSL_cleanse(block->bytes, block->used);
	if (block->size != BLOCK_SIZE || kept_count == BLOCKS_KEPT) {
		free(block);
		return;
	}
	block->next = kept_blocks;
	kept_blocks = block;
	kept_count++;
}

static void *
block_take(struct request_block **blocks, size_t size)
{
	struct request_block *block = *blocks;
	void *bytes;

	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (block == NULL || block->size - block->used < size) {
		block = block_new(size);
		block->next = *blocks;
		*blocks = block;
	}
	bytes = block->bytes + block->used;
	block->used += size;
	return bytes;
}

void *
request_alloc(struct request *request, size_t size)
{
	return memset(block_take(&request->blocks, size), 0, size);
}

char *
request_copy(struct request *request, const char *text, size_t length)
{
	char *copy = block_take(&request->blocks, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *
request_format(struct request *request, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(length >= 0);
	text = block_take(&request->blocks, (size_t)length + 1);
	va_start(arguments, format);
	(void)vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}

struct request *
request_new(const char *block, size_t size, char **copy)
{
	struct request_block *blocks = NULL;
	struct request *request;

	request = block_take(&blocks, sizeof(*request));
	memset(request, 0, sizeof(*request));
	request->blocks = blocks;
	request->head = request_alloc(request, sizeof(*request->head));
	request->method = request->path = request->query = request->body = "";
	request->route = "-";
	request->started_us = clock_monotonic_us();
	*copy = request_copy(request, block, size);
	alive++;
	lifecycle_alive(1);
	return request;
}

/* 1-128 of A-Z a-z 0-9 . _ - */
static bool
id_valid(const char *id)
{
	size_t length = strspn(id,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "._-");

	return length > 0 && length < REQUEST_ID_SIZE && id[length] == '\0';
}

/*
 * An id that no other request of any process has: a UUIDv7 whose random part
 * is drawn once a worker and then counted, since nobody has to guess it.
 */
static void
id_make(char id[REQUEST_ID_SIZE])
{
	static uint64_t random_part;
	static bool drawn;
	uint8_t entropy[10] = { 0 };
	struct uuid uuid;
	uint64_t big_endian;

	if (!drawn)
		entropy_fill(&random_part, sizeof(random_part));
	drawn = true;
	/* Counted at the far end: the version's bits are at this one. */
	big_endian = htobe64(random_part++);
	memcpy(entropy + 2, &big_endian, sizeof(big_endian));
	uuid = uuid_v7(clock_unix_ms(), entropy);
	uuid_format(&uuid, id);
}

void
request_identify(struct request *request, const char *peer)
{
	const char *id = head_value(request->head, "x-request-id");

	if (id != NULL && id_valid(id))
		memcpy(request->id, id, strlen(id) + 1);
	else
		id_make(request->id);
	request->method = request->head->method;
	request->path = request->head->path;
	request->query = request->head->query;
	address_client(
	    peer, head_value(request->head, "x-forwarded-for"), request->ip);
}

void
request_free(struct request *request)
{
	struct request_block *block, *next;

	if (request == NULL)
		return;
	assert(!request->running && request->holds == 0);
	reply_free(request);
	json_free(&request->json);
	alive--;
	lifecycle_alive(-1);
	for (block = request->blocks; block != NULL; block = next) {
		next = block->next;
		/* Passwords and tokens came through here. */
		explicit_bzero(block->bytes, block->used);
		block_free(block);
	}
}

/* Kore's object goes: answered, or the client has left. */
static void
request_detach(struct http_request *kore)
{
	struct request *request = kore->hdlr_extra;

	kore->onfree = NULL;
	kore->hdlr_extra = NULL;
	if (request == NULL)
		return;
	request->kore = NULL;
	if (request->done || reply_ready(request)) {
		if (!request->done)
			reply_forget(request);
		if (request->holds == 0)
			request_free(request);
	}
}

bool
request_client_left(const struct request *request)
{
	return request->kore == NULL ||
	    (request->kore->flags & HTTP_REQUEST_DELETE) != 0 ||
	    guard_half_closed(request->kore->owner);
}

void
request_attach(struct request *request, struct http_request *kore)
{
	request->kore = kore;
	kore->hdlr_extra = request;
	kore->onfree = request_detach;
	kore->flags |= HTTP_REQUEST_RETAIN_EXTRA;
	request->route = kore->hdlr->path; /* lives as long as the process */
	if (kore->http_body == NULL)
		return;
	request->body_length = kore->http_body_length;
	request->body = request_copy(
	    request, (char *)kore->http_body->data, kore->http_body_length);
}

void
request_wake(struct request *request)
{
	if (request->kore != NULL)
		http_request_wakeup(request->kore);
}

unsigned
request_alive(void)
{
	return alive;
}

/* After a step: is anything left that carries the chain on? */
static void
request_settle(struct request *request)
{
	if (request->holds > 0)
		return;
	if (!reply_ended(request)) {
		log_event(LOG_LEVEL_ERROR, "request: a chain ended unanswered",
		    LOG_TEXT("request_id", request->id),
		    LOG_TEXT("route", request->route));
		reply_error(request, ERROR_INTERNAL);
	}
	if (request->holds > 0)
		return;
	if (!reply_ready(request)) {
		log_event(LOG_LEVEL_ERROR, "request: an answer was held back",
		    LOG_TEXT("request_id", request->id),
		    LOG_TEXT("route", request->route));
		reply_release(request);
	}
}

void
request_run(struct request *request, step_fn step)
{
	bool outermost = !request->running;

	request->running = true;
	step(request);
	if (!outermost)
		return;
	request_settle(request);
	request->running = false;
	if (request->kore != NULL || !reply_ready(request))
		return;
	if (!request->done)
		reply_forget(request);
	if (request->holds == 0)
		request_free(request);
}

void
request_hold(struct request *request)
{
	request->holds++;
}

static void
step_nothing(struct request *request)
{
	(void)request;
}

void
request_release(struct request *request, step_fn next)
{
	assert(request->holds > 0);
	request->holds--;
	request_run(request, next != NULL ? next : step_nothing);
}

const char *
request_header(struct request *request, const char *name)
{
	return head_value(request->head, name);
}

/* RFC 6265: name=value pairs divided by "; ". */
static char *
cookie_find(struct request *request, const char *cookies, const char *name)
{
	size_t wanted = strlen(name), length;

	while (*cookies != '\0') {
		cookies += strspn(cookies, "; ");
		length = strcspn(cookies, ";");
		if (length > wanted && cookies[wanted] == '=' &&
		    strncmp(cookies, name, wanted) == 0) {
			cookies += wanted + 1;
			length -= wanted + 1;
			while (length > 0 && cookies[length - 1] == ' ')
				length--;
			if (length >= 2 && cookies[0] == '"' &&
			    cookies[length - 1] == '"') {
				cookies++;
				length -= 2;
			}
			return request_copy(request, cookies, length);
		}
		cookies += length;
	}
	return NULL;
}

const char *
request_cookie(struct request *request, const char *name)
{
	const struct head *head = request->head;
	const char *value = NULL;
	unsigned i;

	for (i = 0; i < head->count && value == NULL; i++)
		if (strcmp(head->fields[i].name, "cookie") == 0)
			value =
			    cookie_find(request, head->fields[i].value, name);
	return value;
}

const char *
request_path_part(struct request *request, unsigned index)
{
	const char *part = request->path + 1;
	size_t length;

	for (;;) {
		length = strcspn(part, "/");
		if (index == 0)
			return length == 0
			    ? NULL
			    : request_copy(request, part, length);
		if (part[length] == '\0')
			return NULL;
		part += length + 1;
		index--;
	}
}

struct sql_wait {
	struct request *request;
	sql_step_fn next;
	const struct pg_answer *answer;
};

static void
sql_step(struct request *request)
{
	struct sql_wait *wait = request->waiting;

	wait->next(request, wait->answer);
}

static void
sql_done(void *owner, const struct pg_answer *answer)
{
	struct sql_wait *wait = owner;

	wait->answer = answer;
	wait->request->waiting = wait;
	request_release(wait->request, sql_step);
}

void
request_sql(struct request *request, struct pg_pool *pool, int statement,
    struct pg_params *params, bool binary, sql_step_fn next)
{
	struct sql_wait *wait = request_alloc(request, sizeof(*wait));

	wait->request = request;
	wait->next = next;
	request_hold(request);
	pg_call(pool, statement, params, binary, REQUEST_SQL_DEADLINE_MS,
	    sql_done, wait);
}

bool
request_sql_ok(struct request *request, const struct pg_answer *answer)
{
	if (answer->status == PG_DONE)
		return true;
	log_event(
	    answer->status == PG_REFUSED ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
	    "request: the database did not answer",
	    LOG_TEXT("request_id", request->id),
	    LOG_TEXT("route", request->route),
	    LOG_NUMBER("status", answer->status),
	    LOG_TEXT("sqlstate", answer->sqlstate),
	    LOG_TEXT("reason", answer->message != NULL ? answer->message : ""));
	reply_error(request,
	    answer->status == PG_REFUSED ? ERROR_INTERNAL : ERROR_UNAVAILABLE);
	return false;
}

struct work_wait {
	struct request *request;
	thread_work_fn work;
	void *job;
	step_fn next;
};

static void
work_run(void *owner, void *scratch, size_t scratch_size)
{
	struct work_wait *wait = owner;

	wait->work(wait->job, scratch, scratch_size);
}

static void
work_done(void *owner)
{
	struct work_wait *wait = owner;

	request_release(wait->request, wait->next);
}

void
request_work(struct request *request, struct thread_pool *pool,
    thread_work_fn work, void *job, step_fn next)
{
	struct work_wait *wait = request_alloc(request, sizeof(*wait));

	wait->request = request;
	wait->work = work;
	wait->job = job;
	wait->next = next;
	if (!thread_pool_submit(pool, work_run, work_done, wait)) {
		reply_error(request, ERROR_OVERLOADED);
		return;
	}
	request_hold(request);
}

struct delay_wait {
	struct loop_timer timer;
	struct request *request;
	step_fn next;
};

static void
delay_over(struct loop_timer *timer, void *owner)
{
	struct delay_wait *wait = owner;

	(void)timer;
	request_release(wait->request, wait->next);
}

void
request_delay(struct request *request, uint32_t delay_ms, step_fn next)
{
	struct delay_wait *wait = request_alloc(request, sizeof(*wait));

	wait->request = request;
	wait->next = next;
	request_hold(request);
	loop_timer_set(&wait->timer, delay_ms, delay_over, wait);
}
