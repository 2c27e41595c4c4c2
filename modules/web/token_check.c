/*
 * See token_check.h. Must never keep or log a token.
 */
#include "web/token_check.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "domain/digest.h"
#include "domain/jws.h"

/* Wide enough that tokens rarely crowd each other out: a token checked anew
 * costs forty times one that is known. 6 MB. */
#define CACHE_SETS 8192u
#define CACHE_WAYS 4u

struct known {
	uint8_t hash[DIGEST_SHA256_SIZE];
	struct claims claims;
	bool used;
};

static struct known (*cache)[CACHE_WAYS];
static unsigned char cache_turn[CACHE_SETS];

bool
token_check_init(void)
{
	if (cache == NULL)
		cache = calloc(CACHE_SETS, sizeof(cache[0]));
	return cache != NULL;
}

void
token_check_forget(void)
{
	if (cache != NULL)
		OPENSSL_cleanse(cache, CACHE_SETS * sizeof(cache[0]));
}

static struct known *
cache_find(const uint8_t hash[DIGEST_SHA256_SIZE], size_t *set)
{
	unsigned way;

	memcpy(set, hash, sizeof(*set));
	*set %= CACHE_SETS;
	for (way = 0; way < CACHE_WAYS; way++)
		if (cache[*set][way].used &&
		    CRYPTO_memcmp(
			cache[*set][way].hash, hash, DIGEST_SHA256_SIZE) == 0)
			return &cache[*set][way];
	return NULL;
}

void
token_check_forget_one(const char *token, size_t length)
{
	uint8_t hash[DIGEST_SHA256_SIZE];
	struct known *known;
	size_t set;

	digest_sha256(token, length, hash);
	known = cache_find(hash, &set);
	if (known != NULL)
		known->used = false;
}

/* Verifies TOKEN anew. */
static bool
token_verify(const struct token_rule *rule, const char *token, size_t length,
    int64_t now_s, struct claims *claims)
{
	const struct key *key;
	struct jws jws;

	if (jws_parse(token, length, &jws) != JWS_OK)
		return false;
	key = key_set_find(rule->keys, jws.kid);
	if (key == NULL ||
	    jws_verify(&jws, token, key->algorithm, key->verifies) != JWS_OK)
		return false;
	return claims_read((const char *)jws.payload, jws.payload_length,
		   rule->issuer, rule->audience, now_s, claims) == CLAIMS_OK;
}

const struct claims *
token_check(const struct token_rule *rule, const char *token, size_t length,
    int64_t now_s)
{
	uint8_t hash[DIGEST_SHA256_SIZE];
	struct claims claims;
	struct known *known;
	size_t set;

	if (length > JWS_TOKEN_MAX)
		return NULL;
	digest_sha256(token, length, hash);
	known = cache_find(hash, &set);
	if (known != NULL) {
		if (now_s < known->claims.exp + CLAIMS_SKEW_S)
			return &known->claims;
		known->used = false;
		return NULL;
	}
	if (!token_verify(rule, token, length, now_s, &claims))
		return NULL;
	known = &cache[set][cache_turn[set]];
	cache_turn[set] = (unsigned char)((cache_turn[set] + 1) % CACHE_WAYS);
	memcpy(known->hash, hash, sizeof(hash));
	known->claims = claims;
	known->used = true;
	return &known->claims;
}
