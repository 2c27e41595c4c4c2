/*
 * See session.h. Whether a token is ours is token_check's question; whether its
 * session has ended is asked here, every time.
 * The set of ended sessions is read whole each time (20 minutes of them):
 * nothing that commits late can be missed, and a lost poll heals itself.
 * Must never keep or log a token.
 */
#include "web/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/clock.h"
#include "io/config.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics.h"
#include "web/edge.h"
#include "web/reply.h"
#include "web/token_check.h"
#include "web/worker.h"

#define POLL_MS 250u
#define POLL_DEADLINE_MS 1000u
#define FRESH_MS 3000u
/* Longer than the view's 20 minutes and than any token's life. */
#define ENDED_KEPT_MS (25u * 60u * 1000u)
#define ENDED_FIRST_CAPACITY 1024u
#define LINE_SIZE 512u

struct ended {
	struct uuid sid; /* zero: free */
	uint64_t ended_ms;
};

static struct {
	struct ended *slots; /* open addressing, capacity a power of two */
	size_t capacity, count;
	uint64_t loaded_ms; /* monotonic; 0: never */
	uint64_t cleaned_ms; /* Unix */
} ended;

static struct key_set *keys;
static struct pg_pool *poll_pool;
static int poll_statement;
static struct loop_timer poll_timer;

/* Ended sessions */

/* A UUIDv7's last bytes are random. */
static size_t
ended_slot(const struct uuid *sid)
{
	size_t hash;

	memcpy(&hash, sid->bytes + sizeof(sid->bytes) - sizeof(hash),
	    sizeof(hash));
	hash &= ended.capacity - 1;
	while (!uuid_is_zero(&ended.slots[hash].sid) &&
	    !uuid_equal(&ended.slots[hash].sid, sid))
		hash = (hash + 1) & (ended.capacity - 1);
	return hash;
}

/* Moves what ended after SINCE_MS to a table with room for twice as much. */
static void
ended_rebuild(uint64_t since_ms)
{
	struct ended *old = ended.slots;
	size_t old_capacity = ended.capacity, i, kept = 0;

	for (i = 0; i < old_capacity; i++)
		if (!uuid_is_zero(&old[i].sid) && old[i].ended_ms >= since_ms)
			kept++;
	ended.capacity = ENDED_FIRST_CAPACITY;
	while (ended.capacity < (kept + 1) * 4)
		ended.capacity *= 2;
	ended.slots = calloc(ended.capacity, sizeof(ended.slots[0]));
	if (ended.slots == NULL)
		abort();
	for (i = 0; i < old_capacity; i++)
		if (!uuid_is_zero(&old[i].sid) && old[i].ended_ms >= since_ms)
			ended.slots[ended_slot(&old[i].sid)] = old[i];
	ended.count = kept;
	free(old);
}

static void
ended_add(const struct uuid *sid, uint64_t ended_ms)
{
	size_t slot;

	if (uuid_is_zero(sid))
		return;
	if ((ended.count + 1) * 2 > ended.capacity)
		ended_rebuild(0);
	slot = ended_slot(sid);
	if (uuid_is_zero(&ended.slots[slot].sid))
		ended.count++;
	ended.slots[slot].sid = *sid;
	ended.slots[slot].ended_ms = ended_ms;
}

static bool
has_ended(const struct uuid *sid)
{
	return ended.capacity > 0 &&
	    !uuid_is_zero(&ended.slots[ended_slot(sid)].sid);
}

void
session_end(const struct uuid *session_id)
{
	ended_add(session_id, clock_unix_ms());
}

static void poll_begin(struct loop_timer *timer, void *owner);

static void
poll_read(const PGresult *rows)
{
	uint64_t now_ms = clock_unix_ms();
	int row, count = PQntuples(rows);
	struct uuid sid;

	for (row = 0; row < count; row++) {
		const char *text = pg_text(rows, row, 0);

		if (uuid_parse(text, strlen(text), &sid))
			ended_add(&sid, (uint64_t)pg_int(rows, row, 1));
	}
	if (now_ms - ended.cleaned_ms > ENDED_KEPT_MS) {
		ended_rebuild(now_ms - ENDED_KEPT_MS);
		ended.cleaned_ms = now_ms;
	}
	ended.loaded_ms = clock_monotonic_ms();
}

static void
poll_done(void *owner, const struct pg_answer *answer)
{
	static bool failing;

	(void)owner;
	if (answer->status == PG_DONE) {
		poll_read(answer->rows);
	} else if (!failing) {
		log_event(LOG_LEVEL_WARNING,
		    "session: ended sessions are not known",
		    LOG_TEXT("sqlstate", answer->sqlstate));
	}
	failing = answer->status != PG_DONE;
	if (poll_pool != NULL)
		loop_timer_set(&poll_timer, POLL_MS, poll_begin, NULL);
}

static void
poll_begin(struct loop_timer *timer, void *owner)
{
	(void)timer;
	(void)owner;
	if (poll_pool != NULL)
		pg_call(poll_pool, poll_statement, NULL, false,
		    POLL_DEADLINE_MS, poll_done, NULL);
}

static void
session_stop(void)
{
	poll_pool = NULL;
	loop_timer_clear(&poll_timer);
}

bool
session_ready(void)
{
	return keys != NULL && ended.loaded_ms != 0 &&
	    clock_monotonic_ms() - ended.loaded_ms <= FRESH_MS;
}

/* Keys */

bool
session_keys_reload(void)
{
	char error[LINE_SIZE] = "";
	struct key_set *loaded;

	loaded =
	    key_set_load(config_text(CONFIG_JWT_KEYS), error, sizeof(error));
	if (loaded == NULL) {
		log_event(LOG_LEVEL_ERROR, "session: the keys were not taken",
		    LOG_TEXT("reason", error));
		return false;
	}
	key_set_free(keys);
	keys = loaded;
	/* A key that was taken away verifies nothing any more. */
	token_check_forget();
	log_event(LOG_LEVEL_INFO, "session: keys loaded",
	    LOG_NUMBER("count", loaded->count),
	    LOG_TEXT("signing",
		loaded->signing != NULL ? loaded->signing->kid : ""));
	return true;
}

static void
reload(void)
{
	(void)session_keys_reload();
}

const struct key_set *
session_keys(void)
{
	return keys;
}

bool
session_init(struct pg_pool *pool, int ended_statement)
{
	if (poll_pool != NULL)
		return true;
	if (!token_check_init() || !session_keys_reload())
		return false;
	ended_rebuild(0);
	ended.cleaned_ms = clock_unix_ms();
	poll_pool = pool;
	poll_statement = ended_statement;
	worker_at_exit(session_stop);
	worker_at_reload(reload);
	poll_begin(NULL, NULL);
	return true;
}

/* Tokens */

/* The token of REQUEST, from the header or else the cookie; or NULL. Another
 * scheme than Bearer is somebody else's business (a gateway's). */
static const char *
token_of(struct request *request, bool *by_cookie)
{
	static const char scheme[] = "Bearer ";
	const char *header = request_header(request, "authorization");

	*by_cookie = false;
	if (header != NULL && strcasecmp(header, "Bearer") == 0)
		return NULL;
	if (header != NULL &&
	    strncasecmp(header, scheme, sizeof(scheme) - 1) == 0) {
		header += sizeof(scheme) - 1;
		return header + strspn(header, " ");
	}
	*by_cookie = true;
	return request_cookie(request, "auth-token");
}

/* RFC 6750 3: without a token no error is named. */
static bool
refuse(struct request *request, const char *challenge)
{
	reply_header(request, "www-authenticate", challenge);
	reply_error(request, ERROR_UNAUTHENTICATED);
	return false;
}

static bool
is_safe(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void
identify(struct request *request, const struct claims *claims, bool by_cookie)
{
	struct identity *user = &request->user;

	user->user_id = claims->sub;
	uuid_format(&claims->sub, user->user_id_text);
	user->username =
	    request_copy(request, claims->username, strlen(claims->username));
	user->session_id = claims->sid;
	uuid_format(&claims->jti, user->token_id);
	user->expires_at = claims->exp;
	user->by_cookie = by_cookie;
}

/* The claims of TOKEN, or NULL when it is not valid now. */
static const struct claims *
token_claims(const char *token)
{
	const struct token_rule rule = { keys, config_text(CONFIG_JWT_ISSUER),
		config_text(CONFIG_JWT_AUDIENCE) };

	return token_check(
	    &rule, token, strlen(token), (int64_t)(clock_unix_ms() / 1000));
}

bool
session_authenticate(struct request *request)
{
	const struct claims *claims;
	const char *token;
	bool by_cookie;

	token = token_of(request, &by_cookie);
	if (token == NULL || *token == '\0')
		return refuse(request, "Bearer");
	if (keys == NULL || ended.loaded_ms == 0) {
		reply_error(request, ERROR_UNAVAILABLE);
		return false;
	}
	claims = token_claims(token);
	if (claims == NULL || has_ended(&claims->sid))
		return refuse(request, "Bearer error=\"invalid_token\"");
	if (by_cookie && !is_safe(request->method) &&
	    !session_origin_allowed(request))
		return false;
	identify(request, claims, by_cookie);
	return true;
}

bool
session_recognise(struct request *request)
{
	const struct claims *claims;
	bool by_cookie;
	const char *token = token_of(request, &by_cookie);

	if (token == NULL || keys == NULL || ended.loaded_ms == 0)
		return false;
	claims = token_claims(token);
	if (claims == NULL || has_ended(&claims->sid))
		return false;
	identify(request, claims, by_cookie);
	return true;
}

/* True when the comma separated LIST has ORIGIN; scheme and host have no
 * case. */
static bool
origin_listed(const char *list, const char *origin)
{
	size_t length, wanted = strlen(origin);

	while (*list != '\0') {
		list += strspn(list, ", ");
		length = strcspn(list, ", ");
		if (length == wanted && wanted > 0 &&
		    strncasecmp(list, origin, wanted) == 0)
			return true;
		list += length;
	}
	return false;
}

bool
session_origin_allowed(struct request *request)
{
	const char *origin = request_header(request, "origin");
	const char *site = request_header(request, "sec-fetch-site");

	if (origin != NULL) {
		if (origin_listed(
			config_text(CONFIG_ALLOWED_ORIGINS), origin) &&
		    head_times(request->head, "origin") == 1)
			return true;
	} else if (site == NULL || strcasecmp(site, "cross-site") != 0) {
		return true;
	}
	reply_error(request, ERROR_FOREIGN_ORIGIN);
	return false;
}
