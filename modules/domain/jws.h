/*
 * JSON Web Signatures, compact form (RFC 7515), RS256 and ES256 (RFC 7518)
 * only. A token is taken apart strictly; which algorithm checks it is decided
 * by the key that its `kid` names, never by the token.
 */
#ifndef ONEGATE_DOMAIN_JWS_H
#define ONEGATE_DOMAIN_JWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define JWS_TOKEN_MAX 4096 /* bytes of a whole token */
#define JWS_TOKEN_SIZE (JWS_TOKEN_MAX + 1)
#define JWS_HEADER_MAX 512 /* bytes of the decoded header */
#define JWS_PAYLOAD_MAX 3072 /* bytes of the decoded payload */
#define JWS_SIGNATURE_MAX 512 /* an RSA key of 4096 bits */
#define JWS_KID_MAX 64
#define JWS_KID_SIZE (JWS_KID_MAX + 1)

enum jws_algorithm {
	JWS_NO_ALGORITHM,
	JWS_RS256, /* RSA of 2048 to 4096 bits, PKCS #1 v1.5, SHA-256 */
	JWS_ES256 /* P-256, SHA-256, r || s of 64 bytes */
};

enum jws_result {
	JWS_OK,
	JWS_TOO_LONG, /* more than JWS_TOKEN_MAX bytes */
	JWS_MALFORMED, /* not three filled parts of canonical base64url */
	JWS_BAD_HEADER, /* not an object, duplicate or wrong members */
	JWS_CRITICAL, /* `crit` names what we do not know */
	JWS_BAD_ALGORITHM, /* none, HS256, anything but our two, or not the
			      key's own */
	JWS_BAD_SIGNATURE,
	JWS_FAILED /* libcrypto could not, or the result does not fit */
};

/* A token taken apart; nothing in it is to be believed before jws_verify. */
struct jws {
	enum jws_algorithm algorithm; /* what the token claims */
	char kid[JWS_KID_SIZE]; /* of A-Z a-z 0-9 . _ -, never empty */
	size_t signed_length; /* header '.' payload, from the token's start */
	size_t payload_length;
	size_t signature_length;
	uint8_t payload[JWS_PAYLOAD_MAX];
	uint8_t signature[JWS_SIGNATURE_MAX];
};

/*
 * Takes TOKEN apart. `typ` may be missing, `JWT` or `at+jwt`; `kid` must be
 * there. JWS_OK, or why not, and then JWS is undefined.
 */
enum jws_result jws_parse(const char *token, size_t length, struct jws *jws);

/*
 * Checks the signature over TOKEN (the text that jws_parse read) with KEY,
 * whose one algorithm is ALGORITHM. A token that claims another is
 * JWS_BAD_ALGORITHM and no signature is computed.
 */
enum jws_result jws_verify(const struct jws *jws, const char *token,
    enum jws_algorithm algorithm, EVP_PKEY *key);

/*
 * Signs PAYLOAD with the private KEY into TOKEN (NUL-terminated) and sets
 * *LENGTH. The header is {"alg":..,"kid":..,"typ":"JWT"}. JWS_OK,
 * JWS_BAD_HEADER for a bad kid, JWS_TOO_LONG, JWS_BAD_ALGORITHM when the key
 * is not of that algorithm, or JWS_FAILED.
 */
enum jws_result jws_sign(enum jws_algorithm algorithm, EVP_PKEY *key,
    const char *kid, const char *payload, size_t payload_length,
    char token[JWS_TOKEN_SIZE], size_t *length);

/* The one algorithm that we use KEY with, JWS_NO_ALGORITHM for other keys
 * (RSA below 2048 or above 4096 bits, another curve, another kind). */
enum jws_algorithm jws_algorithm_of(EVP_PKEY *key);

/* "RS256", "ES256", or NULL. */
const char *jws_algorithm_name(enum jws_algorithm algorithm);

/* Whether KID is 1 to JWS_KID_MAX of A-Z a-z 0-9 . _ - */
bool jws_kid_valid(const char *kid, size_t length);

#endif
