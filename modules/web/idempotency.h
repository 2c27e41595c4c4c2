/*
 * The Idempotency-Key of a request (draft-ietf-httpapi-idempotency-key): its
 * check and its fingerprint. What it means is decided in the transaction that
 * moves the money.
 */
#ifndef ONEGATE_WEB_IDEMPOTENCY_H
#define ONEGATE_WEB_IDEMPOTENCY_H

#include "web/request.h"

struct idempotency {
	const char *key; /* NULL: the request has none */
	size_t key_length; /* 1..255 */
	uint8_t fingerprint[32]; /* of the canonical body */
};

/* Call after input_body. False: it has replied 400 (empty, longer than 255,
 * not printable ASCII, given twice). */
bool idempotency_read(struct request *request, struct idempotency *out);

/* Marks the answer as a replay: header Idempotent-Replayed: true. */
void idempotency_replayed(struct request *request);

#endif
