/*
 * PostgreSQL for jobs: one connection that waits, with a deadline for each
 * step. Connects when first used and again after it was lost. Never on the
 * loop.
 */
#ifndef ONEGATE_IO_PG_SYNC_H
#define ONEGATE_IO_PG_SYNC_H

#include "io/pg.h"

struct pg_sync;

struct pg_sync_options {
	const char *name; /* application_name, and in logs */
	const char *conninfo;
	const struct pg_statement *statements; /* as for a pool */
	uint32_t deadline_ms; /* of each call; the server's statement timeout */
};

/* NULL when the conninfo is malformed (the log says so). Does not connect. */
struct pg_sync *pg_sync_new(const struct pg_sync_options *options);
/* Closes, which rolls an open transaction back. NULL is fine. */
void pg_sync_free(struct pg_sync *sync);

/* Connects and prepares, when it is not connected: within 3 seconds. False:
 * pg_sync_message says why; wait with job_wait before trying again. */
bool pg_sync_connect(struct pg_sync *sync);

/*
 * Runs STATEMENT (index) with PARAMS (NULL: none), which are taken over as in
 * pg_call. PG_DONE: *ROWS is the caller's to PQclear (ROWS may be NULL: not
 * wanted). PG_UNAVAILABLE: not connected, nothing was sent. PG_UNKNOWN: the
 * connection was lost and is closed. In a transaction, everything but PG_DONE
 * calls for pg_sync_rollback.
 */
enum pg_status pg_sync_call(struct pg_sync *sync, int statement,
    struct pg_params *params, bool binary, PGresult **rows);

/* BEGIN, with repeatable read when SNAPSHOT. */
enum pg_status pg_sync_begin(struct pg_sync *sync, bool snapshot);
/* PG_UNKNOWN: it may have happened or not. */
enum pg_status pg_sync_commit(struct pg_sync *sync);
/* Never fails: a connection that cannot roll back is closed. */
void pg_sync_rollback(struct pg_sync *sync);

/* What the last call that was not PG_DONE says; for logs. */
const char *pg_sync_message(const struct pg_sync *sync);
const char *pg_sync_sqlstate(const struct pg_sync *sync);

#endif
