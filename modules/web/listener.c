/*
 * See listener.h.
 */
#include "web/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <kore.h>

#include "web/guard.h"

/* Kore counts two processes that are no workers, once it has started. */
#define WORKERS_OF_KORE 2

static bool closed;

/* COUNT as the conf file says it: 0 stands for one a core. */
static bool
several_workers(unsigned count)
{
	return (count == 0 ? cpu_count : count) > 1;
}

typedef void (*connect_fn)(struct connection *);

static bool
is_guarded(const struct listener *listener)
{
	connect_fn connect;

	if (listener->connect == NULL)
		return false;
	memcpy(&connect, &listener->connect->addr, sizeof(connect));
	return connect == guard_connect || connect == tls_connect;
}

void
listener_parent(void)
{
	struct kore_server *server;
	struct listener *listener;

	LIST_FOREACH(server, &kore_servers, list) {
		if (server->tls)
			fatalx("conf: server %s: write `tls no` and bind with "
			       "tls_connect",
			    server->name);
		LIST_FOREACH(listener, &server->listeners, list) {
			if (!is_guarded(listener))
				fatalx("conf: server %s: bind needs "
				       "guard_connect or tls_connect",
				    server->name);
			if (several_workers(worker_count) &&
			    listener->family != AF_UNIX) {
				(void)close(listener->fd);
				listener->fd = -1;
			}
		}
	}
}

static void
listener_open(struct listener *listener)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_PASSIVE };
	struct addrinfo *found = NULL;
	int on = 1;

	if (getaddrinfo(listener->host, listener->port, &hints, &found) != 0)
		fatalx("listener: %s is no address", listener->host);
	listener->fd = socket(
	    found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd == -1 ||
	    setsockopt(
		listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(
		listener->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
	    setsockopt(
		listener->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    bind(listener->fd, found->ai_addr, found->ai_addrlen) ||
	    listen(listener->fd, (int)kore_socket_backlog))
		fatalx("listener: cannot listen on %s:%s: %s", listener->host,
		    listener->port, errno_s);
	freeaddrinfo(found);
}

void
listener_worker(void)
{
	struct kore_server *server;
	struct listener *listener;

	if (!several_workers(worker_count - WORKERS_OF_KORE))
		return;
	LIST_FOREACH(server, &kore_servers, list)
		LIST_FOREACH(listener, &server->listeners, list)
			if (listener->family != AF_UNIX)
				listener_open(listener);
	/* Kore reads this next: without listeners it takes no accept lock. */
	nlisteners = 0;
}

void
listener_close(void)
{
	struct kore_server *server;
	struct listener *listener;

	if (closed)
		return;
	closed = true;
	kore_platform_disable_accept();
	LIST_FOREACH(server, &kore_servers, list) {
		LIST_FOREACH(listener, &server->listeners, list) {
			/* The parent has the same socket open. */
			(void)shutdown(listener->fd, SHUT_RDWR);
			(void)close(listener->fd);
			listener->fd = -1;
		}
	}
}
