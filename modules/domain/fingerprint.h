/*
 * Idempotency: which keys may be used, and what makes two request bodies the
 * same. A body's fingerprint is the SHA-256 of its canonical form: members
 * sorted by name, no blanks, text as decoded, numbers without needless zeros,
 * and amounts alike however they were written (150000, 150000.0 and
 * "150000.00" are one).
 */
#ifndef ONEGATE_DOMAIN_FINGERPRINT_H
#define ONEGATE_DOMAIN_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/digest.h"
#include "domain/json.h"

#define FINGERPRINT_SIZE DIGEST_SHA256_SIZE
#define FINGERPRINT_HEX_SIZE DIGEST_SHA256_HEX_SIZE
#define IDEMPOTENCY_KEY_MAX 255

/* Whether KEY is 1 to IDEMPOTENCY_KEY_MAX printable ASCII characters (0x20 to
 * 0x7e). */
bool idempotency_key_valid(const char *key, size_t length);

/*
 * The fingerprint of a document. ROUTE (may be NULL) goes in first, so that a
 * key cannot be carried to another one with a body alike. False when there is
 * no memory.
 */
bool fingerprint_document(const char *route,
    const struct json_document *document, uint8_t digest[FINGERPRINT_SIZE]);

/* The same from the body's bytes; false when they are no JSON, too. The empty
 * body is taken as {}. */
bool fingerprint_body(const char *route, const char *body, size_t length,
    uint8_t digest[FINGERPRINT_SIZE]);

#endif
