/*
 * GET /api/auth/audit: what happened to the user's own account, newest first.
 */
#include "auth/auth.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#include <string.h>

#define PAGE_USUAL 20
#define PAGE_MOST 100

struct audit_query {
	int64_t limit; /* 0: the usual */
	int64_t cursor; /* events before this id; 0: from the newest */
};

static const struct input_field query_fields[] = {
	{ "limit", INPUT_INTEGER, false, offsetof(struct audit_query, limit), 1,
	    PAGE_MOST },
	{ "cursor", INPUT_INTEGER, false, offsetof(struct audit_query, cursor),
	    1, INT64_MAX },
};

static const char *const columns[] = { "id", "event", "outcome", "ip_address",
	"device", "session_id", "detail", "created_at" };

static void
put_event(struct json_writer *out, const PGresult *rows, int row)
{
	json_put_object_begin(out);
	for (int i = 0; i < (int)INPUT_COUNT(columns); i++)
		json_put_member_string(out, columns[i],
		    pg_is_null(rows, row, i) ? NULL : pg_text(rows, row, i));
	json_put_object_end(out);
}

static void
audit_listed(struct request *request, const struct pg_answer *answer)
{
	const struct audit_query *query = request->state;
	struct json_writer *out;
	int count;

	if (!request_sql_ok(request, answer))
		return;
	count = PQntuples(answer->rows);
	if (count > query->limit)
		count = (int)query->limit;
	out = reply_begin(request, 200, "What happened to your account");
	json_put_array_begin(out);
	for (int row = 0; row < count; row++)
		put_event(out, answer->rows, row);
	json_put_array_end(out);
	reply_meta_int(request, "size", count);
	reply_meta_text(request, "next_cursor",
	    PQntuples(answer->rows) > count
		? pg_text(answer->rows, count - 1, 0)
		: NULL);
	reply_end(request);
}

static void
audit_begin(struct request *request)
{
	struct audit_query *query = request_alloc(request, sizeof(*query));
	struct pg_params params;

	request->state = query;
	if (!input_query(
		request, query_fields, INPUT_COUNT(query_fields), query) ||
	    !input_valid(request))
		return;
	if (query->limit == 0)
		query->limit = PAGE_USUAL;
	if (query->cursor == 0)
		query->cursor = INT64_MAX;
	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	pg_put_int8(&params, query->cursor);
	pg_put_int4(&params, (int32_t)query->limit + 1);
	auth_sql(request, STATEMENT_AUDIT_OF, &params, audit_listed);
}

ENDPOINT(auth_audit_log, { "GET", audit_begin, ACCESS_USER })
