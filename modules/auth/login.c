/*
 * POST /api/auth/login: a name and a password for a session. Every wrong
 * combination costs the same time and gets the same answer. It must never
 * tell whether the name exists.
 */
#include "auth/auth.h"
#include "auth/person.h"
#include "auth/throttle.h"
#include "auth/tokens.h"
#include "io/entropy.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/password_hash.h"
#include "web/reply.h"

#include <string.h>

struct login {
	const char *name, *password;
	const char *account; /* what failures are counted for */
	size_t password_length;
	struct person_login keys;
	/* of the user found; user_id NULL: nobody */
	const char *user_id, *username, *phc, *status;
	struct uuid user, session;
	char session_id[UUID_TEXT_SIZE];
	char refresh[TOKEN_REFRESH_SIZE];
};

static const struct input_field login_fields[] = {
	{ "username", INPUT_TEXT, true, offsetof(struct login, name), 1, 255 },
	{ "password", INPUT_BYTES, true, offsetof(struct login, password), 1,
	    255 },
};

static void
login_opened(struct request *request, const struct pg_answer *answer)
{
	struct login *in = request->state;
	struct token_owner owner = { in->user_id, in->username,
		in->session_id };

	if (!request_sql_ok(request, answer))
		return;
	if (!pg_bool(answer->rows, 0, 0)) {
		/* The password or the status changed while it was checked. */
		auth_count(EVENT_LOGIN_FAILED);
		reply_error(request, ERROR_BAD_CREDENTIALS);
		return;
	}
	auth_count(EVENT_LOGIN);
	token_reply(request, "Signed in", &owner, in->refresh);
}

static void
login_open(struct request *request)
{
	struct login *in = request->state;
	char digest[TOKEN_DIGEST_SIZE];
	struct pg_params params;

	password_wipe(in->password, in->password_length);
	in->session = entropy_uuid();
	uuid_format(&in->session, in->session_id);
	token_refresh_make(in->refresh, digest);
	auth_params_begin(request, &params);
	pg_put_uuid(&params, &in->session);
	pg_put_uuid(&params, &in->user);
	pg_put_text(&params, in->phc);
	pg_put_text(&params, digest);
	pg_put_int4(&params, TOKEN_REFRESH_SECONDS);
	auth_sql(request, STATEMENT_SESSION_OPEN, &params, login_opened);
}

static void
login_rehashed(struct request *request, const struct pg_answer *answer)
{
	if (request_sql_ok(request, answer))
		login_open(request);
}

/* The cost was raised since: this is the moment the password is known. */
static void
login_rehash(struct request *request, const char *phc)
{
	struct login *in = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &in->user);
	pg_put_text(&params, in->phc);
	pg_put_text(&params, phc);
	in->phc = phc;
	auth_sql(request, STATEMENT_PASSWORD_REHASH, &params, login_rehashed);
}

static void
login_refuse(struct request *request)
{
	reply_error(request, ERROR_BAD_CREDENTIALS);
}

static void
login_slow_down(struct request *request)
{
	struct login *in = request->state;

	throttle_failed(request, in->account, login_refuse);
}

static void
login_failed(struct request *request)
{
	struct login *in = request->state;

	password_wipe(in->password, in->password_length);
	auth_count(EVENT_LOGIN_FAILED);
	auth_audit(request, "login", "refused",
	    in->user_id != NULL ? &in->user : NULL, NULL, NULL,
	    login_slow_down);
}

static void
login_suspended(struct request *request)
{
	reply_error(request, ERROR_USER_SUSPENDED);
}

static void
login_checked(struct request *request, enum password_verdict verdict)
{
	struct login *in = request->state;

	if (verdict == PASSWORD_WRONG || strcmp(in->status, "DELETED") == 0) {
		login_failed(request);
		return;
	}
	if (strcmp(in->status, "ACTIVE") != 0) {
		password_wipe(in->password, in->password_length);
		auth_count(EVENT_LOGIN_SUSPENDED);
		auth_audit(request, "login", "suspended", &in->user, NULL, NULL,
		    login_suspended);
		return;
	}
	if (verdict == PASSWORD_OUTDATED) {
		password_hash_make(
		    request, in->password, in->password_length, login_rehash);
		return;
	}
	login_open(request);
}

static const char *
field_keep(struct request *request, const PGresult *rows, int column)
{
	const char *text = pg_text(rows, 0, column);

	return (request_copy(request, text, strlen(text)));
}

static void
login_found(struct request *request, const struct pg_answer *answer)
{
	struct login *in = request->state;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) > 0) {
		in->user_id = field_keep(request, answer->rows, 0);
		in->username = field_keep(request, answer->rows, 1);
		in->phc = field_keep(request, answer->rows, 2);
		in->status = field_keep(request, answer->rows, 3);
		(void)uuid_parse(in->user_id, strlen(in->user_id), &in->user);
	}
	password_hash_check(
	    request, in->password, in->password_length, in->phc, login_checked);
}

static void
login_find(struct request *request)
{
	struct login *in = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_text(&params, in->keys.username_key);
	pg_put_text(&params, in->keys.email_key);
	pg_put_text(&params, in->keys.phone);
	auth_sql(request, STATEMENT_USER_BY_LOGIN, &params, login_found);
}

static void
login_begin(struct request *request)
{
	struct login *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (!input_body(request, login_fields, INPUT_COUNT(login_fields), in) ||
	    !input_valid(request))
		return;
	in->password_length = strlen(in->password);
	password_wipe(request->body, request->body_length);
	person_login_read(request, in->name, &in->keys);
	/* One person's three names share no counter before they are known to
	 * be one; each spelling of one name does. */
	in->account = in->keys.phone != NULL ? in->keys.phone
	    : in->keys.email_key != NULL     ? in->keys.email_key
	    : in->keys.username_key != NULL  ? in->keys.username_key
					     : in->name;
	throttle(request, THROTTLE_LOGIN, in->account, login_find);
}

ENDPOINT(auth_login, { "POST", login_begin, ACCESS_PUBLIC })
