/*
 * The keys of access tokens, from the folder ONEGATE_JWT_KEYS: <kid>.pub.pem
 * verifies, <kid>.pem signs, and the file `signing` names the one that signs
 * now. Several may verify, so keys change without a restart: add the new
 * pair, reload everywhere, change `signing`, reload auth, and remove the old
 * pair when its last token has run out.
 */
#ifndef ONEGATE_WEB_KEY_SET_H
#define ONEGATE_WEB_KEY_SET_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

#include "domain/jws.h"

#define KEY_SET_MAX 16

struct key {
	char kid[JWS_KID_SIZE];
	enum jws_algorithm algorithm; /* the only one this key is used with */
	EVP_PKEY *verifies; /* public half; never NULL */
	EVP_PKEY *signs; /* private key, or NULL */
};

struct key_set {
	struct key keys[KEY_SET_MAX]; /* by kid, in byte order */
	unsigned count;
	const struct key *signing; /* NULL: this process signs nothing */
};

/* NULL, and ERROR has one line, when the folder has no usable key, a file in
 * it cannot be read, or `signing` names a key without its private half. */
struct key_set *key_set_load(
    const char *folder, char *error, size_t error_size);
void key_set_free(struct key_set *set); /* NULL is fine */

/* The key of KID, or NULL. */
const struct key *key_set_find(const struct key_set *set, const char *kid);

#endif
