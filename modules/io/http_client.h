/*
 * HTTP to providers, by curl's multi interface on the loop: connection reuse,
 * deadlines, a size limit, TLS verification, and for each upstream a circuit
 * breaker (closed, open, half-open) and a cap on calls at once.
 */
#ifndef ONEGATE_IO_HTTP_CLIENT_H
#define ONEGATE_IO_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ANSWER_MAX (256u * 1024u) /* bytes of an answer's body */
#define HTTP_HEADERS_MAX 16

struct http_upstream; /* a provider: its breaker, cap and counters */

struct http_upstream_options {
	const char *name; /* in logs and metrics */
	const char *base_url; /* http(s)://host[:port][/path] */
	int concurrent; /* calls at once */
	uint32_t connect_timeout_ms;
	uint32_t timeout_ms; /* the whole call */
	int failures_to_open; /* in a row */
	uint32_t open_ms; /* before one trial call is let through */
	const char *ca_file; /* PEM of who may sign it; NULL: the system's */
};

struct http_call {
	const char *method;
	const char *path; /* appended to the base url; may have a query */
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value", NULL ends */
	const char *body; /* NULL: none */
	size_t body_length;
};

enum http_outcome {
	HTTP_ANSWERED, /* status and body are there, whatever the status */
	HTTP_NOT_SENT, /* refused here: breaker open, cap reached, no connection
	                  was made: the provider cannot have acted */
	HTTP_LOST /* sent at least in part: the provider may have acted */
};

struct http_answer {
	enum http_outcome outcome;
	int status;
	const char *body; /* NUL-terminated, valid during the callback */
	size_t body_length;
	const char *error; /* for the log */
	uint32_t elapsed_ms;
};

typedef void (*http_done_fn)(void *owner, const struct http_answer *answer);

/* In each worker; again is fine. False when curl cannot start. */
bool http_client_init(void);
/* Calls on their way get their answer (NOT_SENT, LOST); frees the upstreams. */
void http_client_done(void);
/* Lives until http_client_done. The texts of O are kept, not copied. */
struct http_upstream *http_upstream_new(const struct http_upstream_options *o);

/*
 * CALL is copied. DONE is called exactly once, never inside http_send. HTTP/1.1
 * over kept connections; no redirect is followed, no proxy is used. Within a
 * call curl sends again when a kept connection turns out to be closed before
 * any byte of an answer: a call that moves money carries a reference that the
 * provider knows again. An answer of 5xx, a lost and an unsent call count
 * as failures for the breaker.
 */
void http_send(struct http_upstream *upstream, const struct http_call *call,
    http_done_fn done, void *owner);

/* 0 closed, 1 half-open, 2 open. */
int http_upstream_state(const struct http_upstream *upstream);

#endif
