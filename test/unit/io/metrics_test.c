/* Do counts of all processes add up, and is the text Prometheus's? */
#include "cmocka_all.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/metrics.h"

static char *
text_now(void)
{
	char *text = NULL;
	size_t length = 0;

	assert_true(metrics_text(&text, &length));
	assert_int_equal(strlen(text), length);
	return text;
}

static void
assert_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	if (found == NULL || found[strlen(line)] != '\n')
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void
counts_of_children_are_shared(void **state)
{
	int status;
	pid_t child;

	(void)state;
	assert_true(metrics_init());
	assert_true(metrics_init());
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		metric_add(METRIC_HTTP_REQUESTS, 1, 41);
		_exit(0);
	}
	metric_add(METRIC_HTTP_REQUESTS, 1, 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(metric_get(METRIC_HTTP_REQUESTS, 1), 42);
}

static void
gauges_go_both_ways(void **state)
{
	(void)state;
	metric_set(METRIC_PG_WAITING, 0, 5);
	metric_add(METRIC_PG_WAITING, 0, (uint64_t)-7);
	assert_int_equal(metric_get(METRIC_PG_WAITING, 0), -2);
}

static void
text_is_prometheus(void **state)
{
	char *text;

	(void)state;
	metric_observe_us(METRIC_HTTP_SECONDS, 0, 400);
	metric_observe_us(METRIC_HTTP_SECONDS, 0, 500);
	metric_observe_us(METRIC_HTTP_SECONDS, 0, 501);
	metric_observe_us(METRIC_HTTP_SECONDS, 0, 60000000);
	text = text_now();
	assert_line(text, "# TYPE onegate_http_requests_total counter");
	assert_line(text, "onegate_http_requests_total{status=\"2xx\"} 42");
	assert_line(text, "onegate_http_requests_total{status=\"5xx\"} 0");
	assert_line(text, "onegate_pg_calls_waiting -2");
	assert_line(
	    text, "# TYPE onegate_http_request_duration_seconds histogram");
	assert_line(text,
	    "onegate_http_request_duration_seconds_bucket{le=\"0.000500\"} 2");
	assert_line(text,
	    "onegate_http_request_duration_seconds_bucket{le=\"0.001000\"} 3");
	assert_line(text,
	    "onegate_http_request_duration_seconds_bucket{le=\"10.000000\"} 3");
	assert_line(text,
	    "onegate_http_request_duration_seconds_bucket{le=\"+Inf\"} 4");
	assert_line(
	    text, "onegate_http_request_duration_seconds_sum 60.001401");
	assert_line(text, "onegate_http_request_duration_seconds_count 4");
	free(text);
}

static void
labels_have_numbers(void **state)
{
	(void)state;
	assert_int_equal(metric_label(METRIC_HTTP_REQUESTS, "1xx"), 0);
	assert_int_equal(metric_label(METRIC_HTTP_REQUESTS, "5xx"), 4);
	assert_int_equal(metric_label(METRIC_HTTP_REQUESTS, "5x"), -1);
	assert_int_equal(metric_label(METRIC_HTTP_REQUESTS, "5xxx"), -1);
	assert_int_equal(metric_label(METRIC_HTTP_REQUESTS, ""), -1);
	assert_int_equal(metric_label(METRIC_HTTP_SECONDS, "1xx"), -1);
}

/* A row with more values than cells would lose the last ones in silence. */
static void
every_row_fits(void **state)
{
	static const char *const values[] = {
#define METRIC(id, kind, name, label, values_, help) values_,
#include "io/metrics.def"
#undef METRIC
	};

	(void)state;
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		unsigned count = 1;

		for (const char *c = values[i]; c != NULL && *c != '\0'; c++)
			count += *c == '|';
		assert_in_range(count, 1, METRIC_LABELS_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_of_children_are_shared),
		cmocka_unit_test(gauges_go_both_ways),
		cmocka_unit_test(text_is_prometheus),
		cmocka_unit_test(labels_have_numbers),
		cmocka_unit_test(every_row_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
