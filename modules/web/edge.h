/*
 * What the files of modules/web share and nobody else may use: the life of a
 * request between Kore's parser, its steps and its answer.
 */
#ifndef ONEGATE_WEB_EDGE_H
#define ONEGATE_WEB_EDGE_H

#include "web/head.h"
#include "web/request.h"

struct connection; /* Kore's */

/* request.c */

/* A request whose head is BLOCK of SIZE bytes (copied); nothing is read yet.
 * Ends the process when memory ran out. */
struct request *request_new(const char *block, size_t size, char **copy);
/* Takes id and address from the head that was read; PEER is the socket's. */
void request_identify(struct request *request, const char *peer);
/* Ties REQUEST to Kore's object: body, life time. */
void request_attach(struct request *request, struct http_request *kore);
/* Frees one that Kore never saw; NULL is fine. */
void request_free(struct request *request);
/*
 * Runs STEP. A chain that ends without an answer and without anything left to
 * wait for is a defect: it is logged and answered 500.
 */
void request_run(struct request *request, step_fn step);
/* Wakes Kore's object, so that its handler runs again. */
void request_wake(struct request *request);
/* Requests alive in this worker, those without client too. */
unsigned request_alive(void);

/* reply.c */

/* True when the answer may leave. */
bool reply_ready(const struct request *request);
/* True when the handler has ended its answer (it may still be held back). */
bool reply_ended(const struct request *request);
/* Puts the answer on the connection and accounts for it. */
void reply_send(struct request *request);
/* The answer's account when the client has left. */
void reply_forget(struct request *request);
/* Frees what the answer holds. */
void reply_free(struct request *request);
/*
 * The refusal of a request that Kore never sees, straight onto the
 * connection, which ends after it. REQUEST may lack everything but its id.
 */
void reply_refuse(struct request *request, struct connection *connection,
    enum error_code code);

/* guard.c */

/* The request whose head CONNECTION has just received; NULL when the client
 * has left in the same moment. */
struct request *guard_take(struct connection *connection);
/* True when CONNECTION's client sends no more: it has said all, or has left
 * (nothing tells the two apart until an answer is sent). */
bool guard_half_closed(const struct connection *connection);
/* Answers slow senders 408 and ends lingering connections; 4 times a second. */
void guard_sweep(void);

/* address.c */

/* Reads the comma separated networks (CIDR or single addresses) that are
 * trusted proxies. False with the first wrong one in WRONG. */
bool address_trust(const char *networks, char *wrong, size_t wrong_size);
/*
 * The client's address: PEER, or, while the peer is a trusted proxy, the
 * rightmost address of FORWARDED (X-Forwarded-For; NULL: none) that is not
 * one. OUT gets canonical text.
 */
void address_client(
    const char *peer, const char *forwarded, char out[REQUEST_IP_SIZE]);

#endif
