/*
 * Whose an account is, as the relay has read it: a table of fixed size in
 * memory. An account keeps its owner for good, so nothing grows old; who is
 * new takes the place of one that was learned earlier.
 */
#ifndef ONEGATE_PAYMENT_OWNERS_H
#define ONEGATE_PAYMENT_OWNERS_H

#include "domain/uuid.h"

struct owners;

/* 4 MB, most of it untouched until it is needed. */
struct owners *owners_new(void);
void owners_free(struct owners *owners);

/* The user to whom ACCOUNT belongs, zero when it is no person's; NULL when that
 * is not remembered. Valid until the next put. */
const struct uuid *owners_find(
    const struct owners *owners, const struct uuid *account);

/* For an account that is not remembered yet. */
void owners_put(
    struct owners *owners, const struct uuid *account, const struct uuid *user);

#endif
