/*
 * The six digits that confirm outgoing money, compared with what is stored.
 * A try is counted before it is compared, in PostgreSQL, so that guessing at
 * once from many places gains nothing; five wrong ones block outgoing money
 * for a time that grows. Signing in is never touched.
 */
#ifndef ONEGATE_WEB_PIN_CHECK_H
#define ONEGATE_WEB_PIN_CHECK_H

#include "web/request.h"

/* The two statements that a module prepares on the pool it names. */
#define PIN_ATTEMPT_SQL                                                        \
	"select outcome, pin, retry_after from auth.pin_attempt($1::uuid)"
#define PIN_PASSED_SQL "select auth.pin_passed($1::uuid)"

struct pin_source {
	struct pg_pool *pool;
	int attempt_statement; /* PIN_ATTEMPT_SQL */
	int passed_statement; /* PIN_PASSED_SQL */
};

/* PHC is the stored hash that the PIN matched; lives as long as the request. */
typedef void (*pin_checked_fn)(struct request *request, const char *phc);

/*
 * Compares PIN (NULL: none given) with that of the signed-in user, then NEXT.
 * Else it has replied: 403 pin_required, pin_not_set or pin_wrong, 429
 * pin_blocked with Retry-After, 503. Needs password_hash_init. SOURCE may be
 * gone afterwards.
 */
void pin_check(struct request *request, const struct pin_source *source,
    const char *pin, pin_checked_fn next);

#endif
