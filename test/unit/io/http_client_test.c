/*
 * Is each call told once, and is "not sent" only ever said when it is true?
 * Argument 1 is http_provider.py.
 */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/http_client.h"
#include "io/log.h"
#include "io/loop.h"
#include "server_process.h"

static const char *provider_script;
static char folder[64], certificate[96], key[96];
static int port, tls_port;
static pid_t provider = -1, tls_provider = -1;

struct told {
	int count;
	enum http_outcome outcome;
	int status;
	size_t length;
	char body[1024], error[256];
	uint64_t at_ms;
};

static void
tell(void *owner, const struct http_answer *answer)
{
	struct told *told = owner;

	told->count++;
	told->at_ms = clock_monotonic_ms();
	told->outcome = answer->outcome;
	told->status = answer->status;
	told->length = answer->body_length;
	assert_non_null(answer->body);
	assert_int_equal(answer->body[answer->body_length], '\0');
	assert_true(
	    (answer->outcome == HTTP_ANSWERED) == (answer->error == NULL));
	(void)snprintf(told->body, sizeof(told->body), "%s", answer->body);
	(void)snprintf(told->error, sizeof(told->error), "%s",
	    answer->error ? answer->error : "");
}

static struct http_upstream *
upstream_new(const char *base_url, int concurrent)
{
	struct http_upstream_options options = { .name = "gopay",
		.base_url = base_url,
		.concurrent = concurrent,
		.connect_timeout_ms = 1000,
		.timeout_ms = 1500,
		.failures_to_open = 3,
		.open_ms = 700 };

	return http_upstream_new(&options);
}

static struct http_upstream *
provider_new(int concurrent)
{
	static char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
	return upstream_new(url, concurrent);
}

static void
get(struct http_upstream *upstream, const char *path, struct told *told)
{
	struct http_call call = { .method = "GET", .path = path };

	memset(told, 0, sizeof(*told));
	http_send(upstream, &call, tell, told);
	assert_int_equal(told->count, 0);
}

static void
wait_told(const struct told *told, int count)
{
	uint64_t end_ms = clock_monotonic_ms() + 8000;

	for (int i = 0; i < count; i++) {
		while (told[i].count == 0) {
			if (clock_monotonic_ms() >= end_ms)
				fail_msg("call %d was not told", i);
			loop_run(20);
		}
		assert_int_equal(told[i].count, 1);
	}
}

static struct told
get_wait(struct http_upstream *upstream, const char *path)
{
	struct told told;

	get(upstream, path, &told);
	wait_told(&told, 1);
	return told;
}

static int
set_up(void **state)
{
	(void)state;
	return loop_init() && http_client_init() ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	http_client_done();
	loop_done();
	return 0;
}

static void
request_goes_out_as_given(void **state)
{
	struct http_call call = { .method = "POST",
		.path = "/echo/a?b=c%20d",
		.headers = { "Content-Type: application/json", "X-Id: 7",
		    NULL },
		.body = "{\"a\":\0001}",
		.body_length = 8 };
	struct told told = { 0 };

	(void)state;
	http_send(provider_new(4), &call, tell, &told);
	wait_told(&told, 1);
	assert_int_equal(told.outcome, HTTP_ANSWERED);
	assert_int_equal(told.status, 200);
	assert_non_null(strstr(told.body, "POST /echo/a?b=c%20d\n"));
	assert_non_null(strstr(told.body, "Content-Length: 8\n"));
	assert_non_null(strstr(told.body, "Content-Type: application/json\n"));
	assert_non_null(strstr(told.body, "X-Id: 7\n"));
	assert_null(strstr(told.body, "Expect"));
	assert_true(told.length > 8);
}

static void
methods_without_a_body(void **state)
{
	static const char *const methods[] = { "GET", "POST", "DELETE", "PUT" };
	struct http_upstream *upstream = provider_new(4);
	char first_line[32];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct http_call call = { .method = methods[i],
			.path = "/echo" };
		struct told told = { 0 };

		http_send(upstream, &call, tell, &told);
		wait_told(&told, 1);
		assert_int_equal(told.status, 200);
		(void)snprintf(
		    first_line, sizeof(first_line), "%s /echo\n", methods[i]);
		assert_int_equal(
		    strncmp(told.body, first_line, strlen(first_line)), 0);
	}
}

static void
any_status_is_an_answer(void **state)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = { { "/status/200", 200 }, { "/status/404", 404 },
		{ "/status/500", 500 }, { "/status/429", 429 },
		{ "/redirect", 302 } };
	struct http_upstream *upstream = provider_new(4);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct told told = get_wait(upstream, rows[i].path);

		assert_int_equal(told.outcome, HTTP_ANSWERED);
		assert_int_equal(told.status, rows[i].status);
	}
}

static void
broken_answers_are_lost(void **state)
{
	static const char *const paths[] = { "/slow/9000", "/short", "/garbage",
		"/reset", "/size/262145", "/endless/400" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct told told = get_wait(provider_new(4), paths[i]);

		if (told.outcome != HTTP_LOST)
			fail_msg("%s: outcome %d, %s", paths[i], told.outcome,
			    told.error);
		assert_int_equal(told.length, 0);
	}
	assert_int_equal(
	    get_wait(provider_new(4), "/size/262144").length, 262144);
}

/* Takes connections, by the kernel, and never says a word. */
static int
silent_new(char *url, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(server, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(server, 8), 0);
	assert_int_equal(
	    getsockname(server, (struct sockaddr *)&address, &length), 0);
	(void)snprintf(
	    url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
	return server;
}

static void
silent_provider_may_have_acted(void **state)
{
	char url[64];
	int server = silent_new(url, sizeof(url));
	uint64_t began_ms = clock_monotonic_ms();
	struct told told = get_wait(upstream_new(url, 4), "/pay");

	(void)state;
	assert_int_equal(told.outcome, HTTP_LOST);
	assert_in_range(told.at_ms - began_ms, 1450, 5000);
	close(server);
}

static void
what_never_left_is_not_sent(void **state)
{
	static char refused[64], wrong_tls[64];
	char silent[64], https[72];
	int server = silent_new(silent, sizeof(silent));
	const char *urls[] = { refused, "http://name.invalid",
		"ftp://127.0.0.1", "file:///etc/passwd", "nonsense", wrong_tls,
		https };

	(void)state;
	(void)snprintf(
	    refused, sizeof(refused), "http://127.0.0.1:%d", port_free());
	/* plain HTTP there, and nobody there speaks TLS at all */
	(void)snprintf(
	    wrong_tls, sizeof(wrong_tls), "https://127.0.0.1:%d", port);
	(void)snprintf(https, sizeof(https), "https%s", silent + 4);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct told told = get_wait(upstream_new(urls[i], 4), "/pay");

		if (told.outcome != HTTP_NOT_SENT)
			fail_msg("%s: outcome %d, %s", urls[i], told.outcome,
			    told.error);
	}
	close(server);
}

static void
malformed_calls_are_not_sent(void **state)
{
	static const struct http_call rows[] = {
		{ .method = "GET", .path = "/echo\r\nX: y" },
		{ .method = "GET", .path = "/echo me" },
		{ .method = "GET /", .path = "/echo" },
		{ .method = "GET",
		    .path = "/echo",
		    .headers = { "X: y\r\nZ: w", NULL } },
	};
	struct http_upstream *upstream = provider_new(4);
	struct told before;

	(void)state;
	before = get_wait(upstream, "/count");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct told told = { 0 };

		http_send(upstream, &rows[i], tell, &told);
		wait_told(&told, 1);
		assert_int_equal(told.outcome, HTTP_NOT_SENT);
	}
	assert_string_equal(get_wait(upstream, "/count").body, before.body);
}

static void
only_the_right_certificate_is_trusted(void **state)
{
	struct http_upstream_options options = { .name = "gopay",
		.concurrent = 4,
		.connect_timeout_ms = 1000,
		.timeout_ms = 2000,
		.failures_to_open = 9,
		.open_ms = 100 };
	char good[64], other[64];
	struct http_upstream *strangers, *trusted, *misnamed;

	(void)state;
	(void)snprintf(good, sizeof(good), "https://127.0.0.1:%d", tls_port);
	(void)snprintf(other, sizeof(other), "https://127.0.0.2:%d", tls_port);
	options.base_url = good;
	strangers = http_upstream_new(&options);
	options.ca_file = certificate;
	trusted = http_upstream_new(&options);
	assert_int_equal(get_wait(strangers, "/echo").outcome, HTTP_NOT_SENT);
	assert_int_equal(get_wait(trusted, "/echo").outcome, HTTP_ANSWERED);
	assert_string_equal(get_wait(trusted, "/count").body, "1");
	options.base_url = other;
	misnamed = http_upstream_new(&options);
	assert_int_equal(get_wait(misnamed, "/echo").outcome, HTTP_NOT_SENT);
}

static void
cap_refuses_at_once(void **state)
{
	struct http_upstream *upstream = provider_new(2);
	struct told told[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		get(upstream, "/slow/200", &told[i]);
	loop_run(20);
	wait_told(told, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    told[i].outcome, i < 2 ? HTTP_ANSWERED : HTTP_NOT_SENT);
	assert_true(told[3].at_ms <= told[0].at_ms);
	assert_int_equal(get_wait(upstream, "/status/200").status, 200);
}

static void
run_for(uint64_t ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		loop_run(10);
}

static void
breaker_opens_tries_and_closes(void **state)
{
	struct http_upstream *upstream = provider_new(4);
	struct told told[3];
	struct told before;

	(void)state;
	for (int i = 0; i < 2; i++)
		(void)get_wait(upstream, "/status/503");
	(void)get_wait(upstream, "/status/404"); /* an answer: starts anew */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(http_upstream_state(upstream), 0);
		(void)get_wait(upstream, "/status/503");
	}
	assert_int_equal(http_upstream_state(upstream), 2);
	before = get_wait(provider_new(4), "/count");
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    get_wait(upstream, "/status/200").outcome, HTTP_NOT_SENT);
	assert_string_equal(
	    get_wait(provider_new(4), "/count").body, before.body);

	run_for(750); /* one trial of three, and it fails */
	for (int i = 0; i < 3; i++)
		get(upstream, "/slow/50", &told[i]);
	assert_int_equal(http_upstream_state(upstream), 1);
	wait_told(told, 3);
	assert_int_equal(told[0].outcome, HTTP_ANSWERED);
	assert_int_equal(told[1].outcome, HTTP_NOT_SENT);
	assert_int_equal(http_upstream_state(upstream), 0);

	for (int i = 0; i < 3; i++)
		(void)get_wait(upstream, "/reset");
	assert_int_equal(http_upstream_state(upstream), 2);
	run_for(750);
	(void)get_wait(upstream, "/status/500");
	assert_int_equal(http_upstream_state(upstream), 2);
	assert_int_equal(
	    get_wait(upstream, "/status/200").outcome, HTTP_NOT_SENT);
	run_for(750);
	assert_int_equal(get_wait(upstream, "/status/200").status, 200);
	assert_int_equal(http_upstream_state(upstream), 0);
}

static void
many_calls_reuse_connections(void **state)
{
	static struct told told[300];
	struct http_upstream *upstream = provider_new(300);
	int wrong = 0;

	(void)state;
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 30; i++)
			get(upstream, "/status/201", &told[i]);
		wait_told(told, 30);
		for (int i = 0; i < 30; i++)
			wrong += told[i].status != 201;
	}
	assert_int_equal(wrong, 0);
}

static void
again_tell(void *owner, const struct http_answer *answer)
{
	struct told *told = owner;

	(void)answer;
	told->count++;
}

static void
done_tells_everything(void **state)
{
	struct http_call call = { .method = "GET", .path = "/slow/400" };
	struct http_upstream *upstream = provider_new(2);
	struct told told[3] = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		http_send(upstream, &call, again_tell, &told[i]);
	run_for(100);
	assert_int_equal(told[2].count, 1);
	http_send(upstream, &call, again_tell, &told[2]);
	http_client_done();
	assert_int_equal(told[0].count, 1);
	assert_int_equal(told[1].count, 1);
	assert_int_equal(told[2].count, 2);
}

static void
everything_ends(void)
{
	const char *const argv[] = { "rm", "-rf", folder, NULL };

	program_end(provider, SIGKILL);
	program_end(tls_provider, SIGKILL);
	if (folder[0] != '\0')
		(void)program_run(argv);
}

static int
providers_start(void **state)
{
	const char *const openssl[] = { "openssl", "req", "-x509", "-newkey",
		"ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
		"2", "-subj", "/CN=provider", "-addext",
		"subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
		certificate, NULL };
	char number[16], tls_number[16];
	const char *const plain[] = { "/usr/bin/python3", provider_script,
		number, NULL };
	const char *const tls[] = { "/usr/bin/python3", provider_script,
		tls_number, certificate, key, NULL };

	(void)state;
	if (!folder_new(folder))
		return -1;
	(void)snprintf(
	    certificate, sizeof(certificate), "%s/certificate.pem", folder);
	(void)snprintf(key, sizeof(key), "%s/key.pem", folder);
	if (!program_run(openssl))
		return -1;
	port = port_free();
	tls_port = port_free();
	(void)snprintf(number, sizeof(number), "%d", port);
	(void)snprintf(tls_number, sizeof(tls_number), "%d", tls_port);
	provider = program_start(plain);
	tls_provider = program_start(tls);
	return port_wait(port) && port_wait(tls_port) ? 0 : -1;
}

int
main(int argc, char **argv)
{
#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		HTTP_TEST(request_goes_out_as_given),
		HTTP_TEST(methods_without_a_body),
		HTTP_TEST(any_status_is_an_answer),
		HTTP_TEST(broken_answers_are_lost),
		HTTP_TEST(silent_provider_may_have_acted),
		HTTP_TEST(what_never_left_is_not_sent),
		HTTP_TEST(malformed_calls_are_not_sent),
		HTTP_TEST(only_the_right_certificate_is_trusted),
		HTTP_TEST(cap_refuses_at_once),
		HTTP_TEST(breaker_opens_tries_and_closes),
		HTTP_TEST(many_calls_reuse_connections),
		HTTP_TEST(done_tells_everything),
	};

	if (argc != 2)
		return 2;
	provider_script = argv[1];
	(void)atexit(everything_ends);
	log_init("unit", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, providers_start, NULL);
}
