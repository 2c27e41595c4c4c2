/*
 * Argon2id (RFC 9106) for passwords and PINs, on a bounded pool of threads so
 * that the loop never hashes. Every thread keeps its memory for good; secrets
 * are wiped after use; the cost is configuration and lives in each hash.
 */
#ifndef ONEGATE_WEB_PASSWORD_HASH_H
#define ONEGATE_WEB_PASSWORD_HASH_H

#include "web/request.h"

#define PASSWORD_SECRET_MAX 255 /* bytes */

enum password_verdict {
	PASSWORD_WRONG,
	PASSWORD_RIGHT,
	PASSWORD_OUTDATED /* right, and hashed cheaper than configured now */
};

typedef void (*password_made_fn)(struct request *request, const char *phc);
typedef void (*password_checked_fn)(
    struct request *request, enum password_verdict verdict);

/* Starts this worker's threads, once; again is fine. False when memory or
 * threads ran out. After worker_begin. */
bool password_hash_init(void);

/*
 * Hashes SECRET (1..255 bytes, copied) with a fresh salt, then NEXT with the
 * text to store. Replies 503 with Retry-After when too many wait.
 */
void password_hash_make(struct request *request, const char *secret,
    size_t length, password_made_fn next);

/*
 * Compares SECRET with the stored text PHC, then NEXT. NULL (nobody of that
 * name) costs the same time and is PASSWORD_WRONG. Replies 503 with
 * Retry-After when too many wait.
 */
void password_hash_check(struct request *request, const char *secret,
    size_t length, const char *phc, password_checked_fn next);

/* Hashes that wait for a thread now. */
int password_hash_waiting(void);

/* Overwrites TEXT, a secret inside this request's memory. NULL is fine. */
void password_wipe(const char *text, size_t length);

#endif
