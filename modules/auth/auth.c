/*
 * modules/auth: who people are. What Kore loads; init sets up the pool, the
 * hashing threads and the sessions, and the helpers that every handler uses.
 */
#include "auth/auth.h"

#include <string.h>

#include <kore.h>

#include "auth/janitor.h"
#include "io/config.h"
#include "io/log.h"
#include "io/metrics.h"
#include "web/health.h"
#include "web/password_hash.h"
#include "web/pin_check.h"
#include "web/session.h"
#include "web/worker.h"

#define CONNECTIONS 8
#define IN_FLIGHT 4
#define WAITING_MOST 512

__attribute__((visibility("default"))) int auth_init(int action);

static struct pg_pool *pool;

static const struct pg_statement statements[] = {
#define STATEMENT(id, name, sql) { name, sql },
#include "auth/statements.def"
#undef STATEMENT
	{ NULL, NULL }
};

struct pg_pool *
auth_pool(void)
{
	return (pool);
}

void
auth_count(enum auth_event event)
{
	metric_add(METRIC_AUTH_EVENTS, event, 1);
}

void
auth_sql(struct request *request, enum auth_statement statement,
    struct pg_params *params, sql_step_fn next)
{
	request_sql(request, pool, (int)statement, params, false, next);
}

void
auth_params_begin(struct request *request, struct pg_params *params)
{
	const char *agent = request_header(request, "user-agent");
	size_t length = agent == NULL ? 0 : strlen(agent);

	pg_params_init(params);
	pg_put_text(params, request->ip[0] == '\0' ? NULL : request->ip);
	if (length == 0)
		pg_put_null(params);
	else
		pg_put_text_n(params, agent,
		    length < AUTH_USER_AGENT_MAX ? length
						 : AUTH_USER_AGENT_MAX);
	pg_put_text(params, request->id);
}

struct audit_wait {
	step_fn next;
	void *state;
};

static void
audit_written(struct request *request, const struct pg_answer *answer)
{
	struct audit_wait *wait = request->state;

	request->state = wait->state;
	if (request_sql_ok(request, answer))
		wait->next(request);
}

void
auth_audit(struct request *request, const char *event, const char *outcome,
    const struct uuid *user, const struct uuid *session, const char *detail,
    step_fn next)
{
	struct audit_wait *wait = request_alloc(request, sizeof(*wait));
	struct pg_params params;

	wait->next = next;
	wait->state = request->state;
	request->state = wait;
	auth_params_begin(request, &params);
	if (user == NULL)
		pg_put_null(&params);
	else
		pg_put_uuid(&params, user);
	pg_put_text(&params, event);
	pg_put_text(&params, outcome);
	if (session == NULL)
		pg_put_null(&params);
	else
		pg_put_uuid(&params, session);
	pg_put_text(&params, detail);
	auth_sql(request, STATEMENT_AUDIT, &params, audit_written);
}

static bool
postgresql_ready(void)
{
	struct pg_counts counts;

	pg_pool_counts(pool, &counts);
	return (counts.ready > 0);
}

static void
auth_stop(void)
{
	janitor_stop();
	pg_pool_free(pool);
	pool = NULL;
}

static void
auth_start(void)
{
	const struct pg_options options = {
		.name = "auth",
		.conninfo = config_text(CONFIG_AUTH_PG),
		.statements = statements,
		.connections = CONNECTIONS,
		.in_flight = IN_FLIGHT,
		.queue = WAITING_MOST,
	};

	pool = pg_pool_new(&options);
	if (pool == NULL || !password_hash_init() ||
	    !session_init(pool, STATEMENT_ENDED_SESSIONS))
		fatalx("auth: cannot start");
	worker_at_exit(auth_stop);
	janitor_start();
	health_need("postgresql", postgresql_ready);
	health_need("sessions", session_ready);
}

int
auth_init(int action)
{
	if (action != KORE_MODULE_LOAD)
		return (KORE_RESULT_OK);
	worker_begin("auth");
	if (pool == NULL)
		auth_start();
	return (KORE_RESULT_OK);
}
