/*
 * Making the two tokens of a session. It must never keep a refresh token, nor
 * put one into a log.
 */
#include "auth/tokens.h"

#include <string.h>

#include <openssl/crypto.h>

#include "domain/base64.h"
#include "domain/claims.h"
#include "domain/digest.h"
#include "io/clock.h"
#include "io/config.h"
#include "io/entropy.h"
#include "io/log.h"
#include "web/key_set.h"
#include "web/reply.h"
#include "web/session.h"

#define REFRESH_BYTES 32

_Static_assert(TOKEN_REFRESH_SIZE <= BASE64_SIZE(REFRESH_BYTES), "token size");
_Static_assert(TOKEN_DIGEST_SIZE == DIGEST_SHA256_HEX_SIZE, "digest size");

static void
digest_make(const char *token, char digest[TOKEN_DIGEST_SIZE])
{
	const char *pepper = config_text(CONFIG_REFRESH_PEPPER);

	digest_hmac_sha256_hex(
	    pepper, strlen(pepper), token, strlen(token), digest);
}

void
token_refresh_make(
    char token[TOKEN_REFRESH_SIZE], char digest[TOKEN_DIGEST_SIZE])
{
	uint8_t bytes[REFRESH_BYTES];
	char text[BASE64_SIZE(REFRESH_BYTES)];

	entropy_fill(bytes, sizeof(bytes));
	(void)base64url_encode(bytes, sizeof(bytes), text);
	memcpy(token, text, TOKEN_REFRESH_SIZE);
	digest_make(token, digest);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(text, sizeof(text));
}

bool
token_refresh_digest(const char *token, char digest[TOKEN_DIGEST_SIZE])
{
	uint8_t bytes[REFRESH_BYTES];
	size_t decoded;

	if (!base64url_decode(
		token, strlen(token), bytes, sizeof(bytes), &decoded) ||
	    decoded != REFRESH_BYTES)
		return (false);
	digest_make(token, digest);
	return (true);
}

/* Signs CLAIMS into TOKEN; false has been logged. */
static bool
claims_sign(struct request *request, const struct claims *claims,
    char token[JWS_TOKEN_SIZE])
{
	const struct key *key = session_keys()->signing;
	enum jws_result result = JWS_FAILED;
	struct json_writer payload;
	size_t length;

	json_writer_init(&payload);
	claims_write(&payload, claims, config_text(CONFIG_JWT_ISSUER),
	    config_text(CONFIG_JWT_AUDIENCE));
	if (key != NULL && !json_writer_failed(&payload))
		result = jws_sign(key->algorithm, key->signs, key->kid,
		    payload.bytes, payload.length, token, &length);
	json_writer_free(&payload);
	if (result == JWS_OK)
		return (true);
	log_event(LOG_LEVEL_ERROR, "auth: an access token was not signed",
	    LOG_TEXT("request_id", request->id), LOG_NUMBER("result", result));
	return (false);
}

static bool
access_make(struct request *request, const struct token_owner *owner,
    char token[JWS_TOKEN_SIZE])
{
	struct claims claims = { .jti = entropy_uuid() };

	if (!uuid_parse(owner->user_id, strlen(owner->user_id), &claims.sub) ||
	    !uuid_parse(
		owner->session_id, strlen(owner->session_id), &claims.sid) ||
	    strlen(owner->username) >= sizeof(claims.username))
		return (false);
	memcpy(claims.username, owner->username, strlen(owner->username) + 1);
	claims.iat = (int64_t)(clock_unix_ms() / 1000);
	claims.nbf = claims.iat;
	claims.exp = claims.iat + TOKEN_ACCESS_SECONDS;
	return (claims_sign(request, &claims, token));
}

void
token_reply(struct request *request, const char *message,
    const struct token_owner *owner, const char *refresh)
{
	char access[JWS_TOKEN_SIZE];
	struct json_writer *out;

	if (!access_make(request, owner, access)) {
		reply_error(request, ERROR_INTERNAL);
		return;
	}
	reply_cookie(request, COOKIE_ACCESS, access, TOKEN_ACCESS_SECONDS);
	reply_cookie(request, COOKIE_REFRESH, refresh, TOKEN_REFRESH_SECONDS);
	out = reply_begin(request, 200, message);
	json_put_object_begin(out);
	json_put_member_string(out, "access_token", access);
	json_put_member_string(out, "refresh_token", refresh);
	json_put_object_end(out);
	reply_end(request);
}

void
token_cookies_clear(struct request *request)
{
	reply_cookie(request, COOKIE_ACCESS, "", 0);
	reply_cookie(request, COOKIE_REFRESH, "", 0);
}
