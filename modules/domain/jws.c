/*
 * Compact JSON Web Signatures. Keys come in ready; nothing here reads a file,
 * and no key is ever chosen by what a token says of its algorithm.
 */
#include "domain/jws.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/objects.h>

#include "domain/base64.h"
#include "domain/json.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define ES256_SIGNATURE_LENGTH 64
#define ES256_COORDINATE_LENGTH 32
#define DER_SIGNATURE_MAX 128

static const struct {
	const char *name;
	enum jws_algorithm algorithm;
} algorithms[] = {
	{ "RS256", JWS_RS256 },
	{ "ES256", JWS_ES256 },
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

const char *
jws_algorithm_name(enum jws_algorithm algorithm)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
		if (algorithms[i].algorithm == algorithm)
			return (algorithms[i].name);
	}
	return (NULL);
}

static enum jws_algorithm
algorithm_by_name(const struct json_node *node)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
		if (node->length == strlen(algorithms[i].name) &&
		    memcmp(node->text, algorithms[i].name, node->length) == 0)
			return (algorithms[i].algorithm);
	}
	return (JWS_NO_ALGORITHM);
}

bool
jws_kid_valid(const char *kid, size_t length)
{
	if (length < 1 || length > JWS_KID_MAX)
		return (false);
	for (size_t i = 0; i < length; i++) {
		char c = kid[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '_' ||
			c == '-'))
			return (false);
	}
	return (true);
}

enum jws_algorithm
jws_algorithm_of(EVP_PKEY *key)
{
	char group[32];
	size_t length;
	int bits;

	if (key == NULL)
		return (JWS_NO_ALGORITHM);
	if (EVP_PKEY_is_a(key, "RSA")) {
		bits = EVP_PKEY_get_bits(key);
		if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
			return (JWS_NO_ALGORITHM);
		return (JWS_RS256);
	}
	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
		group, sizeof(group), &length) == 1 &&
	    OBJ_sn2nid(group) == NID_X9_62_prime256v1)
		return (JWS_ES256);
	return (JWS_NO_ALGORITHM);
}

static bool
typ_is_known(const struct json_node *typ)
{
	if (typ == NULL)
		return (true);
	return (typ->type == JSON_STRING &&
	    (strcmp(typ->text, "JWT") == 0 ||
		strcmp(typ->text, "at+jwt") == 0));
}

static enum jws_result
read_header_members(const struct json_document *document, struct jws *jws)
{
	const struct json_node *root = document->nodes, *alg, *kid;

	if (root->type != JSON_OBJECT)
		return (JWS_BAD_HEADER);
	if (json_member(document, root, "crit") != NULL)
		return (JWS_CRITICAL);
	alg = json_member(document, root, "alg");
	if (alg == NULL || alg->type != JSON_STRING)
		return (JWS_BAD_HEADER);
	jws->algorithm = algorithm_by_name(alg);
	if (jws->algorithm == JWS_NO_ALGORITHM)
		return (JWS_BAD_ALGORITHM);
	kid = json_member(document, root, "kid");
	if (kid == NULL || kid->type != JSON_STRING ||
	    !jws_kid_valid(kid->text, kid->length))
		return (JWS_BAD_HEADER);
	memcpy(jws->kid, kid->text, kid->length + 1);
	if (!typ_is_known(json_member(document, root, "typ")))
		return (JWS_BAD_HEADER);
	return (JWS_OK);
}

static enum jws_result
read_header(const char *text, size_t length, struct jws *jws)
{
	uint8_t bytes[JWS_HEADER_MAX];
	struct json_document document;
	enum jws_result result;
	size_t decoded;

	if (!base64url_decode(text, length, bytes, sizeof(bytes), &decoded))
		return (JWS_MALFORMED);
	if (json_parse((const char *)bytes, decoded, &document) != JSON_OK)
		return (JWS_BAD_HEADER);
	result = read_header_members(&document, jws);
	json_free(&document);
	return (result);
}

enum jws_result
jws_parse(const char *token, size_t length, struct jws *jws)
{
	const char *first, *second, *end = token + length;

	if (length > JWS_TOKEN_MAX)
		return (JWS_TOO_LONG);
	first = memchr(token, '.', length);
	if (first == NULL)
		return (JWS_MALFORMED);
	second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second == NULL ||
	    memchr(second + 1, '.', (size_t)(end - second - 1)) != NULL)
		return (JWS_MALFORMED);
	if (first == token || second == first + 1 || end == second + 1)
		return (JWS_MALFORMED);
	if (!base64url_decode(first + 1, (size_t)(second - first - 1),
		jws->payload, sizeof(jws->payload), &jws->payload_length) ||
	    !base64url_decode(second + 1, (size_t)(end - second - 1),
		jws->signature, sizeof(jws->signature), &jws->signature_length))
		return (JWS_MALFORMED);
	jws->signed_length = (size_t)(second - token);
	return (read_header(token, (size_t)(first - token), jws));
}

/* r || s as the DER that libcrypto checks; its length, 0 on trouble. */
static int
der_from_raw(
    const uint8_t raw[ES256_SIGNATURE_LENGTH], uint8_t der[DER_SIGNATURE_MAX])
{
	ECDSA_SIG *signature;
	BIGNUM *r, *s;
	int length = 0;

	signature = ECDSA_SIG_new();
	r = BN_bin2bn(raw, ES256_COORDINATE_LENGTH, NULL);
	s = BN_bin2bn(
	    raw + ES256_COORDINATE_LENGTH, ES256_COORDINATE_LENGTH, NULL);
	if (signature == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(signature, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		ECDSA_SIG_free(signature);
		return (0);
	}
	if (i2d_ECDSA_SIG(signature, NULL) <= DER_SIGNATURE_MAX)
		length = i2d_ECDSA_SIG(signature, &der);
	ECDSA_SIG_free(signature);
	return (length > 0 ? length : 0);
}

static bool
raw_from_der(
    const uint8_t *der, size_t length, uint8_t raw[ES256_SIGNATURE_LENGTH])
{
	ECDSA_SIG *signature;
	bool done;

	signature = d2i_ECDSA_SIG(NULL, &der, (long)length);
	if (signature == NULL)
		return (false);
	done = BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw,
		   ES256_COORDINATE_LENGTH) == ES256_COORDINATE_LENGTH &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(signature),
		raw + ES256_COORDINATE_LENGTH,
		ES256_COORDINATE_LENGTH) == ES256_COORDINATE_LENGTH;
	ECDSA_SIG_free(signature);
	return (done);
}

static enum jws_result
verify_bytes(EVP_PKEY *key, const uint8_t *signature, size_t signature_length,
    const char *bytes, size_t length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int verdict;

	if (context == NULL)
		return (JWS_FAILED);
	if (EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1) {
		EVP_MD_CTX_free(context);
		return (JWS_FAILED);
	}
	verdict = EVP_DigestVerify(context, signature, signature_length,
	    (const uint8_t *)bytes, length);
	EVP_MD_CTX_free(context);
	return (verdict == 1 ? JWS_OK : JWS_BAD_SIGNATURE);
}

enum jws_result
jws_verify(const struct jws *jws, const char *token,
    enum jws_algorithm algorithm, EVP_PKEY *key)
{
	uint8_t der[DER_SIGNATURE_MAX];
	int length;

	if (algorithm == JWS_NO_ALGORITHM || jws->algorithm != algorithm ||
	    jws_algorithm_of(key) != algorithm)
		return (JWS_BAD_ALGORITHM);
	if (algorithm == JWS_RS256)
		return (verify_bytes(key, jws->signature, jws->signature_length,
		    token, jws->signed_length));
	if (jws->signature_length != ES256_SIGNATURE_LENGTH)
		return (JWS_BAD_SIGNATURE);
	length = der_from_raw(jws->signature, der);
	if (length == 0)
		return (JWS_FAILED);
	return (
	    verify_bytes(key, der, (size_t)length, token, jws->signed_length));
}

/* The signature of BYTES as it stands in a token. */
static bool
sign_bytes(enum jws_algorithm algorithm, EVP_PKEY *key, const char *bytes,
    size_t length, uint8_t signature[JWS_SIGNATURE_MAX],
    size_t *signature_length)
{
	uint8_t made[JWS_SIGNATURE_MAX];
	size_t made_length = sizeof(made);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done;

	if (context == NULL)
		return (false);
	done =
	    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(context, made, &made_length, (const uint8_t *)bytes,
		length) == 1;
	EVP_MD_CTX_free(context);
	if (!done)
		return (false);
	if (algorithm == JWS_ES256) {
		*signature_length = ES256_SIGNATURE_LENGTH;
		return (raw_from_der(made, made_length, signature));
	}
	memcpy(signature, made, made_length);
	*signature_length = made_length;
	return (true);
}

static bool
put_header(
    struct json_writer *writer, enum jws_algorithm algorithm, const char *kid)
{
	json_writer_init(writer);
	json_put_object_begin(writer);
	json_put_member_string(writer, "alg", jws_algorithm_name(algorithm));
	json_put_member_string(writer, "kid", kid);
	json_put_member_string(writer, "typ", "JWT");
	json_put_object_end(writer);
	return (!json_writer_failed(writer));
}

enum jws_result
jws_sign(enum jws_algorithm algorithm, EVP_PKEY *key, const char *kid,
    const char *payload, size_t payload_length, char token[JWS_TOKEN_SIZE],
    size_t *length)
{
	uint8_t signature[JWS_SIGNATURE_MAX];
	struct json_writer header;
	size_t at, signature_length;

	if (algorithm == JWS_NO_ALGORITHM || jws_algorithm_of(key) != algorithm)
		return (JWS_BAD_ALGORITHM);
	if (kid == NULL || !jws_kid_valid(kid, strlen(kid)))
		return (JWS_BAD_HEADER);
	if (payload_length > JWS_PAYLOAD_MAX)
		return (JWS_TOO_LONG);
	if (!put_header(&header, algorithm, kid)) {
		json_writer_free(&header);
		return (JWS_FAILED);
	}
	at = base64url_encode(
	    (const uint8_t *)header.bytes, header.length, token);
	json_writer_free(&header);
	if (at + 2 + BASE64_SIZE(payload_length) > JWS_TOKEN_SIZE)
		return (JWS_TOO_LONG);
	token[at++] = '.';
	at += base64url_encode(
	    (const uint8_t *)payload, payload_length, token + at);
	if (!sign_bytes(
		algorithm, key, token, at, signature, &signature_length))
		return (JWS_FAILED);
	if (at + 1 + BASE64_SIZE(signature_length) > JWS_TOKEN_SIZE)
		return (JWS_TOO_LONG);
	token[at++] = '.';
	at += base64url_encode(signature, signature_length, token + at);
	*length = at;
	return (JWS_OK);
}
