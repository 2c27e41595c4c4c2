/* See decimal.h. */
#include "domain/decimal.h"

#include <string.h>

size_t
decimal_format(int64_t value, char text[DECIMAL_TEXT_SIZE])
{
	char digits[DECIMAL_TEXT_SIZE];
	size_t at = sizeof(digits), length;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		digits[--at] = '-';
	length = sizeof(digits) - at;
	memcpy(text, digits + at, length);
	return length - 1;
}
