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
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
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
