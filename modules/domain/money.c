/*
 * Rupiah in minor units, read and written digit by digit. Never a float.
 */
#include "domain/money.h"

#define MINOR_PER_RUPIAH 100

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

bool
money_parse(const char *text, size_t length, int64_t *amount_minor)
{
	size_t at = 0, decimals;
	int64_t minor = 0;

	if (text == NULL || length == 0 || !is_digit(text[0]))
		return (false);
	if (text[0] == '0' && length > 1 && text[1] != '.')
		return (false);
	while (at < length && is_digit(text[at])) {
		minor = minor * 10 + (text[at] - '0');
		if (minor > MONEY_MAX_MINOR / MINOR_PER_RUPIAH)
			return (false);
		at++;
	}
	minor *= MINOR_PER_RUPIAH;
	if (at < length) {
		decimals = length - at - 1;
		if (text[at] != '.' || decimals < 1 || decimals > 2)
			return (false);
		if (!is_digit(text[at + 1]))
			return (false);
		minor += (text[at + 1] - '0') * 10;
		if (decimals == 2) {
			if (!is_digit(text[at + 2]))
				return (false);
			minor += text[at + 2] - '0';
		}
	}
	if (minor == 0)
		return (false);
	*amount_minor = minor;
	return (true);
}

size_t
money_format(int64_t amount_minor, char text[MONEY_TEXT_SIZE])
{
	char reversed[MONEY_TEXT_SIZE];
	uint64_t rest;
	size_t digits = 0, length = 0;

	rest = amount_minor < 0 ? 0 - (uint64_t)amount_minor
				: (uint64_t)amount_minor;
	while (rest > 0 || digits < 3) {
		reversed[digits++] = (char)('0' + rest % 10);
		rest /= 10;
	}
	if (amount_minor < 0)
		text[length++] = '-';
	while (digits > 0) {
		if (digits == 2)
			text[length++] = '.';
		text[length++] = reversed[--digits];
	}
	text[length] = '\0';
	return (length);
}

bool
money_add(int64_t a, int64_t b, int64_t *sum)
{
	int64_t result;

	if (__builtin_add_overflow(a, b, &result))
		return (false);
	*sum = result;
	return (true);
}

bool
money_subtract(int64_t a, int64_t b, int64_t *difference)
{
	int64_t result;

	if (__builtin_sub_overflow(a, b, &result))
		return (false);
	*difference = result;
	return (true);
}
