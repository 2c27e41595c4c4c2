/*
 * See plain.h. Eight bytes at a time, as one number: the arithmetic of each
 * byte shows in its highest bit, and a byte that borrows from its neighbour has
 * already said that not all are plain.
 */
#include "domain/plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Nonzero when one of the eight bytes is BYTE. */
static uint64_t
has_byte(uint64_t eight, uint8_t byte)
{
	uint64_t zero = eight ^ EACH(byte);

	return (zero - EACH(1)) & ~zero & EACH(0x80);
}

static bool
all_plain(uint64_t eight)
{
	uint64_t below_space = (eight - EACH(0x20)) & EACH(0x80);
	uint64_t beyond_ascii = eight & EACH(0x80);

	return (below_space | beyond_ascii | has_byte(eight, '"') |
		   has_byte(eight, '\\') | has_byte(eight, 0x7f)) == 0;
}

static bool
is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

size_t
plain_length(const void *bytes, size_t length)
{
	const uint8_t *text = bytes;
	size_t at = 0;
	uint64_t eight;

	while (length - at >= sizeof(eight)) {
		memcpy(&eight, text + at, sizeof(eight));
		if (!all_plain(eight))
			break;
		at += sizeof(eight);
	}
	while (at < length && is_plain(text[at]))
		at++;
	return at;
}
