/*
 * UUIDs as 16 bytes; version 7 (RFC 9562) for every id that we make.
 */
#ifndef ONEGATE_DOMAIN_UUID_H
#define ONEGATE_DOMAIN_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_LENGTH 36
#define UUID_TEXT_SIZE 37

struct uuid {
	uint8_t bytes[16];
};

/*
 * A version 7 UUID of UNIX_MS (48 bits used) and ENTROPY (10 random bytes,
 * of which 74 bits are used).
 */
struct uuid uuid_v7(uint64_t unix_ms, const uint8_t entropy[10]);

/* The lowest version 7 UUID of UNIX_MS, a bound for partition pruning. */
struct uuid uuid_v7_floor(uint64_t unix_ms);

/* The milliseconds since 1970 inside a version 7 UUID. */
uint64_t uuid_v7_unix_ms(const struct uuid *id);

/* Reads 8-4-4-4-12 hexadecimal, either case, exactly LENGTH 36. */
bool uuid_parse(const char *text, size_t length, struct uuid *id);

/* Writes 36 lower-case characters and a NUL. */
void uuid_format(const struct uuid *id, char text[UUID_TEXT_SIZE]);

/* The id under which the receiver sees a transfer, and back: the last bit is
 * flipped (meta.other_side in SQL). */
struct uuid uuid_other_side(const struct uuid *id);

bool uuid_equal(const struct uuid *a, const struct uuid *b);
int uuid_compare(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *id);

#endif
