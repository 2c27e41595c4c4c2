/*
 * TLS of our own: Kore's privilege-separated TLS completes no handshake with
 * OpenSSL 3.
 */
#ifndef ONEGATE_WEB_TLS_H
#define ONEGATE_WEB_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct connection;

/* Loads certificate chain and key (PEM files) for all TLS listeners of this
 * worker; again replaces them for new connections. False: ERROR says why. */
bool tls_load(
    const char *certificate, const char *key, char *error, size_t error_size);

/* Kore's read function of a TLS connection. */
int tls_read(struct connection *connection, size_t *bytes);

#endif
