/*
 * One connection to Redis. A command that is late is told so at its deadline
 * and its reply, should it come, is dropped; a connection that stays silent
 * past that is given up. "Ready" means that the server has answered a PING.
 * Must never make anyone wait for Redis longer than they said.
 */
#include "io/redis.h"

#include <arpa/inet.h>
#include <assert.h>
#include <hiredis/async.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "io/entropy.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/memory.h"
#include "io/metrics.h"

#define CONNECT_TIMEOUT_MS 1000 /* until the PING is answered */
#define STALL_MS 1000 /* past a deadline the connection may stay silent */
#define BACKOFF_FIRST_MS 50 /* half of it is jitter */
#define BACKOFF_DOUBLINGS 6 /* up to 3.2 s */
#define ADDRESS_MAX 64
#define ARGUMENTS_MAX 64
#define PENDING_MAX 16384 /* commands at once; more are refused */
#define DONE_ROUNDS 1000 /* of commands whose answers make new commands */

struct command {
	TAILQ_ENTRY(command) next; /* in "refused" */
	struct loop_timer deadline;
	bool told;
	redis_done_fn done;
	void *owner;
	char *eval; /* the whole EVAL, for a server that lost the script */
	int eval_length;
};

TAILQ_HEAD(command_queue, command);

static struct {
	bool made, ready, down_logged;
	char ip[ADDRESS_MAX];
	int port;
	redisAsyncContext *context; /* hiredis frees it when it is lost */
	struct loop_watch *watch;
	uint32_t events;
	struct loop_timer life; /* no context: reconnect; else: ready by then */
	struct loop_timer refused_timer;
	struct command_queue refused;
	unsigned failures;
	int pending, depth; /* commands; callbacks */
} redis;

static void connection_begin(void);

/* ------------------------------------------------------------- answering */

static void
command_tell(struct command *command, const redisReply *reply)
{
	loop_timer_clear(&command->deadline);
	if (command->told)
		return;
	command->told = true;
	redis.depth++;
	command->done(command->owner, reply);
	redis.depth--;
}

static void
command_free(struct command *command)
{
	loop_timer_clear(&command->deadline);
	if (command->eval != NULL)
		redisFreeCommand(command->eval);
	free(command);
	redis.pending--;
}

static void
refused_run(struct loop_timer *timer, void *owner)
{
	struct command_queue told;
	struct command *command;

	(void)timer, (void)owner;
	TAILQ_INIT(&told);
	TAILQ_CONCAT(&told, &redis.refused, next);
	while ((command = TAILQ_FIRST(&told)) != NULL) {
		TAILQ_REMOVE(&told, command, next);
		command_tell(command, NULL);
		command_free(command);
	}
}

/* COMMAND will not be sent; its owner hears so in the next turn. */
static void
command_refuse(struct command *command)
{
	loop_timer_clear(&command->deadline);
	TAILQ_INSERT_TAIL(&redis.refused, command, next);
	loop_timer_set(&redis.refused_timer, 0, refused_run, NULL);
}

/* ------------------------------------------------------------- connection */

static void
connection_retry(struct loop_timer *timer, void *owner)
{
	(void)timer, (void)owner;
	connection_begin();
}

/* The connection is no more ours; the next attempt is set. */
static void
connection_lost(const char *why)
{
	unsigned doublings = redis.failures < BACKOFF_DOUBLINGS
	    ? redis.failures
	    : BACKOFF_DOUBLINGS;
	uint64_t whole_ms = (uint64_t)BACKOFF_FIRST_MS << doublings;
	uint32_t random;

	redis.context = NULL;
	redis.ready = false;
	metric_set(METRIC_REDIS_UP, 0, 0);
	if (!redis.made)
		return;
	if (!redis.down_logged)
		log_event(LOG_LEVEL_WARNING, "redis: no connection",
		    LOG_TEXT("reason", why));
	redis.down_logged = true;
	redis.failures++;
	entropy_fill(&random, sizeof(random));
	loop_timer_set(&redis.life, whole_ms / 2 + random % (whole_ms / 2 + 1),
	    connection_retry, NULL);
}

/* Gives the connection up; hiredis answers its commands with NULL. Never
 * inside a callback of hiredis. */
static void
connection_drop(const char *why)
{
	redisAsyncContext *context = redis.context;

	if (context == NULL)
		return;
	connection_lost(why);
	redisAsyncFree(context);
}

static void
connection_late(struct loop_timer *timer, void *owner)
{
	(void)timer, (void)owner;
	connection_drop("not ready in time");
}

static void
connection_ready(struct loop_watch *watch, uint32_t events, void *owner)
{
	redisAsyncContext *context = redis.context;

	(void)watch, (void)owner;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		redisAsyncHandleRead(context);
	if ((events & EPOLLOUT) && redis.context == context && context != NULL)
		redisAsyncHandleWrite(context);
}

static void
events_set(uint32_t added, uint32_t removed)
{
	redis.events = (redis.events | added) & ~removed;
	if (redis.watch != NULL)
		loop_watch_events(redis.watch, redis.events);
}

static void
read_add(void *owner)
{
	(void)owner;
	events_set(EPOLLIN, 0);
}

static void
read_remove(void *owner)
{
	(void)owner;
	events_set(0, EPOLLIN);
}

static void
write_add(void *owner)
{
	(void)owner;
	events_set(EPOLLOUT, 0);
}

static void
write_remove(void *owner)
{
	(void)owner;
	events_set(0, EPOLLOUT);
}

/* hiredis closes the socket after this. */
static void
watch_remove(void *owner)
{
	(void)owner;
	loop_watch_free(redis.watch);
	redis.watch = NULL;
}

/* The answer to the PING: from now on Redis is used. */
static void
ping_reply(redisAsyncContext *context, void *answer, void *owner)
{
	const redisReply *reply = answer;

	(void)owner;
	if (context != redis.context || reply == NULL)
		return;
	if (reply->type != REDIS_REPLY_STATUS) {
		/* Loading, or it wants a password: dropped in the next turn. */
		loop_timer_set(&redis.life, 0, connection_late, NULL);
		return;
	}
	loop_timer_clear(&redis.life);
	redis.ready = true;
	redis.failures = 0;
	metric_set(METRIC_REDIS_UP, 0, 1);
	if (redis.down_logged)
		log_event(LOG_LEVEL_INFO, "redis: connected");
	redis.down_logged = false;
}

static void
connection_made(const redisAsyncContext *context, int status)
{
	if (context == redis.context && status != REDIS_OK)
		connection_lost(context->errstr);
}

static void
connection_ended(const redisAsyncContext *context, int status)
{
	if (context == redis.context)
		connection_lost(
		    status == REDIS_OK ? "closed" : context->errstr);
}

static void
connection_begin(void)
{
	redisAsyncContext *context = redisAsyncConnect(redis.ip, redis.port);

	redis.context = context;
	redis.events = 0;
	if (context == NULL || context->err != 0) {
		connection_lost(context ? context->errstr : "out of memory");
		if (context != NULL)
			redisAsyncFree(context);
		return;
	}
	redis.watch = loop_watch_new(context->c.fd, 0, connection_ready, NULL);
	context->ev.addRead = read_add;
	context->ev.delRead = read_remove;
	context->ev.addWrite = write_add;
	context->ev.delWrite = write_remove;
	context->ev.cleanup = watch_remove;
	loop_timer_set(&redis.life, CONNECT_TIMEOUT_MS, connection_late, NULL);
	if (redis.watch == NULL ||
	    redisAsyncSetConnectCallback(context, connection_made) !=
		REDIS_OK ||
	    redisAsyncSetDisconnectCallback(context, connection_ended) !=
		REDIS_OK ||
	    redisAsyncCommand(context, ping_reply, NULL, "PING") != REDIS_OK)
		connection_drop("cannot be watched");
}

/* --------------------------------------------------------------- commands */

static void
command_stalled(struct loop_timer *timer, void *owner)
{
	(void)timer, (void)owner;
	connection_drop("no answer before the deadline");
}

static void
command_late(struct loop_timer *timer, void *owner)
{
	struct command *command = owner;

	command_tell(command, NULL);
	loop_timer_set(timer, STALL_MS, command_stalled, command);
}

/* True when REPLY says that the server does not know the script. */
static bool
reply_lacks_script(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR &&
	    strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

static void
command_reply(redisAsyncContext *context, void *answer, void *owner)
{
	struct command *command = owner;
	const redisReply *reply = answer;
	char *eval = command->eval;
	int sent;

	if (reply == NULL || eval == NULL || command->told ||
	    !reply_lacks_script(reply)) {
		command_tell(command, reply);
		command_free(command);
		return;
	}
	command->eval = NULL; /* sent whole once, not again */
	sent = redisAsyncFormattedCommand(context, command_reply, command, eval,
	    (size_t)command->eval_length);
	redisFreeCommand(eval);
	if (sent != REDIS_OK)
		command_refuse(command);
}

static struct command *
command_new(redis_done_fn done, void *owner)
{
	struct command *command = memory_new(1, sizeof(*command));

	assert(redis.made && done != NULL);
	command->done = done;
	command->owner = owner;
	redis.pending++;
	return command;
}

static void
command_send(struct command *command, int argc, const char **argv,
    const size_t *lengths, uint32_t deadline_ms)
{
	if (!redis.ready || redis.pending > PENDING_MAX ||
	    redisAsyncCommandArgv(redis.context, command_reply, command, argc,
		argv, lengths) != REDIS_OK)
		command_refuse(command);
	else
		loop_timer_set(
		    &command->deadline, deadline_ms, command_late, command);
}

void
redis_call(int argc, const char **argv, const size_t *lengths,
    uint32_t deadline_ms, redis_done_fn done, void *owner)
{
	struct command *command = command_new(done, owner);

	command_send(command, argc, argv, lengths, deadline_ms);
}

/* The hexadecimal SHA-1 by which Redis names a script. */
static void
script_name(struct redis_script *script)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	int made;

	if (script->sha1[0] != '\0')
		return;
	made = EVP_Digest(script->source, strlen(script->source), digest,
	    &length, EVP_sha1(), NULL);
	assert(made == 1 && length == 20);
	(void)made;
	for (unsigned i = 0; i < length; i++)
		(void)snprintf(script->sha1 + 2 * i, 3, "%02x", digest[i]);
}

void
redis_eval(struct redis_script *script, int keys, int argc, const char **argv,
    const size_t *lengths, uint32_t deadline_ms, redis_done_fn done,
    void *owner)
{
	struct command *command = command_new(done, owner);
	const char *parts[ARGUMENTS_MAX + 3] = { "EVAL", script->source };
	size_t sizes[ARGUMENTS_MAX + 3] = { 4, strlen(script->source) };
	char count[16];

	assert(argc >= 0 && argc <= ARGUMENTS_MAX && keys <= argc);
	script_name(script);
	sizes[2] = (size_t)snprintf(count, sizeof(count), "%d", keys);
	parts[2] = count;
	for (int i = 0; i < argc; i++) {
		parts[i + 3] = argv[i];
		sizes[i + 3] = lengths ? lengths[i] : strlen(argv[i]);
	}
	if (!redis.ready) {
		command_refuse(command);
		return;
	}
	command->eval_length =
	    redisFormatCommandArgv(&command->eval, argc + 3, parts, sizes);
	if (command->eval_length < 0) {
		command->eval = NULL;
		command_refuse(command);
		return;
	}
	parts[0] = "EVALSHA";
	sizes[0] = 7;
	parts[1] = script->sha1;
	sizes[1] = sizeof(script->sha1) - 1;
	command_send(command, argc + 3, parts, sizes, deadline_ms);
}

/* ------------------------------------------------------------------- life */

/* Splits ip:port or [ip]:port; numbers only, for a name would be resolved
 * while everyone waits. */
static bool
address_read(const char *address)
{
	unsigned char binary[sizeof(struct in6_addr)];
	const char *colon = strrchr(address, ':');
	bool bracketed = address[0] == '[';
	size_t length;
	char *end;
	long port;

	if (colon == NULL)
		return false;
	length = (size_t)(colon - address);
	if (bracketed && (length < 2 || address[length - 1] != ']'))
		return false;
	length -= bracketed ? 2 : 0;
	if (length >= sizeof(redis.ip) || colon[1] < '0' || colon[1] > '9')
		return false;
	memcpy(redis.ip, address + (bracketed ? 1 : 0), length);
	redis.ip[length] = '\0';
	port = strtol(colon + 1, &end, 10);
	if (*end != '\0' || port < 1 || port > 65535)
		return false;
	redis.port = (int)port;
	return inet_pton(bracketed ? AF_INET6 : AF_INET, redis.ip, binary) == 1;
}

bool
redis_init(const char *address)
{
	if (redis.made)
		return true;
	memset(&redis, 0, sizeof(redis));
	TAILQ_INIT(&redis.refused);
	if (!address_read(address))
		return false;
	redis.made = true;
	connection_begin();
	return true;
}

bool
redis_ready(void)
{
	return redis.ready;
}

void
redis_done(void)
{
	if (!redis.made)
		return;
	assert(redis.depth == 0);
	redis.ready = false;
	redis.down_logged = true; /* our own doing is no news */
	connection_drop("done");
	for (int i = 0; i < DONE_ROUNDS && !TAILQ_EMPTY(&redis.refused); i++)
		refused_run(NULL, NULL);
	assert(redis.pending == 0);
	loop_timer_clear(&redis.life);
	loop_timer_clear(&redis.refused_timer);
	redis.made = false;
}
