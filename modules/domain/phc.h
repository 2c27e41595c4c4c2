/*
 * The text form of an Argon2id hash, as the password-hashing competition
 * wrote it down: $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>, both parts in
 * base64 without padding. The cost lives in the hash, so it can be raised and
 * old hashes still be checked.
 */
#ifndef ONEGATE_DOMAIN_PHC_H
#define ONEGATE_DOMAIN_PHC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PHC_TEXT_SIZE 128 /* fits every text this writes, with its NUL */
#define PHC_SALT_LENGTH 16
#define PHC_HASH_LENGTH 32

/* RFC 9106: m, t and p. */
struct phc_cost {
	uint32_t memory_kib; /* 8..1048576 */
	uint32_t passes; /* 1..64 */
	uint32_t lanes; /* 1..16 */
};

struct phc {
	struct phc_cost cost;
	uint8_t salt[PHC_SALT_LENGTH];
	uint8_t hash[PHC_HASH_LENGTH];
};

/* Writes PHC as text; the cost must be in range (asserted). */
void phc_format(const struct phc *phc, char text[PHC_TEXT_SIZE]);

/*
 * Reads TEXT. False: not exactly the form above (other algorithm or version,
 * cost out of range, leading zeros, other lengths, non-canonical base64,
 * trailing bytes).
 */
bool phc_parse(const char *text, struct phc *phc);

/* True when COST is weaker than WANTED in any of memory, passes and lanes. */
bool phc_cost_below(const struct phc_cost *cost, const struct phc_cost *wanted);

#endif
