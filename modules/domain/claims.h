/*
 * The claims of an access token (RFC 7519): read from a verified payload,
 * judged against the clock and our names, and written when one is issued.
 */
#ifndef ONEGATE_DOMAIN_CLAIMS_H
#define ONEGATE_DOMAIN_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/json.h"
#include "domain/username.h"
#include "domain/uuid.h"

#define CLAIMS_SKEW_S 30 /* how far two clocks may differ */
#define CLAIMS_ISSUER_MAX 255
#define CLAIMS_AUDIENCE_MAX 255
#define CLAIMS_AUDIENCES_MAX 8

enum claims_result {
	CLAIMS_OK,
	CLAIMS_MALFORMED, /* not an object, duplicates, missing, wrong type */
	CLAIMS_WRONG_ISSUER,
	CLAIMS_WRONG_AUDIENCE,
	CLAIMS_EXPIRED,
	CLAIMS_NOT_YET /* nbf or iat ahead of the clock */
};

struct claims {
	struct uuid sub; /* the user */
	struct uuid sid; /* the session */
	struct uuid jti; /* this token */
	int64_t iat; /* seconds since 1970, as nbf and exp */
	int64_t nbf;
	int64_t exp;
	char username[USERNAME_SIZE]; /* NUL-terminated UTF-8 */
};

/*
 * Reads and judges a payload whose signature is verified. ISSUER must be
 * `iss`, AUDIENCE must be `aud` or in it. Valid from nbf - CLAIMS_SKEW_S to
 * before exp + CLAIMS_SKEW_S by NOW_S. All of iss aud sub sid jti username
 * exp nbf iat must be there with their types. Only CLAIMS_OK fills CLAIMS.
 */
enum claims_result claims_read(const char *payload, size_t length,
    const char *issuer, const char *audience, int64_t now_s,
    struct claims *claims);

/* Writes the payload of a token into WRITER, which is initialised. */
void claims_write(struct json_writer *writer, const struct claims *claims,
    const char *issuer, const char *audience);

#endif
