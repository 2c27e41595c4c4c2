/*
 * Who is asking: access tokens (JWT) verified with the algorithm bound to the
 * key, a small cache by token hash, and the set of ended sessions, followed
 * from PostgreSQL every 250 ms.
 */
#ifndef ONEGATE_WEB_SESSION_H
#define ONEGATE_WEB_SESSION_H

#include "web/key_set.h"
#include "web/request.h"

/* Loads the key set of CONFIG_JWT_KEYS (a reload loads it again). Follows
 * ended sessions through POOL's STATEMENT: no parameters, columns sid (uuid)
 * and ended_ms (Unix ms), text, all of the last 20 minutes. A second call in
 * one process is fine: one follower is enough. False: it has logged why. */
bool session_init(struct pg_pool *pool, int ended_statement);
/* False, and the old set stays, when the new one cannot be used. */
bool session_keys_reload(void);
/* Valid until control returns to the loop. */
const struct key_set *session_keys(void);

/* Checks the request's token and the Origin rule. True: request->user is
 * set. False: it has replied 401 (WWW-Authenticate: Bearer) or 403. */
bool session_authenticate(struct request *request);

/* True, and request->user is set, when the request carries the token of a
 * session that lives. Never replies: for endpoints that need no sign-in. */
bool session_recognise(struct request *request);

/* Refuses SESSION_ID from now on in this worker (sign-out takes effect here
 * at once, elsewhere within the poll). */
void session_end(const struct uuid *session_id);

/* True when every change by cookie may pass: no Origin, an allowed Origin.
 * For endpoints that read cookies without ACCESS_USER (refresh, logout).
 * False: it has replied 403. */
bool session_origin_allowed(struct request *request);

/* Ready when keys are loaded and the set of ended sessions is at most 3 s old.
 * With an older one tokens are still verified (PostgreSQL is away; what ended
 * until then stays ended); before the first one all get 503. */
bool session_ready(void);

#endif
