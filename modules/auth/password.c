/*
 * PUT /api/auth/password: a new password for the old one. Every other session
 * of the person ends with its refresh tokens.
 */
#include "auth/auth.h"
#include "auth/person.h"
#include "auth/throttle.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/password_hash.h"
#include "web/reply.h"
#include "web/session.h"

#include <string.h>

struct password_change {
	const char *old_password, *new_password;
	const char *old_phc;
};

static const struct input_field password_fields[] = {
	{ "old_password", INPUT_BYTES, true,
	    offsetof(struct password_change, old_password), 1, 255 },
	{ "new_password", INPUT_BYTES, true,
	    offsetof(struct password_change, new_password), 8, 255 },
};

static void
password_refuse(struct request *request)
{
	reply_error(request, ERROR_BAD_CREDENTIALS);
}

static void
password_slow_down(struct request *request)
{
	throttle_failed(request, request->user.user_id_text, password_refuse);
}

static void
password_wrong(struct request *request)
{
	auth_count(EVENT_PASSWORD_REFUSED);
	auth_audit(request, "password_change", "refused",
	    &request->user.user_id, &request->user.session_id, NULL,
	    password_slow_down);
}

/* Ends in this worker the sessions that ARRAY, "{uuid,...}", names. */
static void
sessions_forget(const char *array)
{
	struct uuid id;

	for (const char *at = array; *at != '\0'; at++)
		if ((*at == '{' || *at == ',') &&
		    strlen(at + 1) >= UUID_TEXT_LENGTH &&
		    uuid_parse(at + 1, UUID_TEXT_LENGTH, &id))
			session_end(&id);
}

static void
password_changed(struct request *request, const struct pg_answer *answer)
{
	if (!request_sql_ok(request, answer))
		return;
	if (!pg_bool(answer->rows, 0, 0)) {
		/* Somebody else changed it between the check and now. */
		auth_count(EVENT_PASSWORD_REFUSED);
		reply_error(request, ERROR_BAD_CREDENTIALS);
		return;
	}
	sessions_forget(pg_text(answer->rows, 0, 1));
	auth_count(EVENT_PASSWORD_CHANGED);
	reply_message(request, 200,
	    "The password is changed, other devices are signed out");
}

static void
password_store(struct request *request, const char *phc)
{
	const struct password_change *in = request->state;
	struct pg_params params;

	auth_params_begin(request, &params);
	pg_put_uuid(&params, &request->user.user_id);
	pg_put_text(&params, in->old_phc);
	pg_put_text(&params, phc);
	pg_put_uuid(&params, &request->user.session_id);
	auth_sql(request, STATEMENT_PASSWORD_CHANGE, &params, password_changed);
}

static void
password_checked(struct request *request, enum password_verdict verdict)
{
	const struct password_change *in = request->state;
	size_t length = strlen(in->new_password);

	if (verdict == PASSWORD_WRONG)
		password_wrong(request);
	else
		password_hash_make(
		    request, in->new_password, length, password_store);
	password_wipe(in->new_password, length);
}

static void
password_read(struct request *request, const struct pg_answer *answer)
{
	struct password_change *in = request->state;
	const char *phc;
	size_t length = strlen(in->old_password);

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		reply_error(request, ERROR_UNAUTHENTICATED);
		return;
	}
	person_password_check(request, "new_password", in->new_password,
	    request->user.username, pg_text(answer->rows, 0, 2),
	    pg_text(answer->rows, 0, 3));
	if (!input_valid(request))
		return;
	phc = pg_text(answer->rows, 0, 0);
	in->old_phc = request_copy(request, phc, strlen(phc));
	password_hash_check(
	    request, in->old_password, length, in->old_phc, password_checked);
	password_wipe(in->old_password, length);
}

static void
password_find(struct request *request)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	auth_sql(request, STATEMENT_SECRETS, &params, password_read);
}

static void
password_begin(struct request *request)
{
	struct password_change *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (!input_body(
		request, password_fields, INPUT_COUNT(password_fields), in))
		return;
	/* The other names are known once the person is read. */
	person_password_check(request, "new_password", in->new_password,
	    request->user.username, NULL, NULL);
	if (in->old_password != NULL && in->new_password != NULL &&
	    strcmp(in->old_password, in->new_password) == 0)
		input_refuse(
		    request, "new_password", "must not be the old password");
	if (!input_valid(request))
		return;
	password_wipe(request->body, request->body_length);
	throttle(request, THROTTLE_SECRET, request->user.user_id_text,
	    password_find);
}

ENDPOINT(auth_password, { "PUT", password_begin, ACCESS_USER })
