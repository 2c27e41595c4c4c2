/*
 * The pool: connections that live by themselves (connect, prepare, ready,
 * down, again), a queue of calls that wait, and for each connection the calls
 * it has sent. Each call is a pipeline of its own (its own Sync), so an error
 * in one never touches another, and its answer is given only after the Sync,
 * which is where its transaction commits. Must never give an answer twice, and
 * must never call "done" what may not have happened.
 */
#include "io/pg.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/memory.h"
#include "io/metrics.h"
#include "io/pg_connect.h"

#define CONNECTIONS_MAX 64
#define BACKOFF_FIRST_MS 50 /* half of it is jitter */
#define BACKOFF_DOUBLINGS 7 /* up to 6.4 s */
#define STEADY_MS 1000 /* a connection this old starts its backoff anew */
#define STALL_MS 1000 /* past its deadline the oldest call may hold up others */
#define PULSE_MS 1000 /* an idle connection is asked this often */
#define PULSE_DEADLINE_MS 2000
#define PULSE (-1) /* in place of a statement: nothing but a Sync */
#define MESSAGE_MAX 512
#define FREE_ROUNDS 1000 /* of calls whose answers make new calls */

struct call {
	TAILQ_ENTRY(call) next;
	int statement;
	bool binary, answered;
	struct pg_params params;
	uint64_t deadline_ms;
	pg_done_fn done;
	void *owner;
	const char *refusal; /* in "finished": why it was not sent */
};

TAILQ_HEAD(call_queue, call);

enum connection_state { DOWN, CONNECTING, PREPARING, READY };

struct connection {
	struct pg_pool *pool;
	enum connection_state state;
	bool broken; /* found while sending: taken down by the life timer */
	PGconn *link;
	struct loop_watch *watch;
	struct loop_timer life; /* DOWN: reconnect; else: must be ready by */
	struct loop_timer deadline; /* of the calls sent */
	struct loop_timer pulse; /* READY: whether the server still answers */
	uint64_t deadline_armed_ms;
	uint64_t ready_since_ms;
	unsigned failures;
	struct call_queue sent;
	int in_flight;
	PGresult *result; /* of the oldest call, until its Sync */
	int preparing; /* index of the statement whose answer comes next */
};

struct pg_pool {
	const char *name;
	char *conninfo;
	const struct pg_statement *statements;
	int statement_count, connection_count, in_flight_max, queue_max;
	uint32_t statement_timeout_ms;
	struct connection *connections;
	struct call_queue waiting; /* for a connection */
	int waiting_count;
	struct call_queue finished; /* refused inside pg_call, told next turn */
	struct loop_timer waiting_timer, finished_timer;
	uint64_t waiting_armed_ms;
	uint64_t reconnects, expired;
	bool down_logged, closing;
	int depth; /* of callbacks: the pool must not be freed inside */
};

static void connection_begin(struct connection *c);
static void connection_ready(
    struct loop_watch *watch, uint32_t events, void *owner);
static void pool_pump(struct pg_pool *pool);

/* ------------------------------------------------------------- answering */

/* Tells CALL its answer and forgets it. */
static void
call_tell(struct pg_pool *pool, struct call *call, struct pg_answer *answer)
{
	if (!call->answered) {
		call->answered = true;
		pool->depth++;
		call->done(call->owner, answer);
		pool->depth--;
	}
}

static void
call_free(struct call *call)
{
	pg_params_free(&call->params);
	free(call);
}

static void
call_tell_status(struct pg_pool *pool, struct call *call, enum pg_status status,
    const char *message)
{
	struct pg_answer answer = { .status = status, .message = message };

	call_tell(pool, call, &answer);
}

static void
finished_run(struct loop_timer *timer, void *owner)
{
	struct pg_pool *pool = owner;
	struct call_queue told;
	struct call *call;

	(void)timer;
	TAILQ_INIT(&told);
	TAILQ_CONCAT(&told, &pool->finished, next);
	while ((call = TAILQ_FIRST(&told)) != NULL) {
		TAILQ_REMOVE(&told, call, next);
		call_tell_status(pool, call, PG_UNAVAILABLE, call->refusal);
		call_free(call);
	}
}

/* CALL was not sent and will not be; it is told so in the next turn. */
static void
call_refuse(struct pg_pool *pool, struct call *call, const char *why)
{
	call->refusal = why;
	TAILQ_INSERT_TAIL(&pool->finished, call, next);
	loop_timer_set(&pool->finished_timer, 0, finished_run, pool);
}

/* Gives the oldest call its result, whose Sync has come. */
static void
call_answer(struct connection *c, struct call *call)
{
	struct pg_answer answer = { .rows = c->result };
	ExecStatusType status = PQresultStatus(c->result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		answer.status = PG_DONE;
	} else {
		const char *sqlstate = c->result
		    ? PQresultErrorField(c->result, PG_DIAG_SQLSTATE)
		    : NULL;

		answer.status = sqlstate ? PG_REFUSED : PG_UNKNOWN;
		answer.rows = NULL;
		answer.message =
		    c->result ? PQresultErrorMessage(c->result) : "no result";
		if (sqlstate != NULL)
			memcpy(answer.sqlstate, sqlstate,
			    strnlen(sqlstate, sizeof(answer.sqlstate) - 1));
	}
	call_tell(c->pool, call, &answer);
	PQclear(c->result);
	c->result = NULL;
}

/* -------------------------------------------------------------- deadlines */

static uint64_t
delay_until(uint64_t due_ms)
{
	uint64_t now_ms = clock_monotonic_ms();

	return due_ms > now_ms ? due_ms - now_ms : 0;
}

static void
waiting_remove(struct pg_pool *pool, struct call *call)
{
	TAILQ_REMOVE(&pool->waiting, call, next);
	pool->waiting_count--;
	metric_add(METRIC_PG_WAITING, 0, (uint64_t)-1);
}

static void
expired_count(struct pg_pool *pool)
{
	pool->expired++;
	metric_add(METRIC_PG_EXPIRED, 0, 1);
}

/* Fires at the first deadline of those that wait; never later is checked. */
static void
waiting_expire(struct loop_timer *timer, void *owner)
{
	struct pg_pool *pool = owner;
	uint64_t now_ms = clock_monotonic_ms(), next_ms = UINT64_MAX;
	struct call_queue late;
	struct call *call, *next;

	(void)timer;
	TAILQ_INIT(&late);
	for (call = TAILQ_FIRST(&pool->waiting); call != NULL; call = next) {
		next = TAILQ_NEXT(call, next);
		if (call->deadline_ms > now_ms) {
			if (call->deadline_ms < next_ms)
				next_ms = call->deadline_ms;
			continue;
		}
		waiting_remove(pool, call);
		TAILQ_INSERT_TAIL(&late, call, next);
	}
	pool->waiting_armed_ms = next_ms;
	if (next_ms != UINT64_MAX)
		loop_timer_set(&pool->waiting_timer, delay_until(next_ms),
		    waiting_expire, pool);
	while ((call = TAILQ_FIRST(&late)) != NULL) {
		TAILQ_REMOVE(&late, call, next);
		expired_count(pool);
		call_tell_status(pool, call, PG_UNAVAILABLE,
		    "no connection before the deadline");
		call_free(call);
	}
	pool_pump(pool); /* calls made meanwhile waited behind the late ones */
}

static void
waiting_add(struct pg_pool *pool, struct call *call)
{
	TAILQ_INSERT_TAIL(&pool->waiting, call, next);
	pool->waiting_count++;
	metric_add(METRIC_PG_WAITING, 0, 1);
	if (call->deadline_ms >= pool->waiting_armed_ms)
		return;
	pool->waiting_armed_ms = call->deadline_ms;
	loop_timer_set(&pool->waiting_timer, delay_until(call->deadline_ms),
	    waiting_expire, pool);
}

static void connection_down(struct connection *c, const char *why);
static void connection_pulse(struct loop_timer *timer, void *owner);
static void sent_expire(struct loop_timer *timer, void *owner);

static void
deadline_arm(struct connection *c, uint64_t due_ms)
{
	if (due_ms >= c->deadline_armed_ms)
		return;
	c->deadline_armed_ms = due_ms;
	loop_timer_set(&c->deadline, delay_until(due_ms), sent_expire, c);
}

/* A late call is told UNKNOWN at its deadline and keeps its place in the
 * pipeline; one that then holds up the others costs the connection. */
static void
sent_expire(struct loop_timer *timer, void *owner)
{
	struct connection *c = owner;
	struct pg_pool *pool = c->pool;
	uint64_t now_ms = clock_monotonic_ms();
	struct call *call = TAILQ_FIRST(&c->sent);

	(void)timer;
	c->deadline_armed_ms = UINT64_MAX;
	if (call != NULL && call->deadline_ms + STALL_MS <= now_ms) {
		connection_down(c, "no answer before the deadline");
		return;
	}
	if (call != NULL)
		deadline_arm(c, call->deadline_ms + STALL_MS);
	/* Callbacks may add calls at the end, nothing is removed meanwhile. */
	TAILQ_FOREACH(call, &c->sent, next) {
		if (call->answered)
			continue;
		if (call->deadline_ms > now_ms) {
			deadline_arm(c, call->deadline_ms);
			continue;
		}
		expired_count(pool);
		call_tell_status(
		    pool, call, PG_UNKNOWN, "no answer before the deadline");
	}
}

/* ------------------------------------------------------------ connections */

static void
connection_retry(struct loop_timer *timer, void *owner)
{
	struct connection *c = owner;

	(void)timer;
	if (c->state == DOWN)
		connection_begin(c);
	else if (c->broken)
		connection_down(c, PQerrorMessage(c->link));
	else
		connection_down(c, "connecting took too long");
}

static uint64_t
backoff_ms(unsigned failures)
{
	unsigned doublings =
	    failures < BACKOFF_DOUBLINGS ? failures : BACKOFF_DOUBLINGS;
	uint64_t whole = (uint64_t)BACKOFF_FIRST_MS << doublings;
	uint32_t random;

	entropy_fill(&random, sizeof(random));
	return whole / 2 + random % (whole / 2 + 1);
}

static int
pool_ready_count(const struct pg_pool *pool)
{
	int ready = 0;

	for (int i = 0; i < pool->connection_count; i++)
		ready += pool->connections[i].state == READY;
	return ready;
}

/* Takes C down, tells its calls that their outcome is unknown, and sets the
 * time of the next attempt. */
static void
connection_down(struct connection *c, const char *why)
{
	struct pg_pool *pool = c->pool;
	struct call_queue lost;
	struct call *call;
	char reason[MESSAGE_MAX];

	(void)snprintf(reason, sizeof(reason), "%s", why);
	if (c->state == READY) {
		pool->reconnects++;
		metric_add(METRIC_PG_RECONNECTS, 0, 1);
		if (delay_until(c->ready_since_ms + STEADY_MS) == 0)
			c->failures = 0;
	}
	c->state = DOWN;
	c->broken = false;
	loop_watch_free(c->watch);
	c->watch = NULL;
	loop_timer_clear(&c->deadline);
	loop_timer_clear(&c->pulse);
	c->deadline_armed_ms = UINT64_MAX;
	PQclear(c->result);
	c->result = NULL;
	PQfinish(c->link);
	c->link = NULL;
	if (!pool->closing)
		loop_timer_set(
		    &c->life, backoff_ms(c->failures++), connection_retry, c);
	if (!pool->down_logged && !pool->closing &&
	    pool_ready_count(pool) == 0) {
		pool->down_logged = true;
		log_event(LOG_LEVEL_WARNING, "pg: no connection",
		    LOG_TEXT("pool", pool->name), LOG_TEXT("reason", reason));
	}
	TAILQ_INIT(&lost);
	TAILQ_CONCAT(&lost, &c->sent, next);
	c->in_flight = 0;
	while ((call = TAILQ_FIRST(&lost)) != NULL) {
		TAILQ_REMOVE(&lost, call, next);
		call_tell_status(pool, call, PG_UNKNOWN, reason);
		call_free(call);
	}
}

/* Found while sending, maybe inside pg_call: down in the next turn. */
static void
connection_break(struct connection *c)
{
	c->broken = true;
	loop_timer_set(&c->life, 0, connection_retry, c);
}

/* Watches the connection's socket for EVENTS; down when it cannot. */
static bool
connection_watch(struct connection *c, uint32_t events)
{
	if (c->watch == NULL)
		c->watch = loop_watch_new(
		    PQsocket(c->link), events, connection_ready, c);
	else
		loop_watch_events(c->watch, events);
	if (c->watch == NULL)
		connection_down(c, "socket cannot be watched");
	return c->watch != NULL;
}

/* While connecting libpq closes sockets and opens others, with the same
 * number too: each step begins a watch of its own. */
static void
connection_poll(struct connection *c, PostgresPollingStatusType wanted)
{
	loop_watch_free(c->watch);
	c->watch = NULL;
	(void)connection_watch(
	    c, wanted == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT);
}

static void
connection_begin(struct connection *c)
{
	const struct pg_pool *pool = c->pool;

	c->state = CONNECTING;
	c->link = pg_connect_begin(
	    pool->conninfo, pool->name, pool->statement_timeout_ms);
	if (c->link == NULL || PQstatus(c->link) == CONNECTION_BAD) {
		connection_down(
		    c, c->link ? PQerrorMessage(c->link) : "out of memory");
		return;
	}
	loop_timer_set(&c->life, PG_CONNECT_TIMEOUT_MS, connection_retry, c);
	connection_poll(c, PGRES_POLLING_WRITING);
}

/* Writes what libpq holds. False: the connection is lost. */
static bool
connection_flush(struct connection *c)
{
	int left = PQflush(c->link);

	if (left < 0)
		return false;
	if (c->watch != NULL)
		loop_watch_events(
		    c->watch, left ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

static void
connection_prepare(struct connection *c)
{
	const struct pg_pool *pool = c->pool;
	bool sent = PQsetnonblocking(c->link, 1) == 0 &&
	    PQenterPipelineMode(c->link) == 1;

	c->state = PREPARING;
	c->preparing = 0;
	loop_watch_free(c->watch);
	c->watch = NULL;
	if (!connection_watch(c, EPOLLIN))
		return;
	for (int i = 0; sent && i < pool->statement_count; i++)
		sent = PQsendPrepare(c->link, pool->statements[i].name,
			   pool->statements[i].sql, 0, NULL) == 1;
	if (!sent || PQpipelineSync(c->link) != 1 || !connection_flush(c))
		connection_down(c, PQerrorMessage(c->link));
}

/* C is ready: the server is back, so the others need not wait long. */
static void
connection_serve(struct connection *c)
{
	struct pg_pool *pool = c->pool;

	for (int i = 0; i < pool->connection_count; i++) {
		struct connection *other = &pool->connections[i];

		if (other->state == DOWN)
			loop_timer_set(&other->life, backoff_ms(0),
			    connection_retry, other);
	}

	c->state = READY;
	c->ready_since_ms = clock_monotonic_ms();
	loop_timer_clear(&c->life);
	loop_timer_set(&c->pulse, PULSE_MS, connection_pulse, c);
	if (pool->down_logged)
		log_event(LOG_LEVEL_INFO, "pg: connected",
		    LOG_TEXT("pool", pool->name));
	pool->down_logged = false;
	pool_pump(pool);
}

/* One result while PREPARING. False when the connection went down. */
static bool
prepared_take(struct connection *c, PGresult *result)
{
	const struct pg_pool *pool = c->pool;
	ExecStatusType status = PQresultStatus(result);
	char why[MESSAGE_MAX];

	if (status == PGRES_COMMAND_OK) {
		c->preparing++;
		PQclear(result);
		return true;
	}
	if (status == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		connection_serve(c);
		return true;
	}
	(void)snprintf(why, sizeof(why), "prepare %s: %s",
	    c->preparing < pool->statement_count
		? pool->statements[c->preparing].name
		: "?",
	    PQresultErrorMessage(result));
	PQclear(result);
	connection_down(c, why);
	return false;
}

/* One result while READY: a call's, or the Sync that ends it. */
static void
result_take(struct connection *c, PGresult *result)
{
	struct call *call = TAILQ_FIRST(&c->sent);

	if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
		/* An error stays: the commit at the Sync can still fail. */
		if (c->result != NULL &&
		    PQresultStatus(c->result) == PGRES_FATAL_ERROR) {
			PQclear(result);
			return;
		}
		PQclear(c->result);
		c->result = result;
		return;
	}
	PQclear(result);
	assert(call != NULL);
	TAILQ_REMOVE(&c->sent, call, next);
	c->in_flight--;
	call_answer(c, call);
	call_free(call);
}

/* Takes all results that are there without waiting. */
static void
results_take(struct connection *c)
{
	bool ended = false; /* the last "result" was the end of a round */

	while (c->state == PREPARING || c->state == READY) {
		PGresult *result;

		if (c->state == READY && TAILQ_EMPTY(&c->sent))
			return;
		if (PQisBusy(c->link))
			return;
		result = PQgetResult(c->link);
		if (result == NULL && ended)
			return;
		ended = result == NULL;
		if (result == NULL)
			continue;
		if (c->state == READY)
			result_take(c, result);
		else if (!prepared_take(c, result))
			return;
	}
}

static void
connection_ready(struct loop_watch *watch, uint32_t events, void *owner)
{
	struct connection *c = owner;
	PostgresPollingStatusType wanted;

	(void)watch;
	if (c->state == CONNECTING) {
		wanted = PQconnectPoll(c->link);
		if (wanted == PGRES_POLLING_OK)
			connection_prepare(c);
		else if (wanted == PGRES_POLLING_FAILED)
			connection_down(c, PQerrorMessage(c->link));
		else
			connection_poll(c, wanted);
		return;
	}
	if ((events & EPOLLOUT) && !connection_flush(c)) {
		connection_down(c, PQerrorMessage(c->link));
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		bool alive = PQconsumeInput(c->link) == 1;

		results_take(c);
		if (c->state == DOWN)
			return;
		if (!alive || PQstatus(c->link) == CONNECTION_BAD) {
			connection_down(c, PQerrorMessage(c->link));
			return;
		}
		pool_pump(c->pool);
	}
}

/* ---------------------------------------------------------------- calling */

/* The ready connection with the fewest calls, if one has room. */
static struct connection *
connection_choose(struct pg_pool *pool)
{
	struct connection *best = NULL;

	for (int i = 0; i < pool->connection_count; i++) {
		struct connection *c = &pool->connections[i];

		if (c->state != READY || c->broken ||
		    c->in_flight >= pool->in_flight_max)
			continue;
		if (best == NULL || c->in_flight < best->in_flight)
			best = c;
		if (best->in_flight == 0)
			break;
	}
	return best;
}

/* What stands before CALL's Sync: a statement, or nothing for a pulse. */
static bool
call_put(struct connection *c, struct call *call)
{
	return call->statement == PULSE ||
	    pg_params_send(&call->params, c->link,
		c->pool->statements[call->statement].name, call->binary) == 1;
}

/* Sends CALL on C. From the first byte that libpq takes, its outcome is the
 * connection's. */
static void
call_send(struct connection *c, struct call *call)
{
	TAILQ_INSERT_TAIL(&c->sent, call, next);
	c->in_flight++;
	deadline_arm(c, call->deadline_ms);
	if (!call_put(c, call) || PQpipelineSync(c->link) != 1 ||
	    !connection_flush(c))
		connection_break(c);
	pg_params_free(&call->params);
}

static void
pulse_answered(void *owner, const struct pg_answer *answer)
{
	(void)owner;
	(void)answer; /* an answer too late has cost the connection already */
}

/* A server can hang without closing anything. Who asks nothing would not notice
 * and call itself ready, so an idle connection is asked for a bare Sync, which
 * is a call like any other: without an answer the connection is lost. */
static void
connection_pulse(struct loop_timer *timer, void *owner)
{
	struct connection *c = owner;

	loop_timer_set(timer, PULSE_MS, connection_pulse, c);
	if (TAILQ_EMPTY(&c->sent) && !c->broken) {
		struct call *call = memory_new(1, sizeof(*call));

		call->statement = PULSE;
		call->deadline_ms = clock_monotonic_ms() + PULSE_DEADLINE_MS;
		call->done = pulse_answered;
		pg_params_init(&call->params);
		call_send(c, call);
	}
}

/* Sends what waits while a connection has room. */
static void
pool_pump(struct pg_pool *pool)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct call *call, *next;

	for (call = TAILQ_FIRST(&pool->waiting); call != NULL; call = next) {
		struct connection *c;

		next = TAILQ_NEXT(call, next);
		if (call->deadline_ms <= now_ms)
			continue; /* its timer tells it */
		c = connection_choose(pool);
		if (c == NULL)
			return;
		waiting_remove(pool, call);
		call_send(c, call);
	}
}

void
pg_call(struct pg_pool *pool, int statement, struct pg_params *params,
    bool binary, uint32_t deadline_ms, pg_done_fn done, void *owner)
{
	struct call *call = memory_new(1, sizeof(*call));
	struct connection *c;

	assert(statement >= 0 && statement < pool->statement_count);
	assert(done != NULL);
	call->statement = statement;
	call->binary = binary;
	call->deadline_ms = clock_monotonic_ms() + deadline_ms;
	call->done = done;
	call->owner = owner;
	if (params != NULL) {
		call->params = *params;
		pg_params_init(params);
	}
	/* Who waits already goes first. */
	c = pool->waiting_count == 0 ? connection_choose(pool) : NULL;
	if (call->params.failed || call->params.array_left != 0)
		call_refuse(pool, call, "malformed parameters");
	else if (pool->closing)
		call_refuse(pool, call, "pool is closing");
	else if (c != NULL)
		call_send(c, call);
	else if (pool->waiting_count < pool->queue_max)
		waiting_add(pool, call);
	else
		call_refuse(pool, call, "queue is full");
}

/* ------------------------------------------------------------------- life */

static void
pool_release(struct pg_pool *pool)
{
	free(pool->connections);
	if (pool->conninfo != NULL)
		explicit_bzero(pool->conninfo, strlen(pool->conninfo));
	free(pool->conninfo);
	free(pool);
}

struct pg_pool *
pg_pool_new(const struct pg_options *options)
{
	struct pg_pool *pool;

	assert(options->connections >= 1 &&
	    options->connections <= CONNECTIONS_MAX);
	assert(options->in_flight >= 1 && options->queue >= 0);
	if (!pg_conninfo_check(options->conninfo, options->name))
		return NULL;
	pool = memory_new(1, sizeof(*pool));
	pool->name = options->name;
	pool->conninfo = memory_text(options->conninfo);
	pool->statements = options->statements;
	while (pool->statements[pool->statement_count].name != NULL)
		pool->statement_count++;
	pool->connection_count = options->connections;
	pool->in_flight_max = options->in_flight;
	pool->queue_max = options->queue;
	pool->statement_timeout_ms = options->statement_timeout_ms;
	TAILQ_INIT(&pool->waiting);
	TAILQ_INIT(&pool->finished);
	pool->waiting_armed_ms = UINT64_MAX;
	pool->connections = memory_new(
	    (size_t)options->connections, sizeof(*pool->connections));
	for (int i = 0; i < pool->connection_count; i++) {
		struct connection *c = &pool->connections[i];

		c->pool = pool;
		c->deadline_armed_ms = UINT64_MAX;
		TAILQ_INIT(&c->sent);
	}
	for (int i = 0; i < pool->connection_count; i++)
		connection_begin(&pool->connections[i]);
	return pool;
}

void
pg_pool_free(struct pg_pool *pool)
{
	struct call *call;

	if (pool == NULL)
		return;
	assert(pool->depth == 0);
	pool->closing = true;
	while ((call = TAILQ_FIRST(&pool->waiting)) != NULL) {
		waiting_remove(pool, call);
		call_refuse(pool, call, "pool is closing");
	}
	for (int i = 0; i < pool->connection_count; i++) {
		connection_down(&pool->connections[i], "pool is closing");
		loop_timer_clear(&pool->connections[i].life);
	}
	for (int i = 0; i < FREE_ROUNDS && !TAILQ_EMPTY(&pool->finished); i++)
		finished_run(NULL, pool);
	assert(TAILQ_EMPTY(&pool->finished));
	loop_timer_clear(&pool->waiting_timer);
	loop_timer_clear(&pool->finished_timer);
	pool_release(pool);
}

void
pg_pool_counts(const struct pg_pool *pool, struct pg_counts *counts)
{
	*counts = (struct pg_counts){
		.ready = pool_ready_count(pool),
		.connections = pool->connection_count,
		.waiting = pool->waiting_count,
		.reconnects = pool->reconnects,
		.expired = pool->expired,
	};
	for (int i = 0; i < pool->connection_count; i++)
		counts->in_flight += pool->connections[i].in_flight;
}
