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

/* Negative for what is no digit. Without branches: which kind of digit comes
 * next nobody can predict, and ids are read by the ten thousand a second. */
static int
digit_value(char c)
{
	int digit = (unsigned char)c - '0';
	int letter = ((unsigned char)c | 0x20) - 'a';
	int is_digit = digit >= 0 && digit < 10;
	int is_letter = letter >= 0 && letter < 6;

	return ((digit & -is_digit) | ((letter + 10) & -is_letter) |
	    (is_digit + is_letter - 1));
}

bool
hex_decode(const char *text, size_t text_length, uint8_t *bytes, size_t length)
{
	int all = 0;

	if (text_length != 2 * length)
		return (false);
	for (size_t i = 0; i < length; i++) {
		int high = digit_value(text[2 * i]);
		int low = digit_value(text[2 * i + 1]);

		all |= high | low;
		bytes[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	return (all >= 0);
}
