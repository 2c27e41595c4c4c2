/* Is a token taken exactly as long as its key, its text and its time allow? */
#include "../domain/cases.h"

#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "domain/json.h"
#include "web/token_check.h"

#define ISSUER "https://onegate.id"
#define AUDIENCE "onegate"
#define NOW 1800000000

static struct key_set set;
static struct token_rule rule = { &set, ISSUER, AUDIENCE };

/* Two keys: "rsa" and "ec". */
static int
keys_make(void **state)
{
	static const char *const kids[] = { "ec", "rsa" };
	EVP_PKEY *pairs[] = { EVP_EC_gen("P-256"), EVP_RSA_gen(2048) };
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		struct key *key = &set.keys[i];

		(void)snprintf(key->kid, sizeof(key->kid), "%s", kids[i]);
		key->algorithm = jws_algorithm_of(pairs[i]);
		key->verifies = key->signs = pairs[i];
	}
	set.count = 2;
	return (token_check_init() ? 0 : -1);
}

static int
keys_free(void **state)
{
	(void)state;
	EVP_PKEY_free(set.keys[0].verifies);
	EVP_PKEY_free(set.keys[1].verifies);
	return (0);
}

static size_t
token_make(unsigned key, const char *issuer, int64_t issued_at,
    char token[JWS_TOKEN_SIZE])
{
	struct claims claims = { .sub = { { 1 } },
		.sid = { { 2 } },
		.jti = { { 3 } },
		.iat = issued_at,
		.nbf = issued_at,
		.exp = issued_at + 900,
		.username = "somebody" };
	struct json_writer payload;
	size_t length = 0;

	json_writer_init(&payload);
	claims_write(&payload, &claims, issuer, AUDIENCE);
	assert_int_equal(jws_sign(set.keys[key].algorithm, set.keys[key].signs,
			     set.keys[key].kid, payload.bytes, payload.length,
			     token, &length),
	    JWS_OK);
	json_writer_free(&payload);
	return (length);
}

static void
a_good_token_is_taken_again_and_again(void **state)
{
	char token[JWS_TOKEN_SIZE];
	(void)state;

	for (unsigned key = 0; key < 2; key++) {
		size_t length = token_make(key, ISSUER, NOW, token);
		for (int i = 0; i < 3; i++) {
			const struct claims *claims =
			    token_check(&rule, token, length, NOW + i);
			assert_non_null(claims);
			assert_int_equal(claims->sub.bytes[0], 1);
			assert_string_equal(claims->username, "somebody");
		}
	}
}

static void
a_known_token_runs_out_like_any_other(void **state)
{
	char token[JWS_TOKEN_SIZE];
	size_t length = token_make(0, ISSUER, NOW, token);
	(void)state;

	assert_non_null(token_check(&rule, token, length, NOW));
	assert_non_null(
	    token_check(&rule, token, length, NOW + 900 + CLAIMS_SKEW_S - 1));
	assert_null(
	    token_check(&rule, token, length, NOW + 900 + CLAIMS_SKEW_S));
	/* Not even when the clock goes back: it was forgotten, not kept. */
	token_check_forget_one(token, length);
	assert_null(token_check(&rule, token, length, NOW + 2000));
}

static void
a_key_that_was_taken_away_verifies_nothing(void **state)
{
	char token[JWS_TOKEN_SIZE];
	size_t length = token_make(1, ISSUER, NOW, token);
	(void)state;

	assert_non_null(token_check(&rule, token, length, NOW));
	set.count = 1; /* "rsa" is gone */
	token_check_forget();
	assert_null(token_check(&rule, token, length, NOW));
	set.count = 2;
	assert_non_null(token_check(&rule, token, length, NOW));
}

static void
a_refused_token_is_never_known(void **state)
{
	char token[JWS_TOKEN_SIZE];
	size_t length;
	(void)state;

	length = token_make(0, "https://evil.example", NOW, token);
	for (int i = 0; i < 2; i++)
		assert_null(token_check(&rule, token, length, NOW));
	length = token_make(0, ISSUER, NOW + 31, token);
	assert_null(token_check(&rule, token, length, NOW));
	/* Refused for its time only: once that has come it is good. */
	assert_non_null(token_check(&rule, token, length, NOW + 1));
}

static void
one_other_byte_is_another_token(void **state)
{
	char token[JWS_TOKEN_SIZE];
	size_t length = token_make(0, ISSUER, NOW, token);
	(void)state;

	assert_non_null(token_check(&rule, token, length, NOW));
	for (size_t i = 0; i < length; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		if (token[i] != was &&
		    token_check(&rule, token, length, NOW) != NULL)
			fail_msg("accepted with byte %zu changed", i);
		token[i] = was;
	}
	for (size_t cut = 0; cut < length; cut++)
		assert_null(token_check(&rule, token, cut, NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_token_is_taken_again_and_again),
		cmocka_unit_test(a_known_token_runs_out_like_any_other),
		cmocka_unit_test(a_key_that_was_taken_away_verifies_nothing),
		cmocka_unit_test(a_refused_token_is_never_known),
		cmocka_unit_test(one_other_byte_is_another_token),
	};

	return (cmocka_run_group_tests(tests, keys_make, keys_free));
}
