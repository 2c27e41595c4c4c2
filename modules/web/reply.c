/*
 * The answer. Handlers write data and meta; everything that every answer
 * needs (envelope, request id, cache rules, drain, access log, metrics) is
 * added here once, when the answer leaves.
 * Must never log a query, a header, a body or who is signed in.
 */
#include "web/reply.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include <kore.h>
#include <http.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics.h"
#include "web/edge.h"
#include "web/lifecycle.h"

#define WRITERS_KEPT 256u
#define WRITER_KEPT_BYTES 16384u
#define HEADERS_MAX 16u
#define NUMBER_SIZE 24
#define JSON_TYPE "application/json"

struct reply_field {
	const char *name;
	const char *value;
};

enum reply_shape { REPLY_ENVELOPE, REPLY_PLAIN };

struct reply {
	int status;
	enum reply_shape shape;
	const char *message;
	const char *reason; /* meta.reason or NULL */
	struct json_writer data;
	struct json_writer extras; /* members of meta; zeroed until used */
	struct reply_field headers[HEADERS_MAX];
	unsigned header_count;
	const char *content_type; /* REPLY_PLAIN */
	const char *body;
	size_t body_length;
	bool ended, released;
};

/* Memory of answers that have left, for those to come. */
static char *kept_bytes[WRITERS_KEPT];
static size_t kept_capacity[WRITERS_KEPT];
static unsigned kept_count;

static void
writer_begin(struct json_writer *writer)
{
	json_writer_init(writer);
	if (kept_count == 0)
		return;
	kept_count--;
	writer->bytes = kept_bytes[kept_count];
	writer->capacity = kept_capacity[kept_count];
}

/* Answers carry tokens: nothing of one may be seen in the next. */
static void
writer_end(struct json_writer *writer)
{
	if (writer->bytes != NULL)
		OPENSSL_cleanse(writer->bytes, writer->length);
	if (writer->bytes == NULL || writer->capacity > WRITER_KEPT_BYTES ||
	    kept_count == WRITERS_KEPT) {
		json_writer_free(writer);
		return;
	}
	kept_bytes[kept_count] = writer->bytes;
	kept_capacity[kept_count] = writer->capacity;
	kept_count++;
	json_writer_init(writer);
}

static struct reply *
reply_of(struct request *request)
{
	if (request->reply == NULL)
		request->reply = request_alloc(request, sizeof(struct reply));
	return request->reply;
}

/* False when the chain has answered already: a defect, the first one stays. */
static bool
reply_start(struct request *request, int status, const char *message)
{
	struct reply *reply = reply_of(request);

	if (reply->ended) {
		log_event(LOG_LEVEL_ERROR, "reply: a second answer was refused",
		    LOG_TEXT("request_id", request->id),
		    LOG_TEXT("route", request->route),
		    LOG_NUMBER("status", status));
		return false;
	}
	writer_end(&reply->data);
	reply->status = status;
	reply->shape = REPLY_ENVELOPE;
	reply->message = request_copy(request, message, strlen(message));
	writer_begin(&reply->data);
	return true;
}

/* What a defect's second answer is written into. */
static struct json_writer *
lost_writer(void)
{
	static struct json_writer lost;

	json_writer_free(&lost);
	json_writer_init(&lost);
	return &lost;
}

struct json_writer *
reply_begin(struct request *request, int status, const char *message)
{
	if (!reply_start(request, status, message))
		return lost_writer();
	return &request->reply->data;
}

static struct json_writer *
reply_extras(struct request *request)
{
	struct reply *reply = reply_of(request);

	if (reply->extras.bytes == NULL) {
		writer_begin(&reply->extras);
		json_put_object_begin(&reply->extras);
	}
	return &reply->extras;
}

void
reply_meta_int(struct request *request, const char *key, int64_t value)
{
	json_put_member_int(reply_extras(request), key, value);
}

void
reply_meta_text(struct request *request, const char *key, const char *text)
{
	json_put_member_string(reply_extras(request), key, text);
}

void
reply_end(struct request *request)
{
	struct reply *reply = reply_of(request);

	if (reply->ended)
		return;
	assert(reply->status != 0);
	reply->ended = true;
	if (request->before_send != NULL)
		request->before_send(request);
	else
		reply_release(request);
}

void
reply_release(struct request *request)
{
	struct reply *reply = reply_of(request);

	assert(reply->ended);
	if (reply->released)
		return;
	reply->released = true;
	request_wake(request);
}

void
reply_replace(struct request *request, enum error_code code)
{
	struct reply *reply = reply_of(request);
	step_fn hook = request->before_send;

	assert(reply->ended && !reply->released);
	reply->ended = false;
	reply->header_count = 0;
	reply->reason = NULL;
	writer_end(&reply->extras);
	request->before_send = NULL;
	reply_error(request, code); /* releases: the hook has had its turn */
	request->before_send = hook;
}

void
reply_before_send(struct request *request, step_fn hook)
{
	request->before_send = hook;
}

bool
reply_ended(const struct request *request)
{
	return request->reply != NULL && request->reply->ended;
}

bool
reply_ready(const struct request *request)
{
	return request->reply != NULL && request->reply->released;
}

int
reply_status(const struct request *request)
{
	return request->reply == NULL ? 0 : request->reply->status;
}

void
reply_message(struct request *request, int status, const char *message)
{
	json_put_null(reply_begin(request, status, message));
	reply_end(request);
}

void
reply_error(struct request *request, enum error_code code)
{
	reply_error_retry(
	    request, code, (unsigned)error_info(code)->retry_after);
}

void
reply_error_retry(
    struct request *request, enum error_code code, unsigned seconds)
{
	const struct error_info *info = error_info(code);

	if (!reply_start(request, info->status, info->message))
		return;
	json_put_null(&request->reply->data);
	request->reply->reason = info->reason;
	if (seconds > 0)
		reply_header(request, "retry-after",
		    request_format(request, "%u", seconds));
	reply_end(request);
}

void
reply_stored(struct request *request, int status, const char *message,
    const char *reason, const char *data, size_t length)
{
	if (!reply_start(request, status, message))
		return;
	if (reason != NULL)
		request->reply->reason =
		    request_copy(request, reason, strlen(reason));
	json_put_raw(&request->reply->data, data, length);
	reply_end(request);
}

void
reply_plain(struct request *request, int status, const char *content_type,
    const char *body, size_t length)
{
	if (!reply_start(request, status, ""))
		return;
	request->reply->shape = REPLY_PLAIN;
	request->reply->content_type = content_type;
	request->reply->body = request_copy(request, body, length);
	request->reply->body_length = length;
	reply_end(request);
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

void
reply_header(struct request *request, const char *name, const char *value)
{
	struct reply *reply = reply_of(request);

	assert(!has_control(name) && !has_control(value));
	assert(reply->header_count < HEADERS_MAX);
	reply->headers[reply->header_count].name = name;
	reply->headers[reply->header_count].value =
	    request_copy(request, value, strlen(value));
	reply->header_count++;
}

void
reply_cookie(struct request *request, const char *name, const char *value,
    unsigned max_age_seconds)
{
	reply_header(request, "set-cookie",
	    request_format(request,
		"%s=%s; Max-Age=%u; Path=/; HttpOnly; Secure; SameSite=None",
		name, value, max_age_seconds));
}

/* The envelope of REPLY in memory that the next envelope overwrites. */
static const struct json_writer *
envelope_write(const struct request *request, struct reply *reply)
{
	static struct json_writer out;
	char code[4];

	OPENSSL_cleanse(out.bytes, out.length);
	out.length = 0;
	out.depth = 0;
	out.failed = out.comma = false;
	code[0] = (char)('0' + reply->status / 100);
	code[1] = (char)('0' + reply->status / 10 % 10);
	code[2] = (char)('0' + reply->status % 10);
	code[3] = '\0';
	json_put_object_begin(&out);
	json_put_key(&out, "meta");
	json_put_object_begin(&out);
	json_put_member_string(&out, "code", code);
	json_put_member_string(&out, "message", reply->message);
	if (reply->reason != NULL)
		json_put_member_string(&out, "reason", reply->reason);
	json_put_member_string(&out, "request_id", request->id);
	/* The members that the handler added, without their opening brace. */
	if (reply->extras.length > 1) {
		json_put_raw(
		    &out, reply->extras.bytes + 1, reply->extras.length - 1);
		if (json_writer_failed(&reply->extras))
			out.failed = true;
	}
	json_put_object_end(&out);
	json_put_key(&out, "data");
	json_put_raw(&out, reply->data.bytes, reply->data.length);
	json_put_object_end(&out);
	if (json_writer_failed(&reply->data) || reply->data.length == 0)
		out.failed = true;
	return &out;
}

/* A static block that headers are written into, one answer at a time. */
struct lines {
	char bytes[HEADERS_MAX * 6144u];
	size_t length;
};

static void
put_text(struct lines *lines, const char *text)
{
	size_t length = strlen(text);

	assert(lines->length + length <= sizeof(lines->bytes));
	memcpy(lines->bytes + lines->length, text, length);
	lines->length += length;
}

static void
put_number(struct lines *lines, size_t number)
{
	char text[NUMBER_SIZE], *start = text + sizeof(text) - 1;

	*start = '\0';
	do {
		*--start = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put_text(lines, start);
}

static void
put_field(struct lines *lines, const char *name, const char *value)
{
	put_text(lines, name);
	put_text(lines, ": ");
	put_text(lines, value);
	put_text(lines, "\r\n");
}

static const char *
status_text(int status)
{
	const char *text = http_status_text(status);

	switch (status) {
	case 422:
		return "Unprocessable Entity";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	default:
		return text != NULL && *text != '\0' ? text : "Unknown";
	}
}

/* Status line, the headers that every answer has, and the handler's own. */
static const struct lines *
lines_write(const struct request *request, const struct reply *reply,
    size_t body_length, bool closes)
{
	static struct lines lines;
	unsigned i;

	OPENSSL_cleanse(lines.bytes, lines.length);
	lines.length = 0;
	put_text(&lines, "HTTP/1.1 ");
	put_number(&lines, (size_t)reply->status);
	put_text(&lines, " ");
	put_text(&lines, status_text(reply->status));
	put_text(&lines, "\r\n");
	put_field(&lines, "content-type",
	    reply->shape == REPLY_PLAIN ? reply->content_type : JSON_TYPE);
	put_text(&lines, "content-length: ");
	put_number(&lines, body_length);
	put_text(&lines, "\r\n");
	put_field(&lines, "x-request-id", request->id);
	put_field(&lines, "x-content-type-options", "nosniff");
	for (i = 0; i < reply->header_count; i++)
		if (strcmp(reply->headers[i].name, "cache-control") == 0)
			break;
	if (i == reply->header_count)
		put_field(&lines, "cache-control", "no-store");
	for (i = 0; i < reply->header_count; i++)
		put_field(
		    &lines, reply->headers[i].name, reply->headers[i].value);
	put_field(&lines, "connection", closes ? "close" : "keep-alive");
	put_text(&lines, "\r\n");
	return &lines;
}

static bool flush_waits;

static void
flush(void *owner)
{
	(void)owner;
	flush_waits = false;
	log_flush();
}

/* One line a request. They leave together at the end of the loop's turn. */
static void
account(const struct request *request, int status)
{
	uint64_t took_us = clock_monotonic_us() - request->started_us;
	bool left = request->kore == NULL && status != 0;
	const struct log_field fields[] = {
		LOG_TEXT("request_id", request->id),
		LOG_TEXT("method", request->method),
		LOG_TEXT("route", request->route),
		LOG_NUMBER("status", status),
		LOG_NUMBER("duration_us", took_us),
		LOG_TEXT("outcome", left ? "client left" : "answered"),
		LOG_END,
	};

	metric_add(METRIC_HTTP_REQUESTS,
	    status >= 100 && status < 600 ? (unsigned)(status / 100 - 1) : 4u,
	    1);
	metric_observe_us(METRIC_HTTP_SECONDS, 0, took_us);
	(void)log_queue(LOG_LEVEL_INFO, "request", fields);
	if (!flush_waits)
		flush_waits = loop_defer(flush, NULL);
	if (!flush_waits)
		log_flush();
}

static void
reply_queue(struct request *request, struct reply *reply,
    struct connection *connection, bool closes)
{
	const struct json_writer *envelope;
	const struct lines *lines;
	const char *body = reply->body;
	size_t length = reply->body_length;

	if (reply->shape == REPLY_ENVELOPE) {
		envelope = envelope_write(request, reply);
		if (json_writer_failed(envelope))
			abort(); /* memory ran out, or data was never written */
		body = envelope->bytes;
		length = envelope->length;
	}
	lines = lines_write(request, reply, length, closes);
	net_send_queue(connection, lines->bytes, lines->length);
	if (length > 0 && strcmp(request->method, "HEAD") != 0)
		net_send_queue(connection, body, length);
}

void
reply_send(struct request *request)
{
	struct http_request *kore = request->kore;
	struct connection *connection = kore->owner;
	bool closes;

	assert(reply_ready(request) && !request->done);
	closes = request->head->closes || lifecycle_draining() ||
	    connection->state == CONN_STATE_DISCONNECTING ||
	    (connection->flags & CONN_CLOSE_EMPTY) != 0;
	reply_queue(request, request->reply, connection, closes);
	account(request, request->reply->status);
	request->done = true;
	/* What http_response() does for its own answers. */
	kore->status = (uint16_t)request->reply->status;
	if (closes)
		connection->flags |= CONN_CLOSE_EMPTY;
	else
		http_start_recv(connection);
}

void
reply_forget(struct request *request)
{
	account(request, request->reply->status);
	request->done = true;
}

void
reply_refuse(struct request *request, struct connection *connection,
    enum error_code code)
{
	struct reply *reply;

	reply_error(request, code);
	reply = request->reply;
	reply_queue(request, reply, connection, true);
	metric_add(METRIC_HTTP_GUARD_REFUSALS, 0, 1);
	account(request, reply->status);
	request->done = true;
}

void
reply_free(struct request *request)
{
	if (request->reply == NULL)
		return;
	writer_end(&request->reply->data);
	writer_end(&request->reply->extras);
	request->reply = NULL;
}
