/*
 * PostgreSQL without waiting: a pool of non-blocking connections in pipeline
 * mode on the loop, statements prepared at connect, each call with a deadline,
 * reconnect with jittered backoff, a bounded waiting queue that expires too. A
 * server that hangs is noticed within a few seconds, idle or not.
 */
#ifndef ONEGATE_IO_PG_H
#define ONEGATE_IO_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "domain/uuid.h"

struct pg_pool;

/* A prepared statement. A table of them ends with a NULL name; the index in
 * the table is how calls name it. */
struct pg_statement {
	const char *name;
	const char *sql;
};

struct pg_options {
	const char *name; /* in logs and metrics: "payment.post" */
	const char *conninfo; /* hostaddr=, never host= with a name */
	const struct pg_statement *statements;
	int connections; /* 1..64 */
	int in_flight; /* calls on one connection at once, 1 = no pipeline */
	int queue; /* calls that may wait for a connection */
	uint32_t statement_timeout_ms; /* of the server; 0: the role's */
};

/* Parameters of a call, built in order and copied. Binary where PostgreSQL's
 * binary form is simple, text else. */
#define PG_PARAMS_MAX 32
struct pg_params {
	int count;
	int32_t offsets[PG_PARAMS_MAX]; /* -1 = null */
	int lengths[PG_PARAMS_MAX];
	int formats[PG_PARAMS_MAX];
	char *bytes;
	size_t length, capacity;
	int array_left; /* elements of the open array still to come */
	bool failed; /* out of memory or too many: the call will say so */
};

void pg_params_init(struct pg_params *params);
void pg_params_free(struct pg_params *params);
void pg_put_null(struct pg_params *params);
void pg_put_text(struct pg_params *params, const char *text); /* NULL: null */
void pg_put_text_n(struct pg_params *params, const char *text, size_t length);
void pg_put_int4(struct pg_params *params, int32_t value);
void pg_put_int8(struct pg_params *params, int64_t value);
/* Null when VALUE is NONE. */
void pg_put_int8_or_null(struct pg_params *params, int64_t value, int64_t none);
void pg_put_bool(struct pg_params *params, bool value);
void pg_put_uuid(struct pg_params *params, const struct uuid *value);
void pg_put_bytea(struct pg_params *params, const void *bytes, size_t length);
/* One-dimensional binary arrays; begin with the element's type oid and count,
 * then exactly COUNT elements. */
void pg_array_begin(struct pg_params *params, uint32_t element_oid, int count);
void pg_array_null(struct pg_params *params);
void pg_array_text(struct pg_params *params, const char *text, size_t length);
void pg_array_int2(struct pg_params *params, int16_t value);
void pg_array_int4(struct pg_params *params, int32_t value);
void pg_array_int8(struct pg_params *params, int64_t value);
void pg_array_uuid(struct pg_params *params, const struct uuid *value);
void pg_array_bool(struct pg_params *params, bool value);
/* Microseconds since 1970, as timestamptz. */
void pg_array_time(struct pg_params *params, int64_t unix_us);
void pg_array_bytea(struct pg_params *params, const void *bytes, size_t length);
void pg_array_end(struct pg_params *params);
/* Sends PARAMS to a prepared statement; what PQsendQueryPrepared gives. Not
 * for PARAMS that failed. Only the pool and pg_sync need it. */
int pg_params_send(struct pg_params *params, PGconn *connection,
    const char *statement, bool binary);

/* PostgreSQL's epoch, 2000-01-01, in Unix microseconds. */
#define PG_EPOCH_US INT64_C(946684800000000)

#define PG_OID_BOOL 16
#define PG_OID_BYTEA 17
#define PG_OID_INT8 20
#define PG_OID_INT2 21
#define PG_OID_INT4 23
#define PG_OID_TEXT 25
#define PG_OID_TIMESTAMPTZ 1184
#define PG_OID_UUID 2950

enum pg_status {
	PG_DONE, /* rows are there */
	PG_REFUSED, /* the server refused: sqlstate and message say why */
	PG_UNAVAILABLE, /* never sent: no connection in time, queue full */
	PG_UNKNOWN /* sent, and the connection or the deadline was lost */
};

struct pg_answer {
	enum pg_status status;
	const PGresult *rows; /* PG_DONE only; valid during the callback */
	char sqlstate[6];
	const char *message; /* for the log; never for a client */
};

typedef void (*pg_done_fn)(void *owner, const struct pg_answer *answer);

/* NULL when the conninfo is malformed or memory ran out (the log says which);
 * connecting goes on in the background. */
struct pg_pool *pg_pool_new(const struct pg_options *options);
/* Ends the pool; waiting and sent calls get their answer (UNAVAILABLE,
 * UNKNOWN) first. NULL is fine. Never inside a DONE of the pool. */
void pg_pool_free(struct pg_pool *pool);

/*
 * Calls STATEMENT (index) with PARAMS (NULL: none) and the result format
 * BINARY or text. PARAMS are taken over: pg_call leaves them empty, whatever
 * happens, and the caller frees nothing. DONE is called exactly once, never
 * inside pg_call; the answer's deadline is DEADLINE_MS from now. The call may be forgotten by its
 * owner only through a DONE that looks (a posting is never cancelled).
 */
void pg_call(struct pg_pool *pool, int statement, struct pg_params *params,
    bool binary, uint32_t deadline_ms, pg_done_fn done, void *owner);

struct pg_counts {
	int ready, connections; /* usable now, configured */
	int in_flight, waiting;
	uint64_t reconnects, expired;
};
void pg_pool_counts(const struct pg_pool *pool, struct pg_counts *counts);

/* Readers of one field. Text results; the binary_* for binary results. */
const char *pg_text(const PGresult *rows, int row, int column);
bool pg_is_null(const PGresult *rows, int row, int column);
int64_t pg_int(const PGresult *rows, int row, int column);
bool pg_bool(const PGresult *rows, int row, int column);
int pg_column(const PGresult *rows, const char *name); /* asserts it exists */
int64_t pg_binary_int(const PGresult *rows, int row, int column); /* 2,4,8 */
struct uuid pg_binary_uuid(const PGresult *rows, int row, int column);
bool pg_binary_bool(const PGresult *rows, int row, int column);
/* A timestamptz as Unix microseconds. */
int64_t pg_binary_time(const PGresult *rows, int row, int column);

#endif
