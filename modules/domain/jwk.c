/*
 * Public keys in the form of RFC 7517.
 */
#include "domain/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "domain/base64.h"
#include "domain/digest.h"
#include "domain/jws.h"

#define NUMBER_MAX 512 /* bytes: an RSA modulus of 4096 bits */
#define COORDINATE_LENGTH 32

struct numbers {
	enum jws_algorithm algorithm;
	char first[BASE64_SIZE(NUMBER_MAX)]; /* RSA n, EC x */
	char second[BASE64_SIZE(NUMBER_MAX)]; /* RSA e, EC y */
};

/* The number NAME of KEY as base64url; LENGTH 0 = as short as it goes. */
static bool
read_number(EVP_PKEY *key, const char *name, int length,
    char text[BASE64_SIZE(NUMBER_MAX)])
{
	uint8_t bytes[NUMBER_MAX];
	BIGNUM *number = NULL;
	bool done;

	if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
		return (false);
	if (length == 0)
		length = BN_num_bytes(number);
	done = length > 0 && length <= NUMBER_MAX &&
	    BN_bn2binpad(number, bytes, length) == length;
	BN_free(number);
	if (done)
		base64url_encode(bytes, (size_t)length, text);
	return (done);
}

static bool
read_numbers(EVP_PKEY *key, struct numbers *numbers)
{
	numbers->algorithm = jws_algorithm_of(key);
	if (numbers->algorithm == JWS_RS256)
		return (read_number(
			    key, OSSL_PKEY_PARAM_RSA_N, 0, numbers->first) &&
		    read_number(
			key, OSSL_PKEY_PARAM_RSA_E, 0, numbers->second));
	if (numbers->algorithm == JWS_ES256)
		return (read_number(key, OSSL_PKEY_PARAM_EC_PUB_X,
			    COORDINATE_LENGTH, numbers->first) &&
		    read_number(key, OSSL_PKEY_PARAM_EC_PUB_Y,
			COORDINATE_LENGTH, numbers->second));
	return (false);
}

bool
jwk_write(struct json_writer *writer, EVP_PKEY *key, const char *kid)
{
	struct numbers numbers;

	if (!read_numbers(key, &numbers))
		return (false);
	json_put_object_begin(writer);
	json_put_member_string(
	    writer, "kty", numbers.algorithm == JWS_RS256 ? "RSA" : "EC");
	json_put_member_string(writer, "use", "sig");
	json_put_member_string(
	    writer, "alg", jws_algorithm_name(numbers.algorithm));
	json_put_member_string(writer, "kid", kid);
	if (numbers.algorithm == JWS_RS256) {
		json_put_member_string(writer, "n", numbers.first);
		json_put_member_string(writer, "e", numbers.second);
	} else {
		json_put_member_string(writer, "crv", "P-256");
		json_put_member_string(writer, "x", numbers.first);
		json_put_member_string(writer, "y", numbers.second);
	}
	json_put_object_end(writer);
	return (true);
}

/* RFC 7638 section 3.2: only the required members, in the order of names. */
static void
put_thumbprint_input(struct json_writer *writer, const struct numbers *numbers)
{
	json_put_object_begin(writer);
	if (numbers->algorithm == JWS_RS256) {
		json_put_member_string(writer, "e", numbers->second);
		json_put_member_string(writer, "kty", "RSA");
		json_put_member_string(writer, "n", numbers->first);
	} else {
		json_put_member_string(writer, "crv", "P-256");
		json_put_member_string(writer, "kty", "EC");
		json_put_member_string(writer, "x", numbers->first);
		json_put_member_string(writer, "y", numbers->second);
	}
	json_put_object_end(writer);
}

bool
jwk_thumbprint(EVP_PKEY *key, char text[JWK_THUMBPRINT_SIZE])
{
	uint8_t digest[DIGEST_SHA256_SIZE];
	struct numbers numbers;
	struct json_writer writer;
	bool done;

	if (!read_numbers(key, &numbers))
		return (false);
	json_writer_init(&writer);
	put_thumbprint_input(&writer, &numbers);
	done = !json_writer_failed(&writer);
	if (done) {
		digest_sha256(writer.bytes, writer.length, digest);
		base64url_encode(digest, sizeof(digest), text);
	}
	json_writer_free(&writer);
	return (done);
}
