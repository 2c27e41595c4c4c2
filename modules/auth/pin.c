/*
 * PUT /api/auth/pin: sets or changes the six digits that confirm outgoing
 * money. Setting one needs the password; changing it also the old PIN, whose
 * wrong tries count against outgoing money, never against signing in.
 */
#include "auth/auth.h"
#include "auth/throttle.h"
#include "domain/pin.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/password_hash.h"
#include "web/pin_check.h"
#include "web/reply.h"

#include <string.h>

struct pin_change {
	const char *pin, *password, *old_pin;
	const char *old_phc; /* the PIN's before; NULL: none */
	bool set_before;
};

static const struct input_field pin_fields[] = {
	{ "pin", INPUT_TEXT, true, offsetof(struct pin_change, pin), 6, 6 },
	{ "password", INPUT_BYTES, true, offsetof(struct pin_change, password),
	    1, 255 },
	{ "old_pin", INPUT_TEXT, false, offsetof(struct pin_change, old_pin), 6,
	    6 },
};

static void
pin_stored(struct request *request, const struct pg_answer *answer)
{
	if (!request_sql_ok(request, answer))
		return;
	if (!pg_bool(answer->rows, 0, 0)) {
		/* Another request set one between the check and now. */
		reply_error(request, ERROR_PIN_WRONG);
		return;
	}
	auth_count(EVENT_PIN_CHANGED);
	reply_message(request, 200, "The PIN is set");
}

static void
pin_store(struct request *request, const char *phc)
{
	const struct pin_change *in = request->state;
	struct pg_params params;

	auth_params_begin(request, &params);
	pg_put_uuid(&params, &request->user.user_id);
	pg_put_text(&params, in->old_phc);
	pg_put_text(&params, phc);
	pg_put_uuid(&params, &request->user.session_id);
	auth_sql(request, STATEMENT_PIN_SET, &params, pin_stored);
}

static void
pin_hash(struct request *request)
{
	const struct pin_change *in = request->state;

	password_hash_make(request, in->pin, strlen(in->pin), pin_store);
	password_wipe(in->pin, strlen(in->pin));
}

static void
pin_refuse(struct request *request)
{
	reply_error(request, ERROR_BAD_CREDENTIALS);
}

static void
pin_slow_down(struct request *request)
{
	throttle_failed(request, request->user.user_id_text, pin_refuse);
}

static void
pin_old_checked(struct request *request, const char *phc)
{
	struct pin_change *in = request->state;

	in->old_phc = phc;
	pin_hash(request);
}

static void
pin_trail_written(struct request *request, const struct pg_answer *answer)
{
	if (answer->status == PG_DONE)
		reply_release(request);
	else
		reply_replace(request, ERROR_UNAVAILABLE);
}

/* A wrong old PIN leaves its row before the answer leaves. */
static void
pin_trail(struct request *request)
{
	int status = reply_status(request);
	struct pg_params params;

	if (status != 403 && status != 429) {
		reply_release(request);
		return;
	}
	auth_count(EVENT_PIN_REFUSED);
	auth_params_begin(request, &params);
	pg_put_uuid(&params, &request->user.user_id);
	pg_put_text(&params, "pin_change");
	pg_put_text(&params, status == 403 ? "wrong_pin" : "blocked");
	pg_put_uuid(&params, &request->user.session_id);
	pg_put_null(&params);
	auth_sql(request, STATEMENT_AUDIT, &params, pin_trail_written);
}

static void
pin_password_checked(struct request *request, enum password_verdict verdict)
{
	const struct pin_change *in = request->state;
	struct pin_source source = { auth_pool(), STATEMENT_PIN_ATTEMPT,
		STATEMENT_PIN_PASSED };

	if (verdict == PASSWORD_WRONG) {
		auth_count(EVENT_PIN_REFUSED);
		auth_audit(request, "pin_change", "refused",
		    &request->user.user_id, &request->user.session_id, NULL,
		    pin_slow_down);
		return;
	}
	if (!in->set_before) {
		pin_hash(request);
		return;
	}
	reply_before_send(request, pin_trail);
	pin_check(request, &source, in->old_pin, pin_old_checked);
}

static void
pin_read(struct request *request, const struct pg_answer *answer)
{
	struct pin_change *in = request->state;
	size_t length = strlen(in->password);

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		reply_error(request, ERROR_UNAUTHENTICATED);
		return;
	}
	in->set_before = pg_bool(answer->rows, 0, 1);
	if (in->set_before && in->old_pin == NULL)
		input_refuse(request, "old_pin", "is required: a PIN is set");
	if (!input_valid(request))
		return;
	password_hash_check(request, in->password, length,
	    pg_text(answer->rows, 0, 0), pin_password_checked);
	password_wipe(in->password, length);
}

static void
pin_find(struct request *request)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	auth_sql(request, STATEMENT_SECRETS, &params, pin_read);
}

static void
pin_begin(struct request *request)
{
	struct pin_change *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (!input_body(request, pin_fields, INPUT_COUNT(pin_fields), in))
		return;
	if (in->pin != NULL && !input_refused(request, "pin") &&
	    pin_judge(in->pin, strlen(in->pin)) != PIN_OK)
		input_refuse(request, "pin",
		    pin_problem(pin_judge(in->pin, strlen(in->pin))));
	if (!input_valid(request))
		return;
	password_wipe(request->body, request->body_length);
	throttle(
	    request, THROTTLE_SECRET, request->user.user_id_text, pin_find);
}

ENDPOINT(auth_pin, { "PUT", pin_begin, ACCESS_USER })
