/*
 * /api/auth/sessions: the devices signed in, and remote sign-out of one
 * (DELETE .../{id}) or of all (DELETE .../all). A stranger's session does
 * not exist here.
 */
#include "auth/auth.h"
#include "auth/tokens.h"
#include "web/endpoint.h"
#include "web/reply.h"
#include "web/session.h"

#include <string.h>

#define PATH_PART_SESSION 3u /* /api/auth/sessions/{id} */

/* A text column, or null. */
static void
put_column(struct json_writer *out, const char *key, const PGresult *rows,
    int row, int column)
{
	json_put_member_string(out, key,
	    pg_is_null(rows, row, column) ? NULL : pg_text(rows, row, column));
}

static void
put_session(struct json_writer *out, const struct identity *user,
    const PGresult *rows, int row)
{
	struct uuid id;
	bool current =
	    uuid_parse(pg_text(rows, row, 0), UUID_TEXT_LENGTH, &id) &&
	    uuid_equal(&id, &user->session_id);

	json_put_object_begin(out);
	put_column(out, "id", rows, row, 0);
	put_column(out, "device", rows, row, 1);
	put_column(out, "ip_address", rows, row, 2);
	put_column(out, "created_at", rows, row, 3);
	put_column(out, "last_used_at", rows, row, 4);
	json_put_member_bool(out, "current", current);
	json_put_object_end(out);
}

static void
sessions_listed(struct request *request, const struct pg_answer *answer)
{
	struct json_writer *out;
	int count;

	if (!request_sql_ok(request, answer))
		return;
	count = PQntuples(answer->rows);
	out = reply_begin(request, 200, "Devices signed in");
	json_put_array_begin(out);
	for (int row = 0; row < count; row++)
		put_session(out, &request->user, answer->rows, row);
	json_put_array_end(out);
	reply_meta_int(request, "size", count);
	reply_meta_text(request, "next_cursor", NULL);
	reply_end(request);
}

static void
sessions_list(struct request *request)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	auth_sql(request, STATEMENT_SESSIONS, &params, sessions_listed);
}

/* Ends in this worker what the rows' first column names; true when the
 * caller's own session was among them. */
static bool
sessions_forget(struct request *request, const PGresult *rows)
{
	bool own = false;
	struct uuid id;

	for (int row = 0; row < PQntuples(rows); row++) {
		if (!uuid_parse(pg_text(rows, row, 0), UUID_TEXT_LENGTH, &id))
			continue;
		session_end(&id);
		auth_count(EVENT_SESSION_ENDED);
		own = own || uuid_equal(&id, &request->user.session_id);
	}
	return (own);
}

static void
session_ended(struct request *request, const struct pg_answer *answer)
{
	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	if (sessions_forget(request, answer->rows))
		token_cookies_clear(request);
	reply_message(request, 200, "The device is signed out");
}

static void
sessions_ended(struct request *request, const struct pg_answer *answer)
{
	if (!request_sql_ok(request, answer))
		return;
	(void)sessions_forget(request, answer->rows);
	token_cookies_clear(request);
	reply_message(request, 200, "Every device is signed out");
}

static void
sessions_delete(struct request *request)
{
	struct pg_params params;

	auth_params_begin(request, &params);
	pg_put_uuid(&params, &request->user.user_id);
	auth_sql(request, STATEMENT_SESSIONS_END, &params, sessions_ended);
}

static void
session_delete(struct request *request)
{
	const char *text = request_path_part(request, PATH_PART_SESSION);
	struct pg_params params;
	struct uuid id;

	if (text != NULL && strcmp(text, "all") == 0) {
		sessions_delete(request);
		return;
	}
	if (text == NULL || !uuid_parse(text, strlen(text), &id)) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	auth_params_begin(request, &params);
	pg_put_uuid(&params, &request->user.user_id);
	pg_put_uuid(&params, &id);
	pg_put_text(&params,
	    uuid_equal(&id, &request->user.session_id) ? "logout" : "remote");
	auth_sql(request, STATEMENT_SESSION_END, &params, session_ended);
}

ENDPOINT(auth_sessions, { "GET", sessions_list, ACCESS_USER })
ENDPOINT(auth_session, { "DELETE", session_delete, ACCESS_USER })
