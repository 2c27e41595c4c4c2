/*
 * Strict UTF-8 (RFC 3629, table 3-7 of the Unicode standard).
 */
#include "domain/utf8.h"

/* What a lead byte promises: the sequence's length and the range of the
 * second byte, which is where overlong forms and surrogates show. */
struct lead {
	uint8_t first, last;
	uint8_t length;
	uint8_t second_low, second_high;
	uint8_t bits;
};

static const struct lead leads[] = {
	{ 0xc2, 0xdf, 2, 0x80, 0xbf, 0x1f },
	{ 0xe0, 0xe0, 3, 0xa0, 0xbf, 0x0f },
	{ 0xe1, 0xec, 3, 0x80, 0xbf, 0x0f },
	{ 0xed, 0xed, 3, 0x80, 0x9f, 0x0f },
	{ 0xee, 0xef, 3, 0x80, 0xbf, 0x0f },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf, 0x07 },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf, 0x07 },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f, 0x07 },
};

static const struct lead *
lead_of(uint8_t byte)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (byte >= leads[i].first && byte <= leads[i].last)
			return (&leads[i]);
	}
	return (NULL);
}

size_t
utf8_sequence(const uint8_t *bytes, size_t length, uint32_t *code_point)
{
	const struct lead *lead;
	uint32_t value;

	if (length == 0)
		return (0);
	if (bytes[0] < 0x80) {
		if (code_point != NULL)
			*code_point = bytes[0];
		return (1);
	}
	lead = lead_of(bytes[0]);
	if (lead == NULL || length < lead->length)
		return (0);
	if (bytes[1] < lead->second_low || bytes[1] > lead->second_high)
		return (0);
	value = bytes[0] & lead->bits;
	for (size_t i = 1; i < lead->length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return (0);
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (code_point != NULL)
		*code_point = value;
	return (lead->length);
}

bool
utf8_valid(const char *bytes, size_t length)
{
	size_t at = 0, step;

	while (at < length) {
		step = utf8_sequence(
		    (const uint8_t *)bytes + at, length - at, NULL);
		if (step == 0)
			return (false);
		at += step;
	}
	return (true);
}
