/*
 * POST /api/payment/notifications/{provider}: a provider tells what became of
 * a charge (SNAP service 56). Believed only with the provider's signature over
 * the raw bytes and a timestamp of now, and only about a charge of that
 * provider and amount. Told twice, late, or before our call was answered, it
 * decides once. The answers have the provider's own shape.
 */
#include <string.h>

#include "domain/digest.h"
#include "domain/snap.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/metrics.h"
#include "payment/operations.h"
#include "payment/payment.h"
#include "web/endpoint.h"
#include "web/reply.h"

/* Labels of METRIC_NOTIFICATIONS. */
enum notification_outcome { ACCEPTED, REPEATED, REFUSED };

struct notification {
	enum provider provider;
	struct snap_notice notice;
	struct provider_operation operation;
	struct provider_answer *answer;
	bool decided;
};

static void
notification_reply(struct request *request, enum snap_reply reply)
{
	char body[SNAP_REPLY_SIZE];
	int status = snap_notice_reply(reply, body);

	if (reply != SNAP_REPLY_OK)
		metric_add(METRIC_NOTIFICATIONS, REFUSED, 1);
	reply_plain(request, status, "application/json", body, strlen(body));
}

/* -- what it decides ------------------------------------------------------ */

/* The outcome is committed (or stood already): only now it is acknowledged. */
static void
notification_recorded(struct request *request, const struct pg_answer *answer)
{
	bool first = answer->status != PG_DONE || pg_bool(answer->rows, 0, 0);

	metric_add(METRIC_NOTIFICATIONS, first ? ACCEPTED : REPEATED, 1);
	notification_reply(request, SNAP_REPLY_OK);
}

static void
notification_record(struct request *request)
{
	const struct notification *in = request->state;
	const char *signature = request_header(request, "x-signature");
	uint8_t digest[DIGEST_SHA256_SIZE];
	struct pg_params params;

	if (!in->decided) {
		notification_reply(request, SNAP_REPLY_INTERNAL);
		return;
	}
	digest_sha256(signature, strlen(signature), digest);
	pg_params_init(&params);
	pg_put_text(&params, provider_word(in->provider));
	pg_put_bytea(&params, digest, sizeof(digest));
	payment_write(request, STATEMENT_NOTIFICATION_FIRST, &params,
	    notification_recorded);
}

static void
notification_decided(void *owner, const struct provider_operation *now)
{
	struct request *request = owner;
	struct notification *in = request->state;

	in->decided = now != NULL;
	request_release(request, notification_record);
}

static void
notification_decide(struct request *request)
{
	struct notification *in = request->state;
	const struct snap_notice *notice = &in->notice;

	in->answer = request_alloc(request, sizeof(*in->answer));
	provider_answer_set(in->answer, notice->outcome, "notified");
	memcpy(in->answer->external_reference, notice->external_reference,
	    sizeof(in->answer->external_reference));
	request_hold(request);
	operation_decide(
	    &in->operation, false, in->answer, notification_decided, request);
}

static void
notification_found(struct request *request, const struct pg_answer *answer)
{
	struct notification *in = request->state;
	const struct provider_operation *operation = &in->operation;

	if (answer->status != PG_DONE) {
		notification_reply(request, SNAP_REPLY_INTERNAL);
		return;
	}
	if (PQntuples(answer->rows) == 0) {
		notification_reply(request, SNAP_REPLY_NOT_FOUND);
		return;
	}
	operation_read(answer->rows, 0, &in->operation);
	if (operation->out || operation->call.provider != in->provider) {
		notification_reply(request, SNAP_REPLY_NOT_FOUND);
		return;
	}
	if (operation->call.amount_minor != in->notice.amount_minor) {
		notification_reply(request, SNAP_REPLY_INCONSISTENT);
		return;
	}
	if (strcmp(operation->state, "PENDING") == 0 &&
	    (in->notice.outcome == ANSWER_DONE ||
		in->notice.outcome == ANSWER_REFUSED ||
		in->notice.outcome == ANSWER_CANCELLED)) {
		notification_decide(request);
		return;
	}
	/* On its way, or decided before: nothing to do. */
	in->decided = true;
	notification_record(request);
}

/* -- whether it is true ---------------------------------------------------- */

static enum snap_reply
notification_check(struct request *request, const struct notification *in)
{
	const char *timestamp = request_header(request, "x-timestamp");
	const char *signature = request_header(request, "x-signature");

	if (timestamp == NULL || signature == NULL)
		return SNAP_REPLY_MISSING;
	if (request->body_length > SNAP_NOTICE_BODY_MAX)
		return SNAP_REPLY_BAD_REQUEST;
	if (!snap_notice_verify(providers_notice_key(in->provider), "POST",
		request->path, request->body, request->body_length, timestamp,
		signature) ||
	    !snap_notice_timely(timestamp, (int64_t)(clock_unix_ms() / 1000)))
		return SNAP_REPLY_UNAUTHORIZED;
	return SNAP_REPLY_OK;
}

static enum snap_reply
notification_read(struct request *request, struct notification *in)
{
	switch (snap_notice_read(
	    request->body, request->body_length, &in->notice)) {
	case SNAP_NOTICE_OK:
		return SNAP_REPLY_OK;
	case SNAP_NOTICE_UNREADABLE:
		return SNAP_REPLY_BAD_REQUEST;
	case SNAP_NOTICE_BAD_FIELD:
		return SNAP_REPLY_BAD_FIELD;
	case SNAP_NOTICE_MISSING:
		return SNAP_REPLY_MISSING;
	}
	return SNAP_REPLY_BAD_REQUEST;
}

static void
notification_post(struct request *request)
{
	struct notification *in = request_alloc(request, sizeof(*in));
	const char *word = request_path_part(request, 3);
	struct pg_params params;
	enum snap_reply reply;

	request->state = in;
	if (word == NULL || !provider_by_word(word, &in->provider)) {
		reply_error(request, ERROR_NOT_FOUND);
		return;
	}
	reply = notification_check(request, in);
	if (reply == SNAP_REPLY_OK)
		reply = notification_read(request, in);
	if (reply != SNAP_REPLY_OK) {
		notification_reply(request, reply);
		return;
	}
	pg_params_init(&params);
	pg_put_text(&params, in->notice.reference);
	payment_write(request, STATEMENT_OPERATION_BY_REFERENCE, &params,
	    notification_found);
}

ENDPOINT(payment_notification, { "POST", notification_post, ACCESS_PUBLIC })
