/*
 * The strict front door: what stands between a socket and Kore's HTTP parser.
 * In a conf file: bind IP PORT guard_connect. The functions are Kore's; no
 * other code calls them.
 */
#ifndef ONEGATE_WEB_GUARD_H
#define ONEGATE_WEB_GUARD_H

struct connection;

/* Connect callback of a plain listener. */
void guard_connect(struct connection *connection);
/* Connect callback of a TLS listener (of a server with `tls no`). */
void tls_connect(struct connection *connection);

#endif
