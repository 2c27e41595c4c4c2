/*
 * Who is asking: access tokens (JWT) verified with the algorithm bound to the
 * key, a small cache by token hash, and the set of ended sessions, followed
 * from PostgreSQL every 250 ms.
 */
#ifndef ONEGATE_WEB_SESSION_H
#define ONEGATE_WEB_SESSION_H

#include "web/request.h"

struct jws_keys; /* domain/jws.h: the key set */

/* Loads the key set of CONFIG_JWT_KEYS; again after SIGHUP. Follows ended
 * sessions through POOL's STATEMENT: columns sid uuid text, ended_ms. */
bool session_init(struct pg_pool *pool, int ended_statement);
bool session_keys_reload(void);
const struct jws_keys *session_keys(void);

/* Checks the request's token and the Origin rule. True: request->user is
 * set. False: it has replied 401 (WWW-Authenticate: Bearer) or 403. */
bool session_authenticate(struct request *request);

/* Refuses SESSION_ID from now on in this worker (sign-out takes effect here
 * at once, elsewhere within the poll). */
void session_end(const struct uuid *session_id);

/* True when every change by cookie may pass: no Origin, an allowed Origin.
 * For endpoints that read cookies without ACCESS_USER (refresh, logout).
 * False: it has replied 403. */
bool session_origin_allowed(struct request *request);

/* Ready when keys are loaded and the set of ended sessions is fresh. */
bool session_ready(void);

#endif
