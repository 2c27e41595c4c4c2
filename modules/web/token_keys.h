/*
 * The keys of access tokens, from a folder: <kid>.pub.pem verifies, <kid>.pem
 * signs, the file "signing" holds the kid that signs now. Each key has the
 * one algorithm of its kind. A loaded set is constant; rotation loads another.
 */
#ifndef ONEGATE_WEB_TOKEN_KEYS_H
#define ONEGATE_WEB_TOKEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/jws.h"

#define TOKEN_KEYS_MAX 16

struct jws_keys;

struct token_key {
	char kid[JWS_KID_SIZE];
	enum jws_algorithm algorithm;
	EVP_PKEY *key; /* the signing key's private half; else public */
};

/*
 * Reads FOLDER. NULL: ERROR has one clear line (no folder, no key, a key of
 * another kind, too many, a signing key that does not fit its public half).
 * A folder without "signing" verifies only.
 */
struct jws_keys *token_keys_load(
    const char *folder, char *error, size_t error_size);
void token_keys_free(struct jws_keys *keys); /* NULL is fine */

/* The public key of KID, or NULL. */
const struct token_key *token_keys_find(
    const struct jws_keys *keys, const char *kid);
/* The private key that signs, or NULL. */
const struct token_key *token_keys_signing(const struct jws_keys *keys);

/* All public keys: 0 to count - 1, sorted by kid. */
size_t token_keys_count(const struct jws_keys *keys);
const struct token_key *token_keys_at(
    const struct jws_keys *keys, size_t index);

#endif
