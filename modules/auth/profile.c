/* GET /api/auth/me: who is signed in. */
#include "auth/auth.h"
#include "web/endpoint.h"
#include "web/reply.h"

static void
profile_found(struct request *request, const struct pg_answer *answer)
{
	static const char *const texts[] = { "id", "username", "email", "phone",
		"status" };
	const PGresult *rows = answer->rows;
	struct json_writer *out;
	int column = 0;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(rows) == 0) {
		reply_error(request, ERROR_UNAUTHENTICATED);
		return;
	}
	out = reply_begin(request, 200, "Your profile");
	json_put_object_begin(out);
	for (; column < (int)(sizeof(texts) / sizeof(texts[0])); column++)
		json_put_member_string(
		    out, texts[column], pg_text(rows, 0, column));
	json_put_member_bool(out, "pin_set", pg_bool(rows, 0, column++));
	json_put_member_string(out, "created_at", pg_text(rows, 0, column++));
	json_put_member_string(out, "updated_at", pg_text(rows, 0, column));
	json_put_object_end(out);
	reply_end(request);
}

static void
profile_begin(struct request *request)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	auth_sql(request, STATEMENT_PROFILE, &params, profile_found);
}

ENDPOINT(auth_me, { "GET", profile_begin, ACCESS_USER })
