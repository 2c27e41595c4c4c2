/*
 * POST /api/auth/register: a new person. The names are checked, the password
 * hashed, and one statement writes the person and the event that opens the
 * payment account. It must never tell a password's hash to anybody.
 */
#include "auth/auth.h"
#include "auth/person.h"
#include "auth/throttle.h"
#include "io/entropy.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/password_hash.h"
#include "web/reply.h"

#include <string.h>

struct registration {
	const char *email, *username, *phone, *password;
	struct person person;
};

static const struct input_field registration_fields[] = {
	{ "email", INPUT_TEXT, true, offsetof(struct registration, email), 1,
	    255 },
	{ "username", INPUT_TEXT, true, offsetof(struct registration, username),
	    1, 255 },
	{ "phone", INPUT_TEXT, true, offsetof(struct registration, phone), 1,
	    32 },
	{ "password", INPUT_BYTES, true,
	    offsetof(struct registration, password), 8, 255 },
};

static void
register_stored(struct request *request, const struct pg_answer *answer)
{
	const struct registration *in = request->state;
	const char *taken;

	if (answer->status == PG_REFUSED &&
	    strcmp(answer->sqlstate, PERSON_TAKEN_SQLSTATE) == 0) {
		auth_count(EVENT_REGISTER_TAKEN);
		reply_error(request, ERROR_ALREADY_REGISTERED);
		return;
	}
	if (!request_sql_ok(request, answer))
		return;
	taken = pg_text(answer->rows, 0, 0);
	if (*taken != '\0') {
		auth_count(EVENT_REGISTER_TAKEN);
		reply_meta_text(request, "fields", taken);
		reply_error(request, ERROR_ALREADY_REGISTERED);
		return;
	}
	auth_count(EVENT_REGISTERED);
	json_put_string(reply_begin(request, 201, "Registered"), in->email);
	reply_end(request);
}

static void
register_store(struct request *request, const char *phc)
{
	const struct registration *in = request->state;
	struct uuid id = entropy_uuid();
	struct pg_params params;

	auth_params_begin(request, &params);
	pg_put_uuid(&params, &id);
	pg_put_text(&params, in->person.username);
	pg_put_text(&params, in->person.username_key);
	pg_put_text(&params, in->person.email);
	pg_put_text(&params, in->person.email_key);
	pg_put_text(&params, in->person.phone);
	pg_put_text(&params, phc);
	auth_sql(request, STATEMENT_REGISTER, &params, register_stored);
}

static void
register_hash(struct request *request)
{
	const struct registration *in = request->state;
	size_t length = strlen(in->password);

	password_hash_make(request, in->password, length, register_store);
	password_wipe(in->password, length);
	password_wipe(request->body, request->body_length);
}

static void
register_begin(struct request *request)
{
	struct registration *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (!input_body(request, registration_fields,
		INPUT_COUNT(registration_fields), in))
		return;
	person_read(request, in->username, in->email, in->phone, &in->person);
	person_password_check(request, "password", in->password, in->username,
	    in->email, in->phone);
	if (!input_valid(request))
		return;
	throttle(request, THROTTLE_REGISTER, NULL, register_hash);
}

ENDPOINT(auth_register, { "POST", register_begin, ACCESS_PUBLIC })
