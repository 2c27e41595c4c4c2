/*
 * The blocking connection of a job, on libpq's non-blocking calls and poll, so
 * that no step outlasts its deadline. After a lost connection nothing of it is
 * used again.
 */
#include "io/pg_sync.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/memory.h"
#include "io/pg_connect.h"

#define MESSAGE_MAX 512
#define ANSWER_GRACE_MS 1000 /* the server's own timeout comes first */

struct pg_sync {
	const char *name;
	char *conninfo;
	const struct pg_statement *statements;
	uint32_t deadline_ms;
	PGconn *link;
	char message[MESSAGE_MAX];
	char sqlstate[6];
};

struct pg_sync *
pg_sync_new(const struct pg_sync_options *options)
{
	struct pg_sync *sync;

	if (!pg_conninfo_check(options->conninfo, options->name))
		return NULL;
	sync = memory_new(1, sizeof(*sync));
	sync->name = options->name;
	sync->conninfo = memory_text(options->conninfo);
	sync->statements = options->statements;
	sync->deadline_ms = options->deadline_ms;
	return sync;
}

static void
message_set(struct pg_sync *sync, const char *message, const char *sqlstate)
{
	(void)snprintf(sync->message, sizeof(sync->message), "%s", message);
	(void)snprintf(sync->sqlstate, sizeof(sync->sqlstate), "%s",
	    sqlstate ? sqlstate : "");
}

/* The connection is lost, with REASON or what libpq says. */
static enum pg_status
sync_lose(struct pg_sync *sync, const char *reason)
{
	if (reason == NULL)
		reason = sync->link ? PQerrorMessage(sync->link) : "no memory";
	message_set(sync, reason, NULL);
	PQfinish(sync->link);
	sync->link = NULL;
	return PG_UNKNOWN;
}

/* Waits for EVENTS (POLLIN, POLLOUT) on the connection until DUE_MS. */
static bool
sync_wait(const struct pg_sync *sync, short events, uint64_t due_ms)
{
	for (;;) {
		struct pollfd ready = { .fd = PQsocket(sync->link),
			.events = events };
		uint64_t now_ms = clock_monotonic_ms();
		int count;

		if (now_ms >= due_ms)
			return false;
		count = poll(&ready, 1, (int)(due_ms - now_ms));
		if (count > 0)
			return true;
		if (count == -1 && errno != EINTR)
			return false;
	}
}

/* Waits until the one command that was sent is through; its last result, or
 * NULL when the connection or the deadline is lost. */
static PGresult *
sync_finish(struct pg_sync *sync, uint64_t due_ms)
{
	PGresult *last = NULL, *result;
	int left;

	while ((left = PQflush(sync->link)) == 1)
		if (!sync_wait(sync, POLLIN | POLLOUT, due_ms) ||
		    PQconsumeInput(sync->link) != 1)
			return NULL;
	if (left < 0)
		return NULL;
	for (;;) {
		while (PQisBusy(sync->link)) {
			if (!sync_wait(sync, POLLIN, due_ms) ||
			    PQconsumeInput(sync->link) != 1) {
				PQclear(last);
				return NULL;
			}
		}
		result = PQgetResult(sync->link);
		if (result == NULL)
			break;
		PQclear(last);
		last = result;
	}
	if (PQstatus(sync->link) == CONNECTION_BAD) {
		PQclear(last);
		return NULL;
	}
	return last;
}

/* Finishes a command whose sending gave SENT. */
static enum pg_status
sync_answer(struct pg_sync *sync, int sent, PGresult **rows)
{
	uint64_t due_ms =
	    clock_monotonic_ms() + sync->deadline_ms + ANSWER_GRACE_MS;
	PGresult *result = sent ? sync_finish(sync, due_ms) : NULL;
	ExecStatusType status;

	if (result == NULL)
		return sync_lose(sync,
		    clock_monotonic_ms() >= due_ms
			? "no answer before the deadline"
			: NULL);
	status = PQresultStatus(result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		message_set(sync, PQresultErrorMessage(result),
		    PQresultErrorField(result, PG_DIAG_SQLSTATE));
		PQclear(result);
		return PG_REFUSED;
	}
	if (rows != NULL)
		*rows = result;
	else
		PQclear(result);
	return PG_DONE;
}

/* Drives a begun connection to its end. */
static bool
sync_handshake(struct pg_sync *sync, uint64_t due_ms)
{
	PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;

	while (wanted != PGRES_POLLING_OK) {
		if (wanted == PGRES_POLLING_FAILED)
			return false;
		if (!sync_wait(sync,
			wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT,
			due_ms))
			return false;
		wanted = PQconnectPoll(sync->link);
	}
	return PQsetnonblocking(sync->link, 1) == 0;
}

bool
pg_sync_connect(struct pg_sync *sync)
{
	uint64_t due_ms = clock_monotonic_ms() + PG_CONNECT_TIMEOUT_MS;

	if (sync->link != NULL && PQstatus(sync->link) == CONNECTION_OK)
		return true;
	PQfinish(sync->link);
	sync->link =
	    pg_connect_begin(sync->conninfo, sync->name, sync->deadline_ms);
	if (sync->link == NULL || PQstatus(sync->link) == CONNECTION_BAD ||
	    !sync_handshake(sync, due_ms)) {
		(void)sync_lose(sync,
		    clock_monotonic_ms() >= due_ms ? "connecting took too long"
						   : NULL);
		return false;
	}
	for (const struct pg_statement *s = sync->statements; s->name != NULL;
	     s++) {
		enum pg_status status = sync_answer(sync,
		    PQsendPrepare(sync->link, s->name, s->sql, 0, NULL), NULL);

		if (status == PG_DONE)
			continue;
		PQfinish(sync->link);
		sync->link = NULL;
		return false;
	}
	return true;
}

static enum pg_status
sync_unavailable(struct pg_sync *sync, const char *why)
{
	message_set(sync, why, NULL);
	return PG_UNAVAILABLE;
}

enum pg_status
pg_sync_call(struct pg_sync *sync, int statement, struct pg_params *params,
    bool binary, PGresult **rows)
{
	struct pg_params none = { 0 };
	struct pg_params *given = params ? params : &none;
	enum pg_status status;

	if (rows != NULL)
		*rows = NULL;
	if (given->failed || given->array_left != 0)
		status = sync_unavailable(sync, "malformed parameters");
	else if (sync->link == NULL)
		status = sync_unavailable(sync, "not connected");
	else
		status = sync_answer(sync,
		    pg_params_send(given, sync->link,
			sync->statements[statement].name, binary),
		    rows);
	pg_params_free(given);
	return status;
}

static enum pg_status
sync_command(struct pg_sync *sync, const char *sql)
{
	if (sync->link == NULL)
		return sync_unavailable(sync, "not connected");
	return sync_answer(sync, PQsendQuery(sync->link, sql), NULL);
}

enum pg_status
pg_sync_begin(struct pg_sync *sync, bool snapshot)
{
	return sync_command(
	    sync, snapshot ? "begin isolation level repeatable read" : "begin");
}

/* A transaction that failed before answers COMMIT with a rollback, which
 * libpq reports as success: the server's state tells them apart. */
enum pg_status
pg_sync_commit(struct pg_sync *sync)
{
	if (sync->link != NULL &&
	    PQtransactionStatus(sync->link) != PQTRANS_INTRANS) {
		pg_sync_rollback(sync);
		message_set(sync, "no transaction that could commit", NULL);
		return PG_REFUSED;
	}
	return sync_command(sync, "commit");
}

void
pg_sync_rollback(struct pg_sync *sync)
{
	char message[MESSAGE_MAX], sqlstate[6];

	if (sync->link == NULL ||
	    PQtransactionStatus(sync->link) == PQTRANS_IDLE)
		return;
	memcpy(message, sync->message, sizeof(message));
	memcpy(sqlstate, sync->sqlstate, sizeof(sqlstate));
	if (sync_command(sync, "rollback") != PG_DONE)
		(void)sync_lose(sync, NULL);
	memcpy(sync->message, message, sizeof(message));
	memcpy(sync->sqlstate, sqlstate, sizeof(sqlstate));
}

const char *
pg_sync_message(const struct pg_sync *sync)
{
	return sync->message;
}

const char *
pg_sync_sqlstate(const struct pg_sync *sync)
{
	return sync->sqlstate;
}

void
pg_sync_free(struct pg_sync *sync)
{
	if (sync == NULL)
		return;
	PQfinish(sync->link);
	explicit_bzero(sync->conninfo, strlen(sync->conninfo));
	free(sync->conninfo);
	free(sync);
}
