/*
 * Calls to providers on curl's multi interface. curl tells which sockets and
 * which timer it wants; the loop serves them; finished transfers are told from
 * the loop, never from inside curl. "Not sent" is said only when not one byte
 * of the request left: everything else may have been acted on.
 */
#include "io/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/memory.h"
#include "io/metrics.h"

#define URL_MAX 2048
#define HEADER_MAX 8192
#define BODY_FIRST_BYTES 2048
#define CONNECTIONS_KEPT 128L
#define CONNECTION_AGE_SECONDS 20L /* idle; older ones are not used again */
#define DONE_ROUNDS 1000 /* of calls whose answers make new calls */

enum breaker_state { CLOSED, HALF_OPEN, OPEN };

struct http_upstream {
	struct http_upstream_options options;
	struct http_upstream *next;
	enum breaker_state state;
	int failures; /* in a row, while closed */
	uint64_t open_until_ms;
	int running;
	int metric; /* label, -1: none */
};

struct exchange {
	TAILQ_ENTRY(exchange) next; /* in "running" or "refused" */
	struct http_upstream *upstream;
	CURL *easy;
	struct curl_slist *headers;
	bool trial; /* the one call of a half-open breaker */
	http_done_fn done;
	void *owner;
	char *body;
	size_t body_length, body_capacity;
	bool too_large;
	uint64_t began_ms;
	const char *refusal;
	char error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(exchange_queue, exchange);

static struct {
	bool made;
	CURLM *multi;
	struct loop_timer timer; /* curl's */
	struct loop_timer refused_timer;
	struct exchange_queue running, refused;
	struct http_upstream *upstreams;
	int depth; /* of callbacks */
} client;

/* ---------------------------------------------------------------- breaker */

static void
breaker_set(struct http_upstream *upstream, enum breaker_state state)
{
	static const char *const names[] = { "closed", "half-open", "open" };

	if (upstream->state == state)
		return;
	upstream->state = state;
	if (upstream->metric >= 0)
		metric_set(METRIC_UPSTREAM_BREAKER, (unsigned)upstream->metric,
		    (int64_t)state);
	if (state != HALF_OPEN)
		log_event(state == OPEN ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		    "http_client: breaker",
		    LOG_TEXT("upstream", upstream->options.name),
		    LOG_TEXT("state", names[state]));
}

/* True when a call may go; *TRIAL when it decides about the breaker. */
static bool
breaker_admit(struct http_upstream *upstream, bool *trial)
{
	*trial = false;
	if (upstream->state == CLOSED)
		return true;
	if (upstream->state == HALF_OPEN ||
	    clock_monotonic_ms() < upstream->open_until_ms)
		return false;
	breaker_set(upstream, HALF_OPEN);
	*trial = true;
	return true;
}

/* What a call's end says about the provider. Calls from before the breaker
 * opened say nothing any more. */
static void
breaker_learn(struct http_upstream *upstream, bool trial, bool failed)
{
	if (!trial && upstream->state != CLOSED)
		return;
	upstream->failures = failed ? upstream->failures + 1 : 0;
	if (!failed) {
		breaker_set(upstream, CLOSED);
	} else if (trial ||
	    upstream->failures >= upstream->options.failures_to_open) {
		upstream->open_until_ms =
		    clock_monotonic_ms() + upstream->options.open_ms;
		breaker_set(upstream, OPEN);
	}
}

int
http_upstream_state(const struct http_upstream *upstream)
{
	return (int)upstream->state;
}

/* -------------------------------------------------------------- answering */

static void
exchange_free(struct exchange *exchange)
{
	curl_easy_cleanup(exchange->easy);
	curl_slist_free_all(exchange->headers);
	if (exchange->body != NULL)
		explicit_bzero(exchange->body, exchange->body_length);
	free(exchange->body);
	free(exchange);
}

static void
exchange_tell(struct exchange *exchange, const struct http_answer *answer)
{
	metric_add(METRIC_UPSTREAM_REQUESTS, (unsigned)answer->outcome, 1);
	client.depth++;
	exchange->done(exchange->owner, answer);
	client.depth--;
}

/* Fills ANSWER for a transfer that ended with RESULT. */
static void
answer_read(
    struct exchange *exchange, CURLcode result, struct http_answer *answer)
{
	long status = 0, sent_bytes = 0;

	(void)curl_easy_getinfo(
	    exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(
	    exchange->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	answer->elapsed_ms =
	    (uint32_t)(clock_monotonic_ms() - exchange->began_ms);
	answer->body = "";
	if (result == CURLE_OK) {
		answer->outcome = HTTP_ANSWERED;
		answer->status = (int)status;
		if (exchange->body != NULL)
			answer->body = exchange->body;
		answer->body_length = exchange->body_length;
		return;
	}
	answer->outcome = sent_bytes == 0 ? HTTP_NOT_SENT : HTTP_LOST;
	answer->error = exchange->error[0] != '\0' ? exchange->error
						   : curl_easy_strerror(result);
	if (exchange->too_large || result == CURLE_FILESIZE_EXCEEDED)
		answer->error = "answer is too large";
}

/* The transfer is over: off curl's list, then told. */
static void
exchange_end(struct exchange *exchange, CURLcode result)
{
	struct http_upstream *upstream = exchange->upstream;
	struct http_answer answer = { 0 };

	answer_read(exchange, result, &answer);
	(void)curl_multi_remove_handle(client.multi, exchange->easy);
	TAILQ_REMOVE(&client.running, exchange, next);
	upstream->running--;
	breaker_learn(upstream, exchange->trial,
	    answer.outcome != HTTP_ANSWERED || answer.status >= 500);
	exchange_tell(exchange, &answer);
	exchange_free(exchange);
}

static void
refused_run(struct loop_timer *timer, void *owner)
{
	struct exchange_queue told;
	struct exchange *exchange;

	(void)timer, (void)owner;
	TAILQ_INIT(&told);
	TAILQ_CONCAT(&told, &client.refused, next);
	while ((exchange = TAILQ_FIRST(&told)) != NULL) {
		struct http_answer answer = { .outcome = HTTP_NOT_SENT,
			.body = "",
			.error = exchange->refusal };

		TAILQ_REMOVE(&told, exchange, next);
		exchange_tell(exchange, &answer);
		exchange_free(exchange);
	}
}

static void
exchange_refuse(struct exchange *exchange, const char *why)
{
	if (exchange->trial) /* it did not learn anything */
		breaker_set(exchange->upstream, OPEN);
	exchange->refusal = why;
	TAILQ_INSERT_TAIL(&client.refused, exchange, next);
	loop_timer_set(&client.refused_timer, 0, refused_run, NULL);
}

/* --------------------------------------------------------- curl's wishes */

static void
finished_tell(void)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client.multi, &left)) != NULL) {
		struct exchange *exchange = NULL;
		CURLcode result = message->data.result;

		assert(message->msg == CURLMSG_DONE);
		(void)curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &exchange);
		exchange_end(exchange, result);
	}
}

static void
socket_ready(struct loop_watch *watch, uint32_t events, void *owner)
{
	int action = 0, running;

	(void)owner;
	if (events & (EPOLLIN | EPOLLHUP))
		action |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		action |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		action |= CURL_CSELECT_ERR;
	(void)curl_multi_socket_action(
	    client.multi, loop_watch_descriptor(watch), action, &running);
	finished_tell();
}

/* curl: watch DESCRIPTOR as WISH says; MEMORY is our watch of it, if any. */
static int
socket_wish(
    CURL *easy, curl_socket_t descriptor, int wish, void *owner, void *memory)
{
	struct loop_watch *watch = memory;
	uint32_t events = 0;

	(void)easy, (void)owner;
	if (wish == CURL_POLL_REMOVE) {
		loop_watch_free(watch);
		(void)curl_multi_assign(client.multi, descriptor, NULL);
		return 0;
	}
	events |= wish & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0;
	events |= wish & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0;
	if (watch != NULL) {
		loop_watch_events(watch, events);
		return 0;
	}
	watch = loop_watch_new(descriptor, events, socket_ready, NULL);
	if (watch == NULL)
		return -1;
	(void)curl_multi_assign(client.multi, descriptor, watch);
	return 0;
}

static void
timer_fire(struct loop_timer *timer, void *owner)
{
	int running;

	(void)timer, (void)owner;
	(void)curl_multi_socket_action(
	    client.multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finished_tell();
}

/* curl: call me in TIMEOUT_MS. Must not call curl back from here. */
static int
timer_wish(CURLM *multi, long timeout_ms, void *owner)
{
	(void)multi, (void)owner;
	if (timeout_ms < 0)
		loop_timer_clear(&client.timer);
	else
		loop_timer_set(
		    &client.timer, (uint64_t)timeout_ms, timer_fire, NULL);
	return 0;
}

/* curl: COUNT bytes of the answer's body. Anything but COUNT ends the call. */
static size_t
body_take(char *bytes, size_t size, size_t count, void *owner)
{
	struct exchange *exchange = owner;
	size_t length = size * count, capacity = exchange->body_capacity;
	char *grown;

	if (length > HTTP_ANSWER_MAX - exchange->body_length) {
		exchange->too_large = true;
		return 0;
	}
	if (exchange->body_length + length + 1 > capacity) {
		capacity = capacity ? capacity : BODY_FIRST_BYTES;
		while (capacity < exchange->body_length + length + 1)
			capacity *= 2;
		grown = realloc(exchange->body, capacity);
		if (grown == NULL)
			return 0;
		exchange->body = grown;
		exchange->body_capacity = capacity;
	}
	memcpy(exchange->body + exchange->body_length, bytes, length);
	exchange->body_length += length;
	exchange->body[exchange->body_length] = '\0';
	return length;
}

/* ---------------------------------------------------------------- calling */

/* True when TEXT can stand in a request line or header as it is. */
static bool
text_is_plain(const char *text, size_t most, bool spaces)
{
	size_t length = strnlen(text, most + 1);

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f || (c == ' ' && !spaces))
			return false;
	}
	return length <= most;
}

static bool
header_add(struct exchange *exchange, const char *header)
{
	struct curl_slist *longer;

	if (!text_is_plain(header, HEADER_MAX, true))
		return false;
	longer = curl_slist_append(exchange->headers, header);
	if (longer == NULL)
		return false;
	exchange->headers = longer;
	return true;
}

static bool
headers_add(struct exchange *exchange, const struct http_call *call)
{
	bool added = header_add(exchange, "Expect:") &&
	    header_add(exchange, "User-Agent: onegate");

	for (int i = 0;
	     added && i < HTTP_HEADERS_MAX && call->headers[i] != NULL; i++)
		added = header_add(exchange, call->headers[i]);
	return added;
}

#define SET(option, value)                                                     \
	(curl_easy_setopt(exchange->easy, (option), (value)) == CURLE_OK)

/* Method, headers and body, copied into curl. */
static bool
request_set(struct exchange *exchange, const struct http_call *call)
{
	const char *body = call->body ? call->body : "";
	bool get = strcmp(call->method, "GET") == 0 && call->body == NULL;
	bool head = strcmp(call->method, "HEAD") == 0;

	if (!text_is_plain(call->method, 16, false) ||
	    !headers_add(exchange, call) ||
	    !SET(CURLOPT_HTTPHEADER, exchange->headers))
		return false;
	if (get)
		return SET(CURLOPT_HTTPGET, 1L);
	if (head)
		return SET(CURLOPT_NOBODY, 1L);
	return SET(CURLOPT_POSTFIELDSIZE_LARGE,
		   (curl_off_t)(call->body ? call->body_length : 0)) &&
	    SET(CURLOPT_COPYPOSTFIELDS, body) &&
	    SET(CURLOPT_CUSTOMREQUEST, call->method);
}

/* Where to, how long, how much, whom to trust. */
static bool
limits_set(struct exchange *exchange, const char *url)
{
	const struct http_upstream_options *options =
	    &exchange->upstream->options;

	return SET(CURLOPT_URL, url) && SET(CURLOPT_PRIVATE, exchange) &&
	    SET(CURLOPT_ERRORBUFFER, exchange->error) &&
	    SET(CURLOPT_WRITEFUNCTION, body_take) &&
	    SET(CURLOPT_WRITEDATA, exchange) && SET(CURLOPT_NOSIGNAL, 1L) &&
	    /* or a timed-out call waits for its resolver's thread */
	    SET(CURLOPT_QUICK_EXIT, 1L) &&
	    SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
	    SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") &&
	    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	    SET(CURLOPT_MAXFILESIZE, (long)HTTP_ANSWER_MAX) &&
	    SET(CURLOPT_MAXAGE_CONN, CONNECTION_AGE_SECONDS) &&
	    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms) &&
	    SET(CURLOPT_TIMEOUT_MS, (long)options->timeout_ms) &&
	    SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
	    SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
	    (options->ca_file == NULL || SET(CURLOPT_CAINFO, options->ca_file));
}

/* Makes curl's side of the call; false when the call cannot be one. */
static bool
exchange_set(struct exchange *exchange, const struct http_call *call)
{
	char url[URL_MAX + 1];
	int length = snprintf(url, sizeof(url), "%s%s",
	    exchange->upstream->options.base_url, call->path);

	if (length < 0 || length > URL_MAX ||
	    !text_is_plain(url, URL_MAX, false))
		return false;
	exchange->easy = curl_easy_init();
	return exchange->easy != NULL && limits_set(exchange, url) &&
	    request_set(exchange, call);
}

void
http_send(struct http_upstream *upstream, const struct http_call *call,
    http_done_fn done, void *owner)
{
	struct exchange *exchange = memory_new(1, sizeof(*exchange));

	assert(client.made && done != NULL);
	exchange->upstream = upstream;
	exchange->done = done;
	exchange->owner = owner;
	exchange->began_ms = clock_monotonic_ms();
	if (upstream->running >= upstream->options.concurrent) {
		exchange_refuse(exchange, "too many calls at once");
		return;
	}
	if (!exchange_set(exchange, call)) {
		exchange_refuse(exchange, "malformed call");
		return;
	}
	if (!breaker_admit(upstream, &exchange->trial)) {
		exchange_refuse(exchange, "breaker is open");
		return;
	}
	if (curl_multi_add_handle(client.multi, exchange->easy) != CURLM_OK) {
		exchange_refuse(exchange, "curl refused the call");
		return;
	}
	TAILQ_INSERT_TAIL(&client.running, exchange, next);
	upstream->running++;
}

/* ------------------------------------------------------------------- life */

bool
http_client_init(void)
{
	if (client.made)
		return true;
	memset(&client, 0, sizeof(client));
	TAILQ_INIT(&client.running);
	TAILQ_INIT(&client.refused);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return false;
	client.multi = curl_multi_init();
	if (client.multi == NULL)
		return false;
	client.made = true;
	(void)curl_multi_setopt(
	    client.multi, CURLMOPT_SOCKETFUNCTION, socket_wish);
	(void)curl_multi_setopt(
	    client.multi, CURLMOPT_TIMERFUNCTION, timer_wish);
	(void)curl_multi_setopt(
	    client.multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	return true;
}

struct http_upstream *
http_upstream_new(const struct http_upstream_options *options)
{
	struct http_upstream *upstream = memory_new(1, sizeof(*upstream));

	assert(client.made && options->concurrent >= 1);
	assert(options->failures_to_open >= 1 && options->timeout_ms > 0);
	upstream->options = *options;
	upstream->metric = metric_label(METRIC_UPSTREAM_BREAKER, options->name);
	upstream->next = client.upstreams;
	client.upstreams = upstream;
	return upstream;
}

void
http_client_done(void)
{
	struct http_upstream *upstream;

	if (!client.made)
		return;
	assert(client.depth == 0);
	for (int i = 0; i < DONE_ROUNDS; i++) {
		struct exchange *exchange = TAILQ_FIRST(&client.running);

		if (exchange != NULL)
			exchange_end(exchange, CURLE_ABORTED_BY_CALLBACK);
		else if (!TAILQ_EMPTY(&client.refused))
			refused_run(NULL, NULL);
		else
			break;
	}
	assert(TAILQ_EMPTY(&client.running) && TAILQ_EMPTY(&client.refused));
	(void)curl_multi_cleanup(client.multi);
	loop_timer_clear(&client.timer);
	loop_timer_clear(&client.refused_timer);
	while ((upstream = client.upstreams) != NULL) {
		client.upstreams = upstream->next;
		free(upstream);
	}
	curl_global_cleanup();
	client.made = false;
}
