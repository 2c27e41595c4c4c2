/*
 * Is this text an access token of ours? The signature is checked once, with
 * the algorithm bound to the key; after that the token is known by its SHA-256
 * until it runs out. Whether its session has ended is another question
 * (session.h). No Kore here: a benchmark and a unit test link it alone.
 */
#ifndef ONEGATE_WEB_TOKEN_CHECK_H
#define ONEGATE_WEB_TOKEN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/claims.h"
#include "web/key_set.h"

/* What a token is judged by; texts live as long as the judging. */
struct token_rule {
	const struct key_set *keys;
	const char *issuer, *audience;
};

/* Makes the memory of known tokens, once; again is fine. False when memory
 * ran out. */
bool token_check_init(void);

/* Forgets every known token: for when a key was taken away. */
void token_check_forget(void);

/* Forgets one; checking it again costs what it cost the first time. */
void token_check_forget_one(const char *token, size_t length);

/*
 * The claims of TOKEN at NOW_S (Unix seconds), or NULL when it is not valid.
 * The claims live until the next call.
 */
const struct claims *token_check(const struct token_rule *rule,
    const char *token, size_t length, int64_t now_s);

#endif
