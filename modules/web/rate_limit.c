/*
 * See rate_limit.h. The uses of a subject are a sorted set of their times in
 * Redis, by Redis's clock, so every window slides exactly and one set serves
 * them all; it holds no more than the longest window's limit.
 * Must never let a request pass unlimited because Redis is away.
 */
#include "web/rate_limit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/redis.h"
#include "web/edge.h"

#define DEADLINE_MS 250u
#define SUBJECT_MAX 200u
/* The fallback: so many counters, each with a share of the shortest window's
 * limit. */
#define FALLBACK_SLOTS 4096u
#define FALLBACK_SHARE 4u

/*
 * KEYS[1]: the set. ARGV: a name for this use, then seconds and limit of each
 * window. Gives 1 when allowed, else 0; then for each window the uses before
 * this one and the ms until one more is free.
 */
static struct redis_script script = {
	.source =
	    "local time = redis.call('TIME')\n"
	    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	    "local longest = 0\n"
	    "local out = {1}\n"
	    "for i = 2, #ARGV, 2 do\n"
	    "  longest = math.max(longest, ARGV[i] * 1000)\n"
	    "end\n"
	    "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)\n"
	    "for i = 2, #ARGV, 2 do\n"
	    "  local span, limit = ARGV[i] * 1000, tonumber(ARGV[i + 1])\n"
	    "  local low = '(' .. string.format('%.0f', now - span)\n"
	    "  local used = redis.call('ZCOUNT', KEYS[1], low, '+inf')\n"
	    "  if used >= limit then out[1] = 0 end\n"
	    "  local first = redis.call('ZRANGEBYSCORE', KEYS[1], low, "
	    "'+inf',\n"
	    "    'WITHSCORES', 'LIMIT', math.max(used - limit, 0), 1)\n"
	    "  out[#out + 1] = used\n"
	    "  out[#out + 1] = first[2] and first[2] + span - now or span\n"
	    "end\n"
	    "if out[1] == 1 then\n"
	    "  redis.call('ZADD', KEYS[1], now, ARGV[1])\n"
	    "  redis.call('PEXPIRE', KEYS[1], longest)\n"
	    "end\n"
	    "return out\n",
};

struct wait {
	struct request *request;
	struct rate_window windows[RATE_WINDOWS_MAX];
	unsigned count;
	rate_step_fn next;
	const char *subject;
	struct rate_verdict verdict;
};

/* The subjects of one hash, counted by this worker alone. */
struct slot {
	uint64_t since_ms;
	uint32_t used;
};

static struct slot slots[FALLBACK_SLOTS];

static unsigned
shortest(const struct wait *wait)
{
	unsigned i, found = 0;

	for (i = 1; i < wait->count; i++)
		if (wait->windows[i].seconds < wait->windows[found].seconds)
			found = i;
	return found;
}

/* FNV-1a: only spreads subjects over slots. */
static uint64_t
subject_hash(const char *subject)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *subject != '\0'; subject++)
		hash =
		    (hash ^ (unsigned char)*subject) * UINT64_C(1099511628211);
	return hash;
}

static void
verdict_finish(struct wait *wait)
{
	struct rate_verdict *verdict = &wait->verdict;
	unsigned i, tightest = 0;

	for (i = 1; i < wait->count; i++)
		if (verdict->remaining[i] < verdict->remaining[tightest])
			tightest = i;
	verdict->tightest = tightest;
	if (verdict->allowed)
		return;
	for (i = 0; i < wait->count; i++)
		if (verdict->remaining[i] == 0 &&
		    verdict->reset_seconds[i] > verdict->retry_after)
			verdict->retry_after = verdict->reset_seconds[i];
	if (verdict->retry_after == 0)
		verdict->retry_after = 1;
}

/*
 * A fixed window in this worker's memory with a share of the shortest
 * window's limit. Subjects that meet in one slot share it, so nobody gets a
 * fresh count by meeting.
 */
static void
fallback(struct wait *wait)
{
	const struct rate_window *window = &wait->windows[shortest(wait)];
	uint64_t hash = subject_hash(wait->subject), span_ms, now_ms, left_ms;
	struct slot *slot = &slots[hash % FALLBACK_SLOTS];
	uint32_t limit = window->limit / FALLBACK_SHARE;
	unsigned i;

	if (limit == 0)
		limit = 1;
	span_ms = (uint64_t)window->seconds * 1000;
	now_ms = clock_monotonic_ms();
	if (now_ms - slot->since_ms >= span_ms) {
		slot->since_ms = now_ms;
		slot->used = 0;
	}
	wait->verdict.by_fallback = true;
	wait->verdict.allowed = slot->used < limit;
	if (wait->verdict.allowed)
		slot->used++;
	left_ms = slot->since_ms + span_ms - now_ms;
	for (i = 0; i < wait->count; i++) {
		wait->verdict.remaining[i] = limit - slot->used;
		wait->verdict.reset_seconds[i] =
		    (uint32_t)((left_ms + 999) / 1000);
	}
}

static bool
answer_read(struct wait *wait, const redisReply *reply)
{
	unsigned i;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY ||
	    reply->elements != 1 + (size_t)wait->count * 2)
		return false;
	for (i = 0; i < reply->elements; i++)
		if (reply->element[i]->type != REDIS_REPLY_INTEGER)
			return false;
	wait->verdict.allowed = reply->element[0]->integer == 1;
	for (i = 0; i < wait->count; i++) {
		int64_t limit = wait->windows[i].limit;
		int64_t used = reply->element[1 + i * 2]->integer +
		    (wait->verdict.allowed ? 1 : 0);
		int64_t free_ms = reply->element[2 + i * 2]->integer;

		wait->verdict.remaining[i] =
		    used < limit ? (uint32_t)(limit - used) : 0;
		wait->verdict.reset_seconds[i] =
		    free_ms > 0 ? (uint32_t)((free_ms + 999) / 1000) : 1;
	}
	return true;
}

static void
verdict_step(struct request *request)
{
	struct wait *wait = request->waiting;

	verdict_finish(wait);
	wait->next(request, &wait->verdict);
}

static void
answered(void *owner, const redisReply *reply)
{
	struct wait *wait = owner;

	if (!answer_read(wait, reply))
		fallback(wait);
	wait->request->waiting = wait;
	request_release(wait->request, verdict_step);
}

void
rate_limit(struct request *request, const char *subject,
    const struct rate_window *windows, unsigned count, rate_step_fn next)
{
	const char *argv[2 + 2 * RATE_WINDOWS_MAX];
	char name[UUID_TEXT_SIZE];
	struct wait *wait;
	struct uuid id;
	int argc = 0;
	unsigned i;

	assert(count > 0 && count <= RATE_WINDOWS_MAX);
	assert(strlen(subject) <= SUBJECT_MAX);
	wait = request_alloc(request, sizeof(*wait));
	wait->request = request;
	wait->count = count;
	wait->next = next;
	wait->subject = request_copy(request, subject, strlen(subject));
	memcpy(wait->windows, windows, count * sizeof(*windows));
	argv[argc++] = request_format(request, "onegate:limit:%s", subject);
	id = entropy_uuid();
	uuid_format(&id, name);
	argv[argc++] = name;
	for (i = 0; i < count; i++) {
		argv[argc++] =
		    request_format(request, "%u", windows[i].seconds);
		argv[argc++] = request_format(request, "%u", windows[i].limit);
	}
	request_hold(request);
	redis_eval(&script, 1, argc, argv, NULL, DEADLINE_MS, answered, wait);
}
