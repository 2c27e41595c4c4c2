/*
 * Hexadecimal text.
 */
#include "domain/hex.h"

void
hex_encode(const uint8_t *bytes, size_t length, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0x0f];
	}
	text[2 * length] = '\0';
}

static int
digit_value(char c)
{
	unsigned digit = (unsigned)(unsigned char)c - '0';
	unsigned letter = ((unsigned)(unsigned char)c | 0x20) - 'a';

	if (digit < 10)
		return ((int)digit);
	return (letter < 6 ? (int)letter + 10 : -1);
}

bool
hex_decode(const char *text, size_t text_length, uint8_t *bytes, size_t length)
{
	int high, low;

	if (text_length != 2 * length)
		return (false);
	for (size_t i = 0; i < length; i++) {
		high = digit_value(text[2 * i]);
		low = digit_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return (false);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return (true);
}
