/*
 * Admission of an API client: key, limits, access row. See api_client.h.
 * It never says whether a key is unknown, inactive or expired: all are 401.
 */
#include "transaction/api_client.h"

#include <stdio.h>
#include <string.h>

#include "domain/digest.h"
#include "io/config.h"
#include "io/metrics.h"
#include "transaction/access_log.h"
#include "transaction/store.h"
#include "web/endpoint.h"
#include "web/reply.h"

#define API_KEY_LENGTH_MAX 256

/* The headers of a service's own windows, in their order. */
static const struct {
	const char *limit, *remaining;
} window_headers[] = {
	{ "X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute" },
	{ "X-RateLimit-Limit-Hour", "X-RateLimit-Remaining-Hour" },
	{ "X-RateLimit-Limit-Day", "X-RateLimit-Remaining-Day" },
};

static void key_found(struct request *request, const struct pg_answer *answer);
static void limit_checked(
    struct request *request, const struct rate_verdict *verdict);

/* A wrong path or method is told to everybody, so that a call which no key
 * could make does not look like one for want of a key. */
static void
refuse_key(struct request *request)
{
	const struct visit *visit = request->state;

	if (visit->nowhere)
		reply_error(request, ERROR_NOT_FOUND);
	else if (endpoint_allows(request))
		reply_error(request, ERROR_BAD_API_KEY);
	else
		endpoint_continue(request);
}

static void
admit(struct request *request, bool nowhere)
{
	const char *key = request_header(request, "x-api-key");
	const char *pepper = config_text(CONFIG_API_KEY_PEPPER);
	struct pg_params params;
	struct visit *visit = request_alloc(request, sizeof(*visit));
	uint8_t hash[32];

	visit->nowhere = nowhere;
	request->state = visit;
	reply_before_send(request, access_log_write);
	if (key == NULL || *key == '\0' || strlen(key) > API_KEY_LENGTH_MAX) {
		refuse_key(request);
		return;
	}
	digest_hmac_sha256(pepper, strlen(pepper), key, strlen(key), hash);
	pg_params_init(&params);
	pg_put_bytea(&params, hash, sizeof(hash));
	request_sql(
	    request, store_pool(), STORE_FIND_KEY, &params, false, key_found);
}

void
api_client_admit(struct request *request)
{
	admit(request, false);
}

void
api_client_nowhere(struct request *request)
{
	admit(request, true);
}

static void
window_add(struct visit *visit, uint32_t seconds, int64_t limit)
{
	if (limit <= 0)
		return;
	visit->windows[visit->window_count++] =
	    (struct rate_window){ seconds, (uint32_t)limit };
}

static uint32_t
unit_seconds(const char *unit)
{
	if (strcmp(unit, "second") == 0)
		return 1;
	if (strcmp(unit, "minute") == 0)
		return 60;
	if (strcmp(unit, "hour") == 0)
		return 3600;
	return 86400;
}

static void
own_window(struct visit *visit, const PGresult *rows)
{
	int unit = pg_column(rows, "rate_limit_unit");
	int count = pg_column(rows, "rate_limit_count");

	visit->own.seconds = unit_seconds(pg_text(rows, 0, unit));
	visit->own.limit = (uint32_t)pg_int(rows, 0, count);
}

static void
visit_read(struct visit *visit, const PGresult *rows)
{
	const char *text = pg_text(rows, 0, pg_column(rows, "service_id"));

	snprintf(visit->service_text, sizeof(visit->service_text), "%s", text);
	uuid_parse(text, strlen(text), &visit->service_id);
	text = pg_text(rows, 0, pg_column(rows, "key_id"));
	snprintf(visit->key_text, sizeof(visit->key_text), "%s", text);
	uuid_parse(text, strlen(text), &visit->key_id);
	if (pg_bool(rows, 0, pg_column(rows, "read_transactions")))
		visit->permissions |= PERMISSION_READ_TRANSACTIONS;
	if (pg_bool(rows, 0, pg_column(rows, "read_reports")))
		visit->permissions |= PERMISSION_READ_REPORTS;
	window_add(visit, 60, pg_int(rows, 0, pg_column(rows, "limit_minute")));
	window_add(visit, 3600, pg_int(rows, 0, pg_column(rows, "limit_hour")));
	window_add(visit, 86400, pg_int(rows, 0, pg_column(rows, "limit_day")));
	if (!pg_is_null(rows, 0, pg_column(rows, "rate_limit_count")))
		own_window(visit, rows);
	visit->known = true;
}

static void
key_found(struct request *request, const struct pg_answer *answer)
{
	struct visit *visit = request->state;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		refuse_key(request);
		return;
	}
	visit_read(visit, answer->rows);
	if (!pg_bool(answer->rows, 0, pg_column(answer->rows, "usable"))) {
		refuse_key(request);
		return;
	}
	rate_limit(request,
	    request_format(request, "api:%s", visit->service_text),
	    visit->windows, visit->window_count, limit_checked);
}

static void
header_number(struct request *request, const char *name, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	reply_header(request, name, text);
}

static void
tightest_headers(struct request *request, const struct rate_window *window,
    const struct rate_verdict *verdict, unsigned i)
{
	header_number(request, "RateLimit-Limit", window->limit);
	header_number(request, "RateLimit-Remaining", verdict->remaining[i]);
	header_number(request, "RateLimit-Reset", verdict->reset_seconds[i]);
}

/* The tightest window in the standard's headers, the service's three in the
 * gateway's older ones. OWN is about the key's own window, or NULL. */
static void
limit_headers(struct request *request, const struct rate_verdict *own)
{
	const struct visit *visit = request->state;
	const struct rate_verdict *verdict = visit->verdict;
	unsigned tightest = verdict->tightest;

	if (own != NULL && own->remaining[0] <= verdict->remaining[tightest])
		tightest_headers(request, &visit->own, own, 0);
	else
		tightest_headers(
		    request, &visit->windows[tightest], verdict, tightest);
	for (unsigned i = 0; i < 3 && i < visit->window_count; i++) {
		header_number(
		    request, window_headers[i].limit, visit->windows[i].limit);
		header_number(request, window_headers[i].remaining,
		    verdict->remaining[i]);
	}
}

static void
limit_refuse(struct request *request, const struct rate_verdict *verdict)
{
	metric_add(METRIC_API_LIMITED, 0, 1);
	reply_error_retry(request, ERROR_RATE_LIMITED, verdict->retry_after);
}

static void
limit_passed(struct request *request)
{
	const struct visit *visit = request->state;

	if (visit->nowhere)
		reply_error(request, ERROR_NOT_FOUND);
	else
		endpoint_continue(request);
}

static void
own_limit_checked(struct request *request, const struct rate_verdict *own)
{
	limit_headers(request, own);
	if (own->allowed)
		limit_passed(request);
	else
		limit_refuse(request, own);
}

static void
limit_checked(struct request *request, const struct rate_verdict *verdict)
{
	struct visit *visit = request->state;

	visit->verdict = verdict;
	if (verdict->allowed && visit->own.seconds != 0) {
		rate_limit(request,
		    request_format(request, "key:%s", visit->key_text),
		    &visit->own, 1, own_limit_checked);
		return;
	}
	limit_headers(request, NULL);
	if (verdict->allowed)
		limit_passed(request);
	else
		limit_refuse(request, verdict);
}

bool
api_client_permitted(struct request *request, unsigned permission)
{
	const struct visit *visit = request->state;

	if ((visit->permissions & permission) == permission)
		return true;
	reply_error(request, ERROR_PERMISSION_MISSING);
	return false;
}
