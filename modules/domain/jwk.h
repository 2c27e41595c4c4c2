/*
 * Public keys as JSON Web Keys (RFC 7517) and their thumbprints (RFC 7638).
 * Only the public half is ever read from a key.
 */
#ifndef ONEGATE_DOMAIN_JWK_H
#define ONEGATE_DOMAIN_JWK_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "domain/json.h"

#define JWK_THUMBPRINT_SIZE 44 /* base64url of 32 bytes and a NUL */

/*
 * Writes {"kty":..,"use":"sig","alg":..,"kid":..,...} of KEY as one value
 * into WRITER. False (and nothing written) for a key that jws_algorithm_of
 * does not know.
 */
bool jwk_write(struct json_writer *writer, EVP_PKEY *key, const char *kid);

/* The SHA-256 thumbprint of KEY (RFC 7638), false as above. */
bool jwk_thumbprint(EVP_PKEY *key, char text[JWK_THUMBPRINT_SIZE]);

#endif
