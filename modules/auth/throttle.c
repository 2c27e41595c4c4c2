/*
 * Limits on tries. Redis counts for all workers; without it each worker
 * counts for itself (web/rate_limit). It must never store who: subjects are
 * digests.
 */
#include "auth/throttle.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "auth/auth.h"
#include "io/config.h"
#include "io/log.h"
#include "web/rate_limit.h"
#include "web/reply.h"

#define MINUTE 60u
#define HOUR 3600u
#define FAILURE_WINDOW (15u * MINUTE)
#define FAILURES_FREE 2u /* before the first delay */
#define FAILURES_COUNTED 16u /* more do not slow down further */
#define SUBJECT_BYTES 16u

/* The limits of a minute are configuration; those of an hour a multiple, so
 * that a patient guesser gets less than one who comes and goes. */
struct throttle_rule {
	const char *name;
	enum config_id address, account; /* tries in a minute */
	bool by_account;
	uint32_t hour_factor;
};

static const struct throttle_rule rules[] = {
	[THROTTLE_LOGIN] = { "login", CONFIG_LIMIT_LOGIN_ADDRESS,
	    CONFIG_LIMIT_LOGIN_ACCOUNT, true, 10 },
	[THROTTLE_REGISTER] = { "register", CONFIG_LIMIT_REGISTER_ADDRESS,
	    CONFIG_LIMIT_REGISTER_ADDRESS, false, 6 },
	[THROTTLE_REFRESH] = { "refresh", CONFIG_LIMIT_REFRESH_ADDRESS,
	    CONFIG_LIMIT_REFRESH_ADDRESS, false, 20 },
	[THROTTLE_SECRET] = { "secret", CONFIG_LIMIT_LOGIN_ADDRESS,
	    CONFIG_LIMIT_LOGIN_ACCOUNT, true, 6 },
};

/* A try on its way through Redis; the handler's state waits here meanwhile. */
struct throttle_wait {
	const struct throttle_rule *rule;
	const char *account; /* NULL: none, or already counted */
	const char *subject; /* of the count under way */
	uint32_t retry_after; /* of the refusal */
	step_fn next;
	void *state;
};

static struct throttle_wait *
wait_begin(struct request *request, step_fn next)
{
	struct throttle_wait *wait = request_alloc(request, sizeof(*wait));

	wait->next = next;
	wait->state = request->state;
	request->state = wait;
	return (wait);
}

static step_fn
wait_end(struct request *request)
{
	struct throttle_wait *wait = request->state;

	request->state = wait->state;
	return (wait->next);
}

/* "auth:<what>:<digest of WHO>" in the request's memory. */
static const char *
subject_of(struct request *request, const char *what, const char *who)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char hex[SUBJECT_BYTES * 2 + 1];
	static const char digits[] = "0123456789abcdef";

	if (EVP_Digest(who, strlen(who), digest, NULL, EVP_sha256(), NULL) != 1)
		abort();
	for (unsigned i = 0; i < SUBJECT_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SUBJECT_BYTES * 2] = '\0';
	return (request_format(request, "auth:%s:%s", what, hex));
}

static void throttle_account(
    struct request *request, const struct rate_verdict *verdict);

static void
throttle_count(struct request *request, const char *what, const char *who,
    enum config_id limit, uint32_t hour_factor, rate_step_fn next)
{
	struct throttle_wait *wait = request->state;
	uint32_t minute = (uint32_t)config_number(limit);
	struct rate_window windows[2] = { { MINUTE, minute },
		{ HOUR, minute * hour_factor } };

	wait->subject = subject_of(request, what, who);
	rate_limit(request, wait->subject, windows, 2, next);
}

static void
throttle_reply(struct request *request)
{
	const struct throttle_wait *wait = request->state;

	reply_error_retry(request, ERROR_RATE_LIMITED, wait->retry_after);
}

static void
throttle_trail(struct request *request, const struct rate_verdict *verdict)
{
	const struct throttle_wait *wait = request->state;
	bool known = request->user.user_id_text[0] != '\0';

	if (verdict->allowed)
		auth_audit(request, wait->rule->name, "throttled",
		    known ? &request->user.user_id : NULL,
		    known ? &request->user.session_id : NULL, NULL,
		    throttle_reply);
	else
		throttle_reply(request);
}

static void
throttle_refuse(struct request *request, const struct rate_verdict *verdict)
{
	static const struct rate_window once = { MINUTE, 1 };
	struct throttle_wait *wait = request->state;

	wait->retry_after = verdict->retry_after;
	auth_count(EVENT_THROTTLED);
	log_event(LOG_LEVEL_WARNING, "auth: too many tries",
	    LOG_TEXT("request_id", request->id),
	    LOG_TEXT("kind", wait->rule->name),
	    LOG_NUMBER("retry_after", verdict->retry_after));
	/* The metric counts each refusal, the trail keeps one a minute: a flood
	 * must not become a flood of rows. */
	rate_limit(request, request_format(request, "trail:%s", wait->subject),
	    &once, 1, throttle_trail);
}

static void
throttle_account(struct request *request, const struct rate_verdict *verdict)
{
	struct throttle_wait *wait = request->state;
	const char *who, *what;

	if (!verdict->allowed) {
		throttle_refuse(request, verdict);
		return;
	}
	if (wait->account == NULL) {
		wait_end(request)(request);
		return;
	}
	what = request_format(request, "%s:account", wait->rule->name);
	who = request_format(request, "%s %s", wait->account, request->ip);
	wait->account = NULL;
	throttle_count(request, what, who, wait->rule->account,
	    wait->rule->hour_factor, throttle_account);
}

void
throttle(struct request *request, enum throttle_kind kind, const char *account,
    step_fn next)
{
	struct throttle_wait *wait = wait_begin(request, next);

	wait->rule = &rules[kind];
	assert(wait->rule->by_account == (account != NULL));
	wait->account = account;
	throttle_count(request,
	    request_format(request, "%s:address", wait->rule->name),
	    request->ip, wait->rule->address, wait->rule->hour_factor,
	    throttle_account);
}

/* 0 for the first failures, then doubling up to the configured most. */
static uint32_t
delay_after(uint32_t failures)
{
	uint32_t first = (uint32_t)config_number(CONFIG_LIMIT_DELAY_MS);
	uint32_t most = (uint32_t)config_number(CONFIG_LIMIT_DELAY_MOST_MS);
	uint64_t delay;

	if (failures <= FAILURES_FREE)
		return (0);
	delay = (uint64_t)first << (failures - FAILURES_FREE - 1);
	return (delay < most ? (uint32_t)delay : most);
}

static void
failure_counted(struct request *request, const struct rate_verdict *verdict)
{
	step_fn next = wait_end(request);
	uint32_t delay = delay_after(verdict->allowed
		? FAILURES_COUNTED - verdict->remaining[0]
		: FAILURES_COUNTED);

	if (delay == 0)
		next(request);
	else
		request_delay(request, delay, next);
}

void
throttle_failed(struct request *request, const char *account, step_fn next)
{
	struct rate_window window = { FAILURE_WINDOW, FAILURES_COUNTED };

	(void)wait_begin(request, next);
	rate_limit(request, subject_of(request, "failed", account), &window, 1,
	    failure_counted);
}
