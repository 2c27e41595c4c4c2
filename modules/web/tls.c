/*
 * TLS of our own. A TLS listener belongs to a server with `tls no` and has
 * tls_connect as its connect callback: that puts the connection into Kore's
 * handshake state with our context, and Kore calls it again when the
 * handshake is done; then the guard takes over.
 */
#include "web/tls.h"

#include <errno.h>
#include <stdio.h>

#include <kore.h>

#include "web/guard.h"

#define TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define TLS_SESSION_CONTEXT "onegate"

/* Kore reads ssl_ctx and cafile of it and nothing else. */
static struct kore_domain tls_domain;

bool
tls_load(
    const char *certificate, const char *key, char *error, size_t error_size)
{
	static char name[] = "onegate-tls";
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context == NULL)
		goto failed;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(
	    context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(context,
	    (const unsigned char *)TLS_SESSION_CONTEXT,
	    sizeof(TLS_SESSION_CONTEXT) - 1);
	if (SSL_CTX_set_cipher_list(context, TLS_CIPHERS) != 1 ||
	    SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		goto failed;
	SSL_CTX_free(tls_domain.ssl_ctx); /* connections hold their own */
	tls_domain.domain = name;
	tls_domain.ssl_ctx = context;
	return true;
failed:
	ERR_error_string_n(ERR_get_error(), error, error_size);
	SSL_CTX_free(context);
	return false;
}

void
tls_connect(struct connection *connection)
{
	if (connection->ssl == NULL) {
		if (tls_domain.ssl_ctx == NULL) {
			kore_connection_disconnect(connection);
			return;
		}
		primary_dom = &tls_domain;
		connection->state = CONN_STATE_TLS_SHAKE;
		connection->read = tls_read;
		connection->write = net_write_tls;
		return;
	}
	guard_connect(connection);
	if (connection->state == CONN_STATE_DISCONNECTING)
		return;
	/* Kore returns now: what came with the handshake is read here. */
	connection->state = CONN_STATE_ESTABLISHED;
	connection->evt.flags |= KORE_EVENT_READ | KORE_EVENT_WRITE;
	if (!net_recv_flush(connection))
		kore_connection_disconnect(connection);
}

/* As net_read_tls, which looks into the send buffer when there is none. */
int
tls_read(struct connection *connection, size_t *bytes)
{
	struct netbuf *buffer = connection->rnb;
	size_t room = buffer->b_len - buffer->s_off;
	int got;

	*bytes = 0;
	ERR_clear_error();
	got = SSL_read(connection->ssl, buffer->buf + buffer->s_off,
	    room > INT_MAX ? INT_MAX : (int)room);
	if (got > 0) {
		*bytes = (size_t)got;
		return KORE_RESULT_OK;
	}
	switch (SSL_get_error(connection->ssl, got)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		connection->evt.flags &= ~KORE_EVENT_READ;
		return KORE_RESULT_OK;
	case SSL_ERROR_SYSCALL:
		if (errno == EINTR)
			return KORE_RESULT_OK;
		if (errno != EAGAIN)
			return KORE_RESULT_ERROR;
		connection->evt.flags &= ~KORE_EVENT_READ;
		return KORE_RESULT_OK;
	default:
		return KORE_RESULT_ERROR;
	}
}
