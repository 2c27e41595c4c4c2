/*
 * Health and metrics. live says that the loop turns; ready says that what a
 * module needs is there; both cost no wait. /metrics is routed on the internal
 * listener only.
 */
#include "web/health.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/metrics.h"
#include "web/edge.h"
#include "web/endpoint.h"
#include "web/lifecycle.h"
#include "web/reply.h"

#define CHECKS_MAX 24u
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define NOT_READY_RETRY_SECONDS "1"

struct check {
	const char *name;
	health_check_fn run;
	bool needed;
};

static struct check checks[CHECKS_MAX];
static unsigned check_count;

static void
check_add(const char *name, health_check_fn run, bool needed)
{
	unsigned i;

	for (i = 0; i < check_count; i++)
		if (strcmp(checks[i].name, name) == 0 && checks[i].run == run)
			return;
	assert(check_count < CHECKS_MAX);
	checks[check_count++] = (struct check){ name, run, needed };
}

void
health_need(const char *name, health_check_fn check)
{
	check_add(name, check, true);
}

void
health_use(const char *name, health_check_fn check)
{
	check_add(name, check, false);
}

/* The first need that fails, or NULL. */
static const char *
failing(void)
{
	unsigned i;

	if (lifecycle_draining())
		return "draining";
	for (i = 0; i < check_count; i++)
		if (checks[i].needed && !checks[i].run())
			return checks[i].name;
	return NULL;
}

static void
checks_write(struct json_writer *out, bool needed)
{
	unsigned i;

	json_put_object_begin(out);
	for (i = 0; i < check_count; i++)
		if (checks[i].needed == needed)
			json_put_member_string(out, checks[i].name,
			    checks[i].run() ? "up" : "down");
	json_put_object_end(out);
}

static void
live(struct request *request)
{
	struct json_writer *out = reply_begin(request, 200, "OK");

	json_put_object_begin(out);
	json_put_member_string(out, "status", "live");
	json_put_object_end(out);
	reply_end(request);
}

static void
ready(struct request *request)
{
	const char *missing = failing();
	struct json_writer *out;

	if (missing != NULL) {
		reply_header(request, "retry-after", NOT_READY_RETRY_SECONDS);
		reply_meta_text(request, "reason", "not_ready");
		reply_meta_text(request, "failing", missing);
		reply_message(request, 503,
		    request_format(request, "Not ready: %s", missing));
		return;
	}
	out = reply_begin(request, 200, "OK");
	json_put_object_begin(out);
	json_put_member_string(out, "status", "ready");
	json_put_key(out, "needs");
	checks_write(out, true);
	json_put_object_end(out);
	reply_end(request);
}

static void
all(struct request *request)
{
	struct json_writer *out = reply_begin(request, 200, "OK");
	const char *missing = failing();

	json_put_object_begin(out);
	json_put_member_string(
	    out, "status", missing == NULL ? "up" : "not ready");
	json_put_member_bool(out, "live", true);
	json_put_member_bool(out, "ready", missing == NULL);
	json_put_member_string(out, "failing", missing);
	json_put_member_string(out, "version", ONEGATE_VERSION);
	json_put_member_int(out, "pid", getpid());
	json_put_member_int(
	    out, "uptime_seconds", (int64_t)(lifecycle_uptime_ms() / 1000));
	json_put_key(out, "needs");
	checks_write(out, true);
	json_put_key(out, "uses");
	checks_write(out, false);
	json_put_object_end(out);
	reply_end(request);
}

static void
metrics(struct request *request)
{
	char *text = NULL;
	size_t length = 0;

	metric_set(METRIC_HTTP_IN_FLIGHT, 0, lifecycle_alive_total());
	if (!metrics_text(&text, &length)) {
		reply_error(request, ERROR_INTERNAL);
		return;
	}
	reply_plain(request, 200, METRICS_TYPE, text, length);
	free(text);
}

/* Every path that no route knows, whatever the method. */
static void
nothing_here(struct request *request)
{
	reply_error(request, ERROR_NOT_FOUND);
}

ENDPOINT(health_live, { "GET", live, ACCESS_PUBLIC })
ENDPOINT(health_ready, { "GET", ready, ACCESS_PUBLIC })
ENDPOINT(health_all, { "GET", all, ACCESS_PUBLIC })
ENDPOINT(metrics_page, { "GET", metrics, ACCESS_PUBLIC })
ENDPOINT_ADMITTED(not_found, nothing_here, { "GET", live, ACCESS_PUBLIC })
