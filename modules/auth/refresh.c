/*
 * PUT /api/auth/refresh: a refresh token, once, for the next pair.
 *
 * A token that comes a second time ends its whole family, with two honest
 * exceptions that no thief can make use of:
 *  - two requests at once: the answer is held back until OVERLAP_MS after the
 *    token was used, so a second use that arrived before then came from
 *    somebody who cannot have seen the answer. It is refused, the family
 *    lives;
 *  - a client that left before its answer: nobody has the new token, so the
 *    use is taken back and the same token works again.
 */
#include "auth/auth.h"
#include "auth/throttle.h"
#include "auth/tokens.h"
#include "io/clock.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"
#include "web/session.h"

#include <string.h>

#define OVERLAP_MS 100

enum refresh_outcome {
	REFRESH_ROTATED,
	REFRESH_OVERLAPPED, /* another request has just used it */
	REFRESH_REUSED, /* the family has ended */
	REFRESH_UNKNOWN /* never was, expired, or its session has ended */
};

static const char *const outcome_names[] = {
	[REFRESH_ROTATED] = "ok",
	[REFRESH_OVERLAPPED] = "overlapped",
	[REFRESH_REUSED] = "reused",
	[REFRESH_UNKNOWN] = "refused",
};

struct refresh {
	const char *token; /* from the body; else the cookie's */
	char digest[TOKEN_DIGEST_SIZE];
	char next_digest[TOKEN_DIGEST_SIZE];
	char next[TOKEN_REFRESH_SIZE];
	struct token_owner owner;
};

static const struct input_field refresh_fields[] = {
	{ "refresh_token", INPUT_TEXT, false, offsetof(struct refresh, token),
	    1, 4096 },
};

static void
refresh_undone(struct request *request, const struct pg_answer *answer)
{
	if (request_sql_ok(request, answer))
		reply_error(request, ERROR_UNAVAILABLE);
}

/* The pair leaves, unless nobody is there to take it. */
static void
refresh_deliver(struct request *request)
{
	struct refresh *in = request->state;
	struct pg_params params;

	if (!request_client_left(request)) {
		auth_count(EVENT_REFRESH);
		token_reply(request, "Refreshed", &in->owner, in->next);
		return;
	}
	pg_params_init(&params);
	pg_put_text(&params, in->digest);
	pg_put_text(&params, in->next_digest);
	auth_sql(request, STATEMENT_REFRESH_UNDO, &params, refresh_undone);
}

static enum refresh_outcome
outcome_read(const PGresult *rows)
{
	const char *name;

	if (PQntuples(rows) == 0)
		return (REFRESH_UNKNOWN);
	name = pg_text(rows, 0, 0);
	for (int i = 0; i < REFRESH_UNKNOWN; i++)
		if (strcmp(name, outcome_names[i]) == 0)
			return ((enum refresh_outcome)i);
	return (REFRESH_UNKNOWN);
}

static const char *
field_keep(struct request *request, const PGresult *rows, int column)
{
	const char *text = pg_text(rows, 0, column);

	return (request_copy(request, text, strlen(text)));
}

static void
refresh_used(struct request *request, const struct pg_answer *answer)
{
	struct refresh *in = request->state;
	enum refresh_outcome outcome;
	struct uuid session;

	if (!request_sql_ok(request, answer))
		return;
	outcome = outcome_read(answer->rows);
	if (outcome == REFRESH_ROTATED) {
		in->owner.user_id = field_keep(request, answer->rows, 1);
		in->owner.username = field_keep(request, answer->rows, 2);
		in->owner.session_id = field_keep(request, answer->rows, 3);
		request_delay(request, OVERLAP_MS, refresh_deliver);
		return;
	}
	if (outcome == REFRESH_REUSED &&
	    uuid_parse(pg_text(answer->rows, 0, 3), UUID_TEXT_LENGTH, &session))
		session_end(&session);
	auth_count(outcome == REFRESH_REUSED ? EVENT_REFRESH_REUSED
					     : EVENT_REFRESH_REFUSED);
	reply_error(request, ERROR_BAD_REFRESH_TOKEN);
}

static void
refresh_use(struct request *request)
{
	struct refresh *in = request->state;
	uint64_t waited_ms =
	    (clock_monotonic_us() - request->started_us) / 1000;
	struct pg_params params;

	token_refresh_make(in->next, in->next_digest);
	auth_params_begin(request, &params);
	pg_put_text(&params, in->digest);
	pg_put_text(&params, in->next_digest);
	pg_put_int4(&params, TOKEN_REFRESH_SECONDS);
	pg_put_int4(&params, waited_ms < 60000 ? (int32_t)waited_ms : 60000);
	pg_put_int4(&params, OVERLAP_MS);
	auth_sql(request, STATEMENT_REFRESH, &params, refresh_used);
}

static void
refresh_refuse(struct request *request)
{
	reply_error(request, ERROR_BAD_REFRESH_TOKEN);
}

/* Not the shape of a token, or none at all. */
static void
refresh_unknown(struct request *request)
{
	auth_count(EVENT_REFRESH_REFUSED);
	auth_audit(
	    request, "refresh", "refused", NULL, NULL, NULL, refresh_refuse);
}

static void
refresh_begin(struct request *request)
{
	struct refresh *in = request_alloc(request, sizeof(*in));
	bool known;

	request->state = in;
	if (!input_body(
		request, refresh_fields, INPUT_COUNT(refresh_fields), in) ||
	    !input_valid(request))
		return;
	if (in->token == NULL) {
		in->token = request_cookie(request, COOKIE_REFRESH);
		if (in->token != NULL && !session_origin_allowed(request))
			return;
	}
	known =
	    in->token != NULL && token_refresh_digest(in->token, in->digest);
	throttle(request, THROTTLE_REFRESH, NULL,
	    known ? refresh_use : refresh_unknown);
}

ENDPOINT(auth_refresh, { "PUT", refresh_begin, ACCESS_PUBLIC })
