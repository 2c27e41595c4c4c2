/*
 * Public transaction ids, reversible.
 */
#include "domain/trx_id.h"

#include <string.h>

#define PREFIX "TRX-"
#define PREFIX_LENGTH 4
#define DIGITS 26
#define SUFFIX_LENGTH 4

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static const char *const suffixes[] = {
	[TRX_ID_PLAIN] = "",
	[TRX_ID_GOPAY] = "-GPX",
	[TRX_ID_SHOPEEPAY] = "-SPX",
};

size_t
trx_id_format(
    const struct uuid *id, enum trx_id_suffix suffix, char text[TRX_ID_SIZE])
{
	size_t suffix_length = strlen(suffixes[suffix]);
	unsigned held = 2; /* 130 bits: two zero bits lead */
	uint32_t bits = 0;
	size_t at = PREFIX_LENGTH;

	memcpy(text, PREFIX, PREFIX_LENGTH);
	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		bits = bits << 8 | id->bytes[i];
		held += 8;
		while (held >= 5) {
			held -= 5;
			text[at++] = alphabet[bits >> held & 31];
		}
		bits &= (1u << held) - 1;
	}
	memcpy(text + at, suffixes[suffix], suffix_length + 1);
	return (at + suffix_length);
}

static char
upper(char c)
{
	return (c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
}

static bool
same_letters(const char *text, const char *wanted, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (upper(text[i]) != wanted[i])
			return (false);
	}
	return (true);
}

static bool
read_digits(const char *text, struct uuid *id)
{
	const char *found;
	uint32_t bits = 0;
	unsigned held = 0;
	size_t byte = 0;

	for (size_t i = 0; i < DIGITS; i++) {
		found =
		    text[i] == '\0' ? NULL : strchr(alphabet, upper(text[i]));
		if (found == NULL)
			return (false);
		bits = bits << 5 | (uint32_t)(found - alphabet);
		if (i == 0) {
			if (bits > 7)
				return (false);
			held = 3;
			continue;
		}
		held += 5;
		if (held >= 8) {
			held -= 8;
			id->bytes[byte++] = (uint8_t)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	return (true);
}

static bool
read_suffix(const char *text, size_t length, enum trx_id_suffix *suffix)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (length == strlen(suffixes[i]) &&
		    same_letters(text, suffixes[i], length)) {
			*suffix = (enum trx_id_suffix)i;
			return (true);
		}
	}
	return (false);
}

bool
trx_id_parse(const char *text, size_t length, struct uuid *id,
    enum trx_id_suffix *suffix)
{
	enum trx_id_suffix found;
	struct uuid read;

	if (text == NULL || length < PREFIX_LENGTH + DIGITS ||
	    !same_letters(text, PREFIX, PREFIX_LENGTH) ||
	    !read_digits(text + PREFIX_LENGTH, &read) ||
	    !read_suffix(text + PREFIX_LENGTH + DIGITS,
		length - PREFIX_LENGTH - DIGITS, &found))
		return (false);
	*id = read;
	if (suffix != NULL)
		*suffix = found;
	return (true);
}
