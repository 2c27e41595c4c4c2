/* Tokens: parsing survives anything, no signature is ever true by chance. */
#include "fuzz.h"

#include <string.h>

#include <openssl/ec.h>

#include "domain/base64.h"
#include "domain/claims.h"
#include "domain/jws.h"

const char *const fuzz_seeds[] = {
	"eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJhIjoxfQ."
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	"AA"
	"AAAAAAAAAAAAAA",
	"eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AAAA",
	"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"JWT\"}",
	"{\"iss\":\"i\",\"aud\":[\"a\",\"b\"],\"sub\":"
	"\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\",\"sid\":"
	"\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\",\"jti\":"
	"\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\",\"username\":\"budi\","
	"\"iat\":1000,\"nbf\":1000,\"exp\":1900}",
	NULL
};

const char *const fuzz_words[] = { ".", "..", "e30", "eyJ", "\"alg\":", "none",
	"HS256", "\"crit\":[]", "\"kid\":", "-_", "==", "99999999999999999999",
	NULL };

static void
try_token(const char *token, size_t length)
{
	static EVP_PKEY *key;
	struct jws jws;

	if (key == NULL)
		key = EVP_EC_gen("P-256");
	if (jws_parse(token, length, &jws) != JWS_OK)
		return;
	PROMISE(jws_kid_valid(jws.kid, strlen(jws.kid)));
	PROMISE(jws.signed_length < length && length <= JWS_TOKEN_MAX);
	PROMISE(jws.algorithm != JWS_NO_ALGORITHM);
	PROMISE(jws_verify(&jws, token, JWS_ES256, key) != JWS_OK);
	PROMISE(jws_verify(&jws, token, JWS_RS256, key) == JWS_BAD_ALGORITHM);
}

/* The input as a header behind its encoding, where the parsers begin. */
static void
try_as_header(const uint8_t *data, size_t size)
{
	char token[JWS_TOKEN_SIZE];
	size_t length;

	if (size > JWS_HEADER_MAX + 1)
		return;
	length = base64url_encode(data, size, token);
	memcpy(token + length, ".e30.AAAA", 9);
	try_token(token, length + 9);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct claims claims;

	try_token((const char *)data, size);
	try_as_header(data, size);
	if (claims_read((const char *)data, size, "i", "a", 1000, &claims) ==
	    CLAIMS_OK) {
		PROMISE(claims.exp + CLAIMS_SKEW_S > 1000);
		PROMISE(claims.nbf - CLAIMS_SKEW_S <= 1000);
		PROMISE(strlen(claims.username) >= 1);
	}
	return (0);
}
