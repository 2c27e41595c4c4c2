/* Which tokens are believed? Every hostile one has its reason. */
#include "cases.h"

#include <stdio.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ec.h>

#include "domain/base64.h"
#include "domain/claims.h"
#include "domain/digest.h"
#include "domain/jwk.h"
#include "domain/jws.h"

#define NOW INT64_C(1767225600)
#define ISSUER "https://onegate.id"
#define AUDIENCE "onegate"

static EVP_PKEY *rsa, *ec, *other_rsa, *small_rsa, *p384;

static int
make_keys(void **state)
{
	(void)state;
	rsa = EVP_RSA_gen(2048);
	other_rsa = EVP_RSA_gen(2048);
	small_rsa = EVP_RSA_gen(1024);
	ec = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	return (rsa != NULL && other_rsa != NULL && small_rsa != NULL &&
		    ec != NULL && p384 != NULL
		? 0
		: -1);
}

static int
free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(small_rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(p384);
	return (0);
}

static size_t
sign(enum jws_algorithm algorithm, EVP_PKEY *key, const char *payload,
    char token[JWS_TOKEN_SIZE])
{
	size_t length = 0;

	assert_int_equal(jws_sign(algorithm, key, "key-1", payload,
			     strlen(payload), token, &length),
	    JWS_OK);
	assert_int_equal(length, strlen(token));
	return (length);
}

static void
what_is_signed_is_believed(void **state)
{
	char token[JWS_TOKEN_SIZE];
	struct jws jws;
	size_t length;
	(void)state;

	length = sign(JWS_RS256, rsa, "{\"a\":1}", token);
	assert_int_equal(jws_parse(token, length, &jws), JWS_OK);
	assert_string_equal(jws.kid, "key-1");
	assert_int_equal(jws.payload_length, 7);
	assert_memory_equal(jws.payload, "{\"a\":1}", 7);
	assert_int_equal(jws_verify(&jws, token, JWS_RS256, rsa), JWS_OK);
	assert_int_equal(
	    jws_verify(&jws, token, JWS_RS256, other_rsa), JWS_BAD_SIGNATURE);
	assert_int_equal(
	    jws_verify(&jws, token, JWS_ES256, ec), JWS_BAD_ALGORITHM);
	assert_int_equal(
	    jws_verify(&jws, token, JWS_RS256, ec), JWS_BAD_ALGORITHM);
	assert_int_equal(
	    jws_verify(&jws, token, JWS_RS256, NULL), JWS_BAD_ALGORITHM);
	for (int i = 0; i < 20; i++) {
		length = sign(JWS_ES256, ec, "{\"a\":2}", token);
		assert_int_equal(jws_parse(token, length, &jws), JWS_OK);
		assert_int_equal(jws.signature_length, 64);
		assert_int_equal(
		    jws_verify(&jws, token, JWS_ES256, ec), JWS_OK);
		jws.signature[i] ^= 1;
		assert_int_equal(
		    jws_verify(&jws, token, JWS_ES256, ec), JWS_BAD_SIGNATURE);
	}
}

static void
one_changed_character_ends_belief(void **state)
{
	char token[JWS_TOKEN_SIZE];
	struct jws jws;
	size_t length;
	(void)state;

	length = sign(JWS_ES256, ec, "{\"sub\":\"x\"}", token);
	for (size_t i = 0; i < length; i++) {
		char kept = token[i];
		token[i] = kept == 'A' ? 'B' : 'A';
		if (jws_parse(token, length, &jws) == JWS_OK &&
		    jws_verify(&jws, token, JWS_ES256, ec) == JWS_OK)
			fail_msg("byte %zu", i);
		token[i] = kept;
	}
	for (size_t i = 0; i < length; i++)
		assert_false(jws_parse(token, i, &jws) == JWS_OK &&
		    jws_verify(&jws, token, JWS_ES256, ec) == JWS_OK);
}

static enum jws_result
parse_header(const char *header)
{
	char token[JWS_TOKEN_SIZE];
	struct jws jws;
	size_t at;

	at = base64url_encode((const uint8_t *)header, strlen(header), token);
	memcpy(token + at, ".e30.AAAA", 10);
	return (jws_parse(token, at + 9, &jws));
}

static void
hostile_headers_are_refused(void **state)
{
	static const struct {
		const char *header;
		enum jws_result result;
	} cases[] = {
		{ "{\"alg\":\"RS256\",\"kid\":\"k\"}", JWS_OK },
		{ "{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"JWT\"}", JWS_OK },
		{ "{\"alg\":\"none\",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"alg\":\"None\",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"alg\":\"\",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"alg\":\"HS256\",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"alg\":\"rs256\",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"alg\":\"RS512\",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"alg\":\"PS256\",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"alg\":\"RS256 \",\"kid\":\"k\"}", JWS_BAD_ALGORITHM },
		{ "{\"kid\":\"k\"}", JWS_BAD_HEADER },
		{ "{\"alg\":null,\"kid\":\"k\"}", JWS_BAD_HEADER },
		{ "{\"alg\":[\"RS256\"],\"kid\":\"k\"}", JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\"}", JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"\"}", JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":7}", JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"../../etc/passwd\"}",
		    JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"a' or 1=1\"}", JWS_BAD_HEADER },
		{ "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"k\"}",
		    JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"k\",\"kid\":\"l\"}",
		    JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"k\",\"typ\":\"JWE\"}",
		    JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"k\",\"typ\":1}",
		    JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"k\",\"crit\":[\"exp\"]}",
		    JWS_CRITICAL },
		{ "{\"alg\":\"RS256\",\"kid\":\"k\",\"crit\":null}",
		    JWS_CRITICAL },
		{ "[]", JWS_BAD_HEADER },
		{ "\"x\"", JWS_BAD_HEADER },
		{ "", JWS_MALFORMED },
		{ "{", JWS_BAD_HEADER },
		{ "{\"alg\":\"RS256\",\"kid\":\"k\"} x", JWS_BAD_HEADER },
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (parse_header(cases[i].header) != cases[i].result)
			fail_msg("header: %s", cases[i].header);
	}
}

static void
hostile_shapes_are_refused(void **state)
{
	static const char good[] = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ";
	static const char *tails[] = { "", ".", "..", ".e30", ".e30.AAAA.",
		".e30.AAAA.AAAA", "..AAAA.", ".e30.AAAB=", ".e30=.AAAA",
		".e31.AAAA", ".e30.AAAAA", ".e30.AA+A", ".e30.AA/A", ".e30.A A",
		".e30.AAAA\n", ". e30.AAAA", ".e3*.AAAA" };
	char token[JWS_TOKEN_MAX + 2];
	struct jws jws;
	(void)state;

	for (size_t i = 0; i < COUNT(tails); i++) {
		snprintf(token, sizeof(token), "%s%s", good, tails[i]);
		if (jws_parse(token, strlen(token), &jws) != JWS_MALFORMED)
			fail_msg("tail: %s", tails[i]);
	}
	assert_int_equal(jws_parse("", 0, &jws), JWS_MALFORMED);
	memset(token, 'A', sizeof(token));
	assert_int_equal(
	    jws_parse(token, JWS_TOKEN_MAX + 1, &jws), JWS_TOO_LONG);
	assert_int_equal(jws_parse(token, JWS_TOKEN_MAX, &jws), JWS_MALFORMED);
}

static void
a_public_key_is_no_hmac_secret(void **state)
{
	static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"k\"}";
	char token[JWS_TOKEN_SIZE];
	uint8_t mac[DIGEST_SHA256_SIZE];
	struct jws jws;
	unsigned char *der = NULL;
	int der_length = i2d_PUBKEY(rsa, &der);
	size_t at;
	(void)state;

	assert_true(der_length > 0);
	at = base64url_encode((const uint8_t *)header, strlen(header), token);
	token[at++] = '.';
	at += base64url_encode((const uint8_t *)"{}", 2, token + at);
	digest_hmac_sha256(der, (size_t)der_length, token, at, mac);
	token[at++] = '.';
	at += base64url_encode(mac, sizeof(mac), token + at);
	assert_int_equal(jws_parse(token, at, &jws), JWS_BAD_ALGORITHM);
	OPENSSL_free(der);
}

static void
weak_or_foreign_keys_do_not_sign(void **state)
{
	static char big[JWS_PAYLOAD_MAX + 1];
	char token[JWS_TOKEN_SIZE];
	size_t length;
	(void)state;

	assert_int_equal(jws_algorithm_of(rsa), JWS_RS256);
	assert_int_equal(jws_algorithm_of(ec), JWS_ES256);
	assert_int_equal(jws_algorithm_of(small_rsa), JWS_NO_ALGORITHM);
	assert_int_equal(jws_algorithm_of(p384), JWS_NO_ALGORITHM);
	assert_int_equal(jws_algorithm_of(NULL), JWS_NO_ALGORITHM);
	assert_int_equal(
	    jws_sign(JWS_RS256, small_rsa, "k", "{}", 2, token, &length),
	    JWS_BAD_ALGORITHM);
	assert_int_equal(
	    jws_sign(JWS_ES256, p384, "k", "{}", 2, token, &length),
	    JWS_BAD_ALGORITHM);
	assert_int_equal(jws_sign(JWS_RS256, ec, "k", "{}", 2, token, &length),
	    JWS_BAD_ALGORITHM);
	assert_int_equal(
	    jws_sign(JWS_NO_ALGORITHM, rsa, "k", "{}", 2, token, &length),
	    JWS_BAD_ALGORITHM);
	assert_int_equal(
	    jws_sign(JWS_RS256, rsa, "a/b", "{}", 2, token, &length),
	    JWS_BAD_HEADER);
	assert_int_equal(
	    jws_sign(JWS_RS256, rsa, "k", big, sizeof(big), token, &length),
	    JWS_TOO_LONG);
	assert_int_equal(
	    jws_sign(JWS_RS256, rsa, "k", big, JWS_PAYLOAD_MAX, token, &length),
	    JWS_TOO_LONG);
}

#define IDS                                                                    \
	"\"sub\":\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\","                    \
	"\"sid\":\"017f22e2-79b0-7cc3-98c4-dc0c0c073990\","                    \
	"\"jti\":\"017f22e2-79b0-7cc3-98c4-dc0c0c073991\","
#define NAMES "\"iss\":\"https://onegate.id\",\"aud\":\"onegate\","
#define USER "\"username\":\"budi\","
#define TIMES "\"iat\":1767225600,\"nbf\":1767225600,\"exp\":1767226500"

static void
claims_are_judged(void **state)
{
	static const struct {
		const char *payload;
		int64_t now;
		enum claims_result result;
	} cases[] = {
		{ "{" NAMES IDS USER TIMES "}", NOW, CLAIMS_OK },
		{ "{" NAMES IDS USER TIMES "}", NOW - 30, CLAIMS_OK },
		{ "{" NAMES IDS USER TIMES "}", NOW - 31, CLAIMS_NOT_YET },
		{ "{" NAMES IDS USER TIMES "}", NOW + 929, CLAIMS_OK },
		{ "{" NAMES IDS USER TIMES "}", NOW + 930, CLAIMS_EXPIRED },
		{ "{" NAMES IDS USER TIMES ",\"more\":{\"x\":[1]}}", NOW,
		    CLAIMS_OK },
		{ "{\"iss\":\"https://"
		  "onegate.id\",\"aud\":[\"a\",\"onegate\"]," IDS USER TIMES
		  "}",
		    NOW, CLAIMS_OK },
		{ "{\"iss\":\"https://onegate.id\",\"aud\":[\"a\"]," IDS USER
			TIMES "}",
		    NOW, CLAIMS_WRONG_AUDIENCE },
		{ "{\"iss\":\"https://onegate.id\",\"aud\":[]," IDS USER TIMES
		  "}",
		    NOW, CLAIMS_WRONG_AUDIENCE },
		{ "{\"iss\":\"https://onegate.id\",\"aud\":[\"onegate\",1]," IDS
			USER TIMES "}",
		    NOW, CLAIMS_MALFORMED },
		{ "{\"iss\":\"https://onegate.id\",\"aud\":\"onegat\"," IDS USER
			TIMES "}",
		    NOW, CLAIMS_WRONG_AUDIENCE },
		{ "{\"iss\":\"https://onegate.id\",\"aud\":null," IDS USER TIMES
		  "}",
		    NOW, CLAIMS_MALFORMED },
		{ "{\"iss\":\"https://onegate.id\"," IDS USER TIMES "}", NOW,
		    CLAIMS_MALFORMED },
		{ "{\"iss\":\"https://"
		  "onegate.id.evil\",\"aud\":\"onegate\"," IDS USER TIMES "}",
		    NOW, CLAIMS_WRONG_ISSUER },
		{ "{\"aud\":\"onegate\"," IDS USER TIMES "}", NOW,
		    CLAIMS_MALFORMED },
		{ "{" NAMES USER TIMES "}", NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS TIMES "}", NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS "\"username\":\"\"," TIMES "}", NOW,
		    CLAIMS_MALFORMED },
		{ "{" NAMES IDS "\"username\":7," TIMES "}", NOW,
		    CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER "\"iat\":1767225600,\"nbf\":1767225600}",
		    NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER "\"iat\":1767225600,\"exp\":1767226500}",
		    NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER
		  "\"iat\":\"1767225600\",\"nbf\":1767225600,"
		  "\"exp\":1767226500}",
		    NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER "\"iat\":1767225600,\"nbf\":1767225600,"
		  "\"exp\":1767226500.5}",
		    NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER "\"iat\":1767225600,\"nbf\":1767225600,"
		  "\"exp\":9e18}",
		    NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER "\"iat\":1767225600,\"nbf\":1767225600,"
		  "\"exp\":9223372036854775807}",
		    NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER "\"iat\":-1,\"nbf\":0,\"exp\":1767226500}",
		    NOW, CLAIMS_MALFORMED },
		{ "{" NAMES IDS USER "\"iat\":1767225700,\"nbf\":1767225600,"
		  "\"exp\":1767226500}",
		    NOW, CLAIMS_NOT_YET },
		{ "{" NAMES IDS USER TIMES ",\"exp\":1867226500}", NOW,
		    CLAIMS_MALFORMED },
		{ "{" NAMES IDS IDS USER TIMES "}", NOW, CLAIMS_MALFORMED },
		{ "{" NAMES "\"sub\":\"1\",\"sid\":\"017f22e2-79b0-7cc3-98c4-"
		  "dc0c0c07398f\",\"jti\":\"017f22e2-79b0-7cc3-98c4-"
		  "dc0c0c07398f\"," USER TIMES "}",
		    NOW, CLAIMS_MALFORMED },
		{ "[]", NOW, CLAIMS_MALFORMED },
		{ "null", NOW, CLAIMS_MALFORMED },
		{ "", NOW, CLAIMS_MALFORMED },
		{ "{", NOW, CLAIMS_MALFORMED },
	};
	struct claims claims;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (claims_read(cases[i].payload, strlen(cases[i].payload),
			ISSUER, AUDIENCE, cases[i].now,
			&claims) != cases[i].result)
			fail_msg("payload: %s", cases[i].payload);
	}
}

static void
claims_written_are_read_again(void **state)
{
	struct claims made = { .iat = NOW,
		.nbf = NOW,
		.exp = NOW + 900,
		.username = "bu\"di\xc3\xa9" },
		      read;
	struct json_writer writer;
	(void)state;

	memset(&made.sub, 1, sizeof(made.sub));
	memset(&made.sid, 2, sizeof(made.sid));
	memset(&made.jti, 3, sizeof(made.jti));
	json_writer_init(&writer);
	claims_write(&writer, &made, ISSUER, AUDIENCE);
	assert_false(json_writer_failed(&writer));
	assert_int_equal(claims_read(writer.bytes, writer.length, ISSUER,
			     AUDIENCE, NOW, &read),
	    CLAIMS_OK);
	assert_true(uuid_equal(&made.sub, &read.sub));
	assert_true(uuid_equal(&made.sid, &read.sid));
	assert_true(uuid_equal(&made.jti, &read.jti));
	assert_int_equal(read.exp, made.exp);
	assert_string_equal(read.username, made.username);
	json_writer_free(&writer);
}

static void
the_thumbprint_is_that_of_rfc_7638(void **state)
{
	static const char pem[] =
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX\n"
	    "ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\n"
	    "oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt\n"
	    "7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\n"
	    "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f\n"
	    "M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK\n"
	    "gwIDAQAB\n"
	    "-----END PUBLIC KEY-----\n";
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	char text[JWK_THUMBPRINT_SIZE];
	(void)state;

	assert_non_null(key);
	assert_true(jwk_thumbprint(key, text));
	assert_string_equal(
	    text, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	assert_false(jwk_thumbprint(small_rsa, text));
	EVP_PKEY_free(key);
	BIO_free(bio);
}

static void
only_the_public_half_is_written(void **state)
{
	EVP_PKEY *keys[] = { rsa, ec };
	struct json_document document;
	struct json_writer writer;
	(void)state;

	for (size_t i = 0; i < COUNT(keys); i++) {
		json_writer_init(&writer);
		assert_true(jwk_write(&writer, keys[i], "k"));
		assert_int_equal(
		    json_parse(writer.bytes, writer.length, &document),
		    JSON_OK);
		assert_int_equal(document.nodes->length, i == 0 ? 6 : 7);
		assert_null(json_member(&document, document.nodes, "d"));
		assert_null(json_member(&document, document.nodes, "p"));
		json_free(&document);
		assert_false(jwk_write(&writer, p384, "k"));
		json_writer_free(&writer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_believed),
		cmocka_unit_test(one_changed_character_ends_belief),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(hostile_shapes_are_refused),
		cmocka_unit_test(a_public_key_is_no_hmac_secret),
		cmocka_unit_test(weak_or_foreign_keys_do_not_sign),
		cmocka_unit_test(claims_are_judged),
		cmocka_unit_test(claims_written_are_read_again),
		cmocka_unit_test(the_thumbprint_is_that_of_rfc_7638),
		cmocka_unit_test(only_the_public_half_is_written),
	};

	return (cmocka_run_group_tests(tests, make_keys, free_keys));
}
