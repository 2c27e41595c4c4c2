/*
 * The two tokens of a session: the access token, a signed JWT of 15 minutes,
 * and the refresh token, 256 random bits of which only a keyed digest is kept.
 */
#ifndef ONEGATE_AUTH_TOKENS_H
#define ONEGATE_AUTH_TOKENS_H

#include "web/request.h"

#define TOKEN_ACCESS_SECONDS 900
#define TOKEN_REFRESH_SECONDS 604800
#define TOKEN_REFRESH_LENGTH 43 /* 32 bytes in base64url */
#define TOKEN_REFRESH_SIZE (TOKEN_REFRESH_LENGTH + 1)
#define TOKEN_DIGEST_SIZE 65 /* lower-case hex and a NUL */

#define COOKIE_ACCESS "auth-token"
#define COOKIE_REFRESH "refresh-token"

/* Whose session; texts live as long as the request. */
struct token_owner {
	const char *user_id; /* uuid as text */
	const char *username;
	const char *session_id; /* uuid as text */
};

/* A new refresh token and its digest. */
void token_refresh_make(
    char token[TOKEN_REFRESH_SIZE], char digest[TOKEN_DIGEST_SIZE]);

/* The digest of TOKEN, HMAC-SHA-256 with the pepper. False when no token of
 * ours looks like that. */
bool token_refresh_digest(const char *token, char digest[TOKEN_DIGEST_SIZE]);

/*
 * Ends REQUEST with 200 and a new access token for OWNER beside REFRESH, in
 * the data and as cookies. 500 when signing failed.
 */
void token_reply(struct request *request, const char *message,
    const struct token_owner *owner, const char *refresh);

/* Adds the two cookies that make a browser forget. */
void token_cookies_clear(struct request *request);

#endif
