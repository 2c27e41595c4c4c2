/*
 * The strict front door. Kore's parser is lenient where leniency is an attack
 * (request smuggling, bodies longer than announced, bare CR) and silent where
 * it drops headers, so it never sees what a client wrote: the guard reads the
 * head by itself (head.h), keeps it, and hands Kore a head of its own making
 * with the method, the path and the length.
 *
 * How it gets between: Kore arms its parser as the receive buffer's callback
 * before each request; our read function runs before that callback and puts
 * ours in its place. One request at a time for a connection: while one is
 * answered, the next stays in the socket.
 *
 * A client that has said all it will (shut down its side) is answered all the
 * same; for Kore it would be gone. Only a handler that asks learns of it.
 *
 * Refusals linger: the answer is sent, our side closed, and what the client
 * still sends is thrown away for a moment, so that a reset does not overtake
 * the answer.
 */
#include "web/guard.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <kore.h>
#include <http.h>

#include "io/clock.h"
#include "web/edge.h"
#include "web/lifecycle.h"
#include "web/tls.h"

#define LINGER_MS 2000u
#define LINGER_BYTES (16u * 1024u * 1024u)
#define LINGER_BUFFER 8192u
/* Kore sends its own empty 408; ours must come one of its rounds earlier. */
#define TIMEOUT_EARLY_MS 1000u
#define CONNECTIONS_SPARED 64u

/* What a connection has beside Kore's; in its hdlr_extra. */
struct edge {
	struct request *pending; /* head received, Kore's object not yet run */
	uint64_t linger_until_ms; /* 0: the connection is in use */
	size_t lingered; /* bytes thrown away */
	bool drained; /* the last read took all that the socket had */
	bool half_closed; /* the client sends no more */
};

static int guard_read(struct connection *connection, size_t *bytes);
static int guard_head(struct netbuf *buffer);

static void
guard_disconnect(struct connection *connection)
{
	struct edge *edge = connection->hdlr_extra;

	/* Kore would free it with an allocator that is not ours. */
	connection->hdlr_extra = NULL;
	if (edge == NULL)
		return;
	request_free(edge->pending);
	free(edge);
}

struct request *
guard_take(struct connection *connection)
{
	struct edge *edge = connection->hdlr_extra;
	struct request *request;

	if (edge == NULL)
		return NULL;
	request = edge->pending;
	edge->pending = NULL;
	return request;
}

/* Without a buffer Kore reads no more until it arms the next request. */
static void
buffer_drop(struct netbuf *buffer)
{
	kore_free(buffer->buf);
	buffer->buf = NULL;
	buffer->m_len = 0;
	buffer->s_off = 0;
	buffer->b_len = 1;
}

static int
linger_received(struct netbuf *buffer)
{
	struct edge *edge = buffer->owner->hdlr_extra;

	if (edge == NULL)
		return KORE_RESULT_OK;
	edge->lingered += buffer->s_off;
	buffer->s_off = 0;
	if (edge->lingered > LINGER_BYTES)
		kore_connection_disconnect(buffer->owner);
	return KORE_RESULT_OK;
}

/* The answer is queued: send it, close our side, listen a moment longer. */
static void
linger_begin(struct connection *connection)
{
	struct edge *edge = connection->hdlr_extra;

	if (!net_send_flush(connection)) {
		kore_connection_disconnect(connection);
		return;
	}
	if (!TAILQ_EMPTY(&connection->send_queue)) {
		connection->flags |= CONN_CLOSE_EMPTY;
		buffer_drop(connection->rnb);
		return;
	}
	if (connection->ssl != NULL)
		(void)SSL_shutdown(connection->ssl);
	(void)shutdown(connection->fd, SHUT_WR);
	edge->linger_until_ms = clock_monotonic_ms() + LINGER_MS;
	connection->http_timeout = 0;
	connection->rnb->flags |= NETBUF_CALL_CB_ALWAYS;
	net_recv_reset(connection, LINGER_BUFFER, linger_received);
}

static void
refuse(struct connection *connection, struct request *request,
    enum error_code code)
{
	reply_refuse(request, connection, code);
	request_free(request);
	linger_begin(connection);
}

/* The text of the socket's other end. */
static void
peer_write(const struct connection *connection, char out[REQUEST_IP_SIZE])
{
	switch (connection->family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &connection->addr.ipv4.sin_addr, out,
		    REQUEST_IP_SIZE);
		break;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &connection->addr.ipv6.sin6_addr, out,
		    REQUEST_IP_SIZE);
		break;
	default:
		(void)snprintf(out, REQUEST_IP_SIZE, "127.0.0.1");
		break;
	}
}

/* Reads the whole lines of what came of a head that has no end. */
static void
head_read_begun(struct request *request, const struct netbuf *buffer)
{
	size_t size = buffer->buf == NULL ? 0 : buffer->s_off;
	char *block;

	request->head->method = request->head->path = request->head->query = "";
	while (size >= 2 && memcmp(buffer->buf + size - 2, "\r\n", 2) != 0)
		size--;
	if (size < 2)
		return;
	block = request_alloc(request, size + 2);
	memcpy(block, buffer->buf, size);
	memcpy(block + size, "\r\n", 2);
	(void)head_read(request->head, block, size + 2);
}

/* A refusal before the whole head was there: its first lines may have the
 * request's id. */
static void
refuse_unread(struct connection *connection, enum error_code code)
{
	char peer[REQUEST_IP_SIZE];
	struct request *request;
	char *copy;

	request = request_new("", 0, &copy);
	peer_write(connection, peer);
	head_read_begun(request, connection->rnb);
	request_identify(request, peer);
	refuse(connection, request, code);
}

/* True while Kore works on a request of this connection. */
static bool
in_flight(const struct connection *connection)
{
	const struct http_request *kore;

	TAILQ_FOREACH(kore, &connection->http_requests, olist)
		if (kore->status == 0 && !(kore->flags & HTTP_REQUEST_DELETE))
			return true;
	return false;
}

static int
guard_read(struct connection *connection, size_t *bytes)
{
	struct netbuf *buffer = connection->rnb;
	struct edge *edge;
	size_t room;
	int result;

	*bytes = 0;
	if (buffer->cb == http_header_recv) {
		buffer->cb = guard_head;
		buffer->flags |= NETBUF_CALL_CB_ALWAYS;
	}
	if (buffer->cb == guard_head && buffer->s_off == 0 &&
	    in_flight(connection)) {
		buffer_drop(buffer);
		return KORE_RESULT_OK;
	}
	if (connection->ssl != NULL)
		return tls_read(connection, bytes);
	room = buffer->b_len - buffer->s_off;
	result = net_read(connection, bytes);
	edge = connection->hdlr_extra;
	if (edge != NULL)
		edge->drained = *bytes > 0 && *bytes < room;
	return result;
}

/* What Kore may see of REQUEST; the body's bytes stay behind it. */
static void
head_rewrite(struct netbuf *buffer, const struct head *head, size_t size)
{
	char ours[HEAD_PATH_MAX + 128];
	size_t body = buffer->s_off - size, length;
	const char *method = head->method;
	int written;

	/* Kore reads no body after DELETE. */
	if (strcmp(method, "DELETE") == 0 && head->body_length > 0)
		method = "PATCH";
	if (head->takes_body && (head->has_length || head->expects_body))
		written = snprintf(ours, sizeof(ours),
		    "%s %s HTTP/1.1\r\nhost:x\r\ncontent-length:%zu\r\n\r\n",
		    method, head->path, head->body_length);
	else
		written = snprintf(ours, sizeof(ours),
		    "%s %s HTTP/1.1\r\nhost:x\r\n\r\n", method, head->path);
	length = (size_t)written;
	/* Ours is longer only where it names what was left out, and then
	 * there is no body and the buffer is nearly empty. */
	if (written < 0 || length >= sizeof(ours) ||
	    length + body > buffer->b_len)
		abort();
	memmove(buffer->buf + length, buffer->buf + size, body);
	memcpy(buffer->buf, ours, length);
	buffer->s_off = length + body;
}

/* What the head's own rules leave to the server. EXTRA: bytes behind it. */
static enum error_code
admit(const struct head *head, size_t extra)
{
	if (head->body_length > http_body_max)
		return ERROR_BODY_TOO_LARGE;
	if (extra > 0 && head->expects_body && !head->has_length)
		return ERROR_LENGTH_REQUIRED;
	if (extra > head->body_length)
		return ERROR_BAD_REQUEST; /* pipelined, or body too long */
	if (http_request_count + 1 >= http_request_limit)
		return ERROR_OVERLOADED;
	return ERROR_NONE;
}

static bool
send_continue(struct connection *connection)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	net_send_queue(connection, text, sizeof(text) - 1);
	if (net_send_flush(connection))
		return true;
	kore_connection_disconnect(connection);
	return false;
}

/* A whole head of SIZE bytes is there. */
static int
guard_request(struct netbuf *buffer, size_t size)
{
	struct connection *connection = buffer->owner;
	struct edge *edge = connection->hdlr_extra;
	size_t extra = buffer->s_off - size;
	char peer[REQUEST_IP_SIZE];
	struct request *request;
	enum error_code code;
	char *copy;
	int result;

	request = request_new((const char *)buffer->buf, size, &copy);
	code = head_read(request->head, copy, size);
	peer_write(connection, peer);
	request_identify(request, peer);
	if (code == ERROR_NONE)
		code = admit(request->head, extra);
	if (code != ERROR_NONE) {
		refuse(connection, request, code);
		return KORE_RESULT_OK;
	}
	if (request->head->expects_continue &&
	    extra < request->head->body_length && !send_continue(connection)) {
		request_free(request);
		return KORE_RESULT_OK;
	}
	request_free(edge->pending);
	edge->pending = request;
	head_rewrite(buffer, request->head, size);
	result = http_header_recv(buffer);
	/* Events are edges: nothing is left to read until the next one. */
	if (edge->drained && request->head->body_length == extra)
		connection->evt.flags &= ~KORE_EVENT_READ;
	/* Kore leaves the head's timeout running when there is no body. */
	if (request->head->body_length == 0)
		connection->http_timeout = 0;
	return result;
}

static int
guard_head(struct netbuf *buffer)
{
	struct connection *connection = buffer->owner;
	enum error_code code;
	size_t size;

	if (buffer->buf == NULL || buffer->s_off == 0 ||
	    connection->hdlr_extra == NULL)
		return KORE_RESULT_OK;
	if (head_complete(
		(const char *)buffer->buf, buffer->s_off, &size, &code))
		return guard_request(buffer, size);
	if (code == ERROR_NONE && buffer->s_off >= buffer->b_len)
		code = memchr(buffer->buf, '\n', buffer->s_off) == NULL
		    ? ERROR_URI_TOO_LONG
		    : ERROR_HEADERS_TOO_LARGE;
	if (code != ERROR_NONE)
		refuse_unread(connection, code);
	return KORE_RESULT_OK;
}

/* The client's side is shut, ours still open: no error, no reset. TLS has a
 * farewell of its own. */
static bool
is_half_close(const struct connection *connection)
{
	struct pollfd fd = { connection->fd, POLLRDHUP, 0 };

	return connection->ssl == NULL && connection->hdlr_extra != NULL &&
	    poll(&fd, 1, 0) == 1 && fd.revents == POLLRDHUP;
}

/* What was asked is answered, and then it ends. */
static void
half_close(struct connection *connection)
{
	struct edge *edge = connection->hdlr_extra;
	struct http_request *kore;
	struct request *request;

	if (edge == NULL || edge->linger_until_ms != 0)
		return;
	edge->half_closed = true;
	if (in_flight(connection)) {
		TAILQ_FOREACH(kore, &connection->http_requests, olist) {
			request = kore->hdlr_extra != NULL ? kore->hdlr_extra
							   : edge->pending;
			if (request != NULL)
				request->head->closes = true;
		}
	} else if (TAILQ_EMPTY(&connection->send_queue)) {
		kore_connection_disconnect(connection);
	} else {
		connection->flags |= CONN_CLOSE_EMPTY;
	}
}

/* In the place of Kore's own, which disconnects on every hint of an end. */
static void
guard_event(void *owner, int hint)
{
	struct connection *connection = owner;

	if ((hint != 0 && !is_half_close(connection)) ||
	    !connection->handle(connection)) {
		kore_connection_disconnect(connection);
		return;
	}
	if (hint != 0 && connection->state != CONN_STATE_DISCONNECTING)
		half_close(connection);
}

bool
guard_half_closed(const struct connection *connection)
{
	const struct edge *edge = connection->hdlr_extra;

	return edge == NULL || edge->half_closed;
}

void
guard_connect(struct connection *connection)
{
	struct edge *edge = calloc(1, sizeof(*edge));

	if (edge == NULL)
		abort();
	connection->hdlr_extra = edge;
	connection->disconnect = guard_disconnect;
	connection->proto = CONN_PROTO_HTTP;
	connection->idle_timer.length = (uint64_t)http_keepalive_time * 1000;
	connection->read = guard_read;
	connection->evt.handle = guard_event;
	net_recv_queue(
	    connection, http_header_max, NETBUF_CALL_CB_ALWAYS, guard_head);
	/* At the limit itself a worker of Kore spins. */
	if (lifecycle_closing() ||
	    worker_active_connections + CONNECTIONS_SPARED >=
		worker_max_connections)
		kore_connection_disconnect(connection);
}

static bool
is_over(uint64_t start_ms, uint64_t length_ms, uint64_t now_ms)
{
	return length_ms != 0 &&
	    now_ms + TIMEOUT_EARLY_MS >= start_ms + length_ms;
}

/* The head or the body is late: 408, or nothing when nothing was sent. */
static void
timeout_check(struct connection *connection, uint64_t now_kore_ms)
{
	struct edge *edge = connection->hdlr_extra;
	struct netbuf *buffer = connection->rnb;
	bool head_begun = buffer->cb == guard_head && buffer->buf != NULL &&
	    buffer->s_off > 0 && !in_flight(connection);

	/* Kore would close a head's silence like that between requests. */
	if (!is_over(connection->http_start, connection->http_timeout,
		now_kore_ms) &&
	    !(head_begun &&
		is_over(connection->idle_timer.start,
		    connection->idle_timer.length, now_kore_ms)))
		return;
	connection->http_timeout = 0;
	if (edge->pending != NULL) {
		struct request *request = edge->pending;

		edge->pending = NULL;
		refuse(connection, request, ERROR_REQUEST_TIMEOUT);
	} else if (buffer->s_off > 0) {
		refuse_unread(connection, ERROR_REQUEST_TIMEOUT);
	} else {
		kore_connection_disconnect(connection);
	}
}

void
guard_sweep(void)
{
	struct connection *connection, *next;
	uint64_t now_ms = clock_monotonic_ms(), now_kore_ms = kore_time_ms();
	struct edge *edge;

	for (connection = TAILQ_FIRST(&connections); connection != NULL;
	     connection = next) {
		next = TAILQ_NEXT(connection, list);
		edge = connection->hdlr_extra;
		if (connection->disconnect != guard_disconnect || edge == NULL)
			continue;
		if (edge->linger_until_ms == 0)
			timeout_check(connection, now_kore_ms);
		else if (now_ms >= edge->linger_until_ms)
			kore_connection_disconnect(connection);
	}
}
