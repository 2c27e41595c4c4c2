/*
 * One HTTP request from its header to its answer.
 *
 * A request is a chain of steps on the worker's loop: each step starts one
 * thing outside (a query, a hash, a provider's call) and names the step that
 * goes on with its answer. A chain always runs to its end, also when the
 * client has left: money is never stopped half-way. The chain ends with
 * exactly one reply (reply.h).
 */
#ifndef ONEGATE_WEB_REQUEST_H
#define ONEGATE_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/error.h"
#include "domain/json.h"
#include "domain/uuid.h"
#include "io/pg.h"
#include "io/thread_pool.h"

#define REQUEST_ID_SIZE 129
#define REQUEST_IP_SIZE 46

struct http_request; /* Kore's */
struct request;
struct reply;

typedef void (*step_fn)(struct request *request);

/* Who is signed in, from a verified access token. */
struct identity {
	struct uuid user_id;
	char user_id_text[UUID_TEXT_SIZE];
	const char *username; /* as written; lives as long as the request */
	struct uuid session_id; /* claim sid */
	char token_id[65]; /* claim jti */
	int64_t expires_at; /* Unix seconds */
	bool by_cookie;
};

struct request {
	struct http_request *kore; /* NULL once the client has left */
	char id[REQUEST_ID_SIZE]; /* X-Request-Id */
	const char *method; /* true method, "DELETE" too */
	const char *path; /* without query; not decoded */
	const char *query; /* after '?', not decoded; "" when none */
	const char *body; /* NUL-terminated; "" when none */
	size_t body_length;
	char ip[REQUEST_IP_SIZE]; /* client's, through trusted proxies */
	uint64_t started_us; /* monotonic */
	struct identity user; /* set where access is ACCESS_USER */
	void *state; /* the handler's own, from request_alloc */

	/* private to modules/web */
	struct json_document json;
	struct reply *reply;
	const struct endpoint *endpoint;
	step_fn before_send;
	struct request_block *blocks;
	struct input_error *errors;
	struct head *head;
	const char *route; /* the conf file's words for the path */
	void *waiting; /* what the step that begins now waited for */
	unsigned error_count;
	unsigned holds; /* things outside that will call back */
	bool running; /* a step is on the stack */
	bool done; /* answered (or nobody is left to answer) */
	bool json_read;
};

/* Zeroed memory that lives as long as the request; ends the process when
 * memory ran out. 16-byte aligned. */
void *request_alloc(struct request *request, size_t size);
char *request_copy(struct request *request, const char *text, size_t length);
char *request_format(struct request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The value of header NAME (lower case), or NULL. Empty values give "". */
const char *request_header(struct request *request, const char *name);
/* The value of cookie NAME, or NULL. */
const char *request_cookie(struct request *request, const char *name);
/* Part INDEX (0-based) of the path split at '/': of "/api/payment/account"
 * part 1 is "payment". NULL past the end. */
const char *request_path_part(struct request *request, unsigned index);

/* True when nobody may be left to receive the answer: the client is gone, or
 * has shut its side, which looks the same until it is answered. Kore tells `kore` itself
 * only at its next turn. */
bool request_client_left(const struct request *request);

#define REQUEST_SQL_DEADLINE_MS 2000u

/* Runs STATEMENT on POOL with PARAMS (taken over, as by pg_call), then NEXT,
 * within REQUEST_SQL_DEADLINE_MS. */
typedef void (*sql_step_fn)(
    struct request *request, const struct pg_answer *answer);
void request_sql(struct request *request, struct pg_pool *pool, int statement,
    struct pg_params *params, bool binary, sql_step_fn next);

/* True when ANSWER is PG_DONE; else it has logged and replied: 503 for
 * UNAVAILABLE and UNKNOWN, 500 for REFUSED. */
bool request_sql_ok(struct request *request, const struct pg_answer *answer);

/* Runs WORK(state) on POOL's threads, then NEXT on the loop; replies 503 with
 * Retry-After when the queue is full. WORK sees only JOB and its scratch. */
void request_work(struct request *request, struct thread_pool *pool,
    thread_work_fn work, void *job, step_fn next);

/* Holds the request for DELAY_MS, then NEXT (growing delays of sign-in). */
void request_delay(struct request *request, uint32_t delay_ms, step_fn next);

/* For chains that wait on something else: the request stays alive between
 * hold and release; release runs NEXT (unless NULL). */
void request_hold(struct request *request);
void request_release(struct request *request, step_fn next);

#endif
