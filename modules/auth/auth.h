/*
 * What the files of modules/auth share: the pool, its statements, the trail
 * of security events and the words for them. Nobody outside may use it.
 */
#ifndef ONEGATE_AUTH_AUTH_H
#define ONEGATE_AUTH_AUTH_H

#include "io/pg.h"
#include "web/request.h"

#define AUTH_USER_AGENT_MAX 256 /* bytes kept of a device's name */

enum auth_statement {
#define STATEMENT(id, ...) STATEMENT_##id,
#include "auth/statements.def"
#undef STATEMENT
	STATEMENT_COUNT
};

/* The values of the label of METRIC_AUTH_EVENTS, in its order. */
enum auth_event {
	EVENT_REGISTERED,
	EVENT_REGISTER_TAKEN,
	EVENT_LOGIN,
	EVENT_LOGIN_FAILED,
	EVENT_LOGIN_SUSPENDED,
	EVENT_REFRESH,
	EVENT_REFRESH_REFUSED,
	EVENT_REFRESH_REUSED,
	EVENT_LOGOUT,
	EVENT_SESSION_ENDED,
	EVENT_PASSWORD_CHANGED,
	EVENT_PASSWORD_REFUSED,
	EVENT_PIN_CHANGED,
	EVENT_PIN_REFUSED,
	EVENT_THROTTLED
};

/* The module's connections. */
struct pg_pool *auth_pool(void);

void auth_count(enum auth_event event);

/* Runs STATEMENT with PARAMS (taken over; NULL: none), text results. */
void auth_sql(struct request *request, enum auth_statement statement,
    struct pg_params *params, sql_step_fn next);

/*
 * Begins PARAMS with what every audited statement has first: $1 the client's
 * address, $2 its user agent, $3 the request id.
 */
void auth_params_begin(struct request *request, struct pg_params *params);

/*
 * Writes one row to the trail for what no other statement records, then NEXT:
 * it is on disk before the answer leaves. 503 when it cannot be written.
 * USER and SESSION may be NULL; DETAIL is never a secret and may be NULL.
 */
void auth_audit(struct request *request, const char *event, const char *outcome,
    const struct uuid *user, const struct uuid *session, const char *detail,
    step_fn next);

#endif
