/*
 * DELETE /api/auth/logout: ends the session of a refresh token, wherever it
 * comes from, or else of the access token, and makes the browser forget. Twice
 * is fine: the second time there is nothing left to end.
 */
#include "auth/auth.h"
#include "auth/tokens.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"
#include "web/session.h"

#include <string.h>

struct logout {
	const char *token; /* body */
	const char *query_token;
};

static const struct input_field body_fields[] = {
	{ "refresh_token", INPUT_TEXT, false, offsetof(struct logout, token), 0,
	    4096 },
};
static const struct input_field query_fields[] = {
	{ "refresh_token", INPUT_TEXT, false,
	    offsetof(struct logout, query_token), 0, 4096 },
};

static void
logout_reply(struct request *request)
{
	token_cookies_clear(request);
	reply_message(request, 200, "Signed out");
}

static void
logout_ended(struct request *request, const struct pg_answer *answer)
{
	struct uuid session;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) > 0 &&
	    uuid_parse(
		pg_text(answer->rows, 0, 0), UUID_TEXT_LENGTH, &session)) {
		session_end(&session);
		auth_count(EVENT_LOGOUT);
	}
	logout_reply(request);
}

static void
logout_by_refresh_token(struct request *request, const char *token)
{
	char digest[TOKEN_DIGEST_SIZE];
	struct pg_params params;

	if (!token_refresh_digest(token, digest)) {
		logout_reply(request);
		return;
	}
	auth_params_begin(request, &params);
	pg_put_text(&params, digest);
	auth_sql(request, STATEMENT_LOGOUT, &params, logout_ended);
}

/* No refresh token: the session of the access token, if there is one. */
static void
logout_by_access_token(struct request *request)
{
	struct pg_params params;

	if (!session_recognise(request)) {
		logout_reply(request);
		return;
	}
	if (request->user.by_cookie && !session_origin_allowed(request))
		return;
	auth_params_begin(request, &params);
	pg_put_uuid(&params, &request->user.user_id);
	pg_put_uuid(&params, &request->user.session_id);
	pg_put_text(&params, "logout");
	auth_sql(request, STATEMENT_SESSION_END, &params, logout_ended);
}

/* An empty one is none: the cookie may have it. */
static const char *
token_given(const struct logout *in)
{
	if (in->token != NULL && *in->token != '\0')
		return (in->token);
	if (in->query_token != NULL && *in->query_token != '\0')
		return (in->query_token);
	return (NULL);
}

static void
logout_begin(struct request *request)
{
	struct logout *in = request_alloc(request, sizeof(*in));
	const char *token;

	if (!input_body(request, body_fields, INPUT_COUNT(body_fields), in) ||
	    !input_query(
		request, query_fields, INPUT_COUNT(query_fields), in) ||
	    !input_valid(request))
		return;
	token = token_given(in);
	if (token == NULL) {
		token = request_cookie(request, COOKIE_REFRESH);
		if (token != NULL && !session_origin_allowed(request))
			return;
	}
	if (token != NULL)
		logout_by_refresh_token(request, token);
	else
		logout_by_access_token(request);
}

ENDPOINT(auth_logout, { "DELETE", logout_begin, ACCESS_PUBLIC })
