/*
 * What checking an access token costs, by the worker's own code: the first
 * time (parse, signature, claims) and when it is known. Makes its own keys.
 *
 * tokens [-n COUNT]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "domain/claims.h"
#include "domain/jws.h"
#include "web/token_check.h"

#define ISSUER "https://onegate.id"
#define AUDIENCE "onegate"
#define NOW 1800000000

static double
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3);
}

static size_t
token_make(const struct key *key, char token[JWS_TOKEN_SIZE])
{
	struct claims claims = { .sub = { { 1 } },
		.sid = { { 2 } },
		.jti = { { 3 } },
		.iat = NOW,
		.nbf = NOW,
		.exp = NOW + 900,
		.username = "somebody" };
	struct json_writer payload;
	size_t length = 0;

	json_writer_init(&payload);
	claims_write(&payload, &claims, ISSUER, AUDIENCE);
	if (jws_sign(key->algorithm, key->signs, key->kid, payload.bytes,
		payload.length, token, &length) != JWS_OK)
		abort();
	json_writer_free(&payload);
	return (length);
}

/* Microseconds a check; FRESH forgets the token before each. */
static double
measure(const struct token_rule *rule, const char *token, size_t length,
    unsigned long count, bool fresh)
{
	double began = now_us();

	for (unsigned long i = 0; i < count; i++) {
		if (fresh)
			token_check_forget_one(token, length);
		if (token_check(rule, token, length, NOW) == NULL)
			abort();
	}
	return ((now_us() - began) / (double)count);
}

static void
key_measure(const char *name, EVP_PKEY *pair, unsigned long count)
{
	struct key_set set = { .count = 1 };
	struct token_rule rule = { &set, ISSUER, AUDIENCE };
	struct key *key = &set.keys[0];
	char token[JWS_TOKEN_SIZE];
	size_t length;

	if (pair == NULL)
		abort();
	(void)snprintf(key->kid, sizeof(key->kid), "bench");
	key->algorithm = jws_algorithm_of(pair);
	key->verifies = key->signs = pair;
	set.signing = key;
	length = token_make(key, token);
	printf("{\"algorithm\":\"%s\",\"count\":%lu,\"first_us\":%.2f,", name,
	    count, measure(&rule, token, length, count, true));
	printf("\"known_us\":%.2f}\n",
	    measure(&rule, token, length, count, false));
	EVP_PKEY_free(pair);
}

int
main(int argc, char **argv)
{
	unsigned long count = 1000000;

	if (argc == 3 && strcmp(argv[1], "-n") == 0)
		count = strtoul(argv[2], NULL, 10);
	if (count == 0 || !token_check_init())
		return (2);
	key_measure("RS256", EVP_RSA_gen(2048), count);
	key_measure("ES256", EVP_EC_gen("P-256"), count);
	return (0);
}
