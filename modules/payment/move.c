/* See move.h. */
#include "payment/move.h"

#include <stdio.h>
#include <string.h>

#include "io/entropy.h"
#include "web/reply.h"

bool
move_begin(struct request *request, enum posting_kind kind, const char *route)
{
	struct move *move = request->state;
	struct posting *posting = &move->posting;

	if (!idempotency_read(request, &move->idempotency))
		return false;
	posting->id = entropy_uuid();
	posting->kind = kind;
	posting->key = move->idempotency.key;
	posting->key_length = move->idempotency.key_length;
	memcpy(posting->fingerprint, move->idempotency.fingerprint,
	    sizeof(posting->fingerprint));
	(void)snprintf(posting->scope, sizeof(posting->scope), "%s:%s",
	    request->user.user_id_text, route);
	return true;
}

void
move_put_key(struct pg_params *params, const struct move *move)
{
	const struct posting *posting = &move->posting;

	if (posting->key == NULL) {
		pg_put_null(params);
		pg_put_null(params);
		pg_put_null(params);
		return;
	}
	pg_put_text(params, posting->scope);
	pg_put_text_n(params, posting->key, posting->key_length);
	pg_put_bytea(
	    params, posting->fingerprint, sizeof(posting->fingerprint));
}

void
move_refuse(struct request *request, enum error_code error, bool replayed)
{
	if (replayed)
		idempotency_replayed(request);
	reply_error(request, error);
}

static void
answered(struct request *request)
{
	struct move *move = request->state;

	if (move->posting.error != ERROR_NONE) {
		move_refuse(
		    request, move->posting.error, move->posting.replayed);
		return;
	}
	if (move->posting.replayed)
		idempotency_replayed(request);
	move->posted(request);
}

static void
posting_answered(struct posting *posting, void *owner)
{
	(void)posting;
	request_release(owner, answered);
}

void
move_post(struct request *request, step_fn posted)
{
	struct move *move = request->state;

	move->posted = posted;
	request_hold(request);
	if (!posting_submit(&move->posting, posting_answered, request)) {
		request_release(request, NULL);
		reply_error(request, ERROR_OVERLOADED);
	}
}
