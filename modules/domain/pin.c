/*
 * Which payment PINs may be chosen.
 */
#include "domain/pin.h"

bool
pin_well_formed(const char *text, size_t length)
{
	if (text == NULL || length != PIN_LENGTH)
		return (false);
	for (size_t i = 0; i < PIN_LENGTH; i++) {
		if (text[i] < '0' || text[i] > '9')
			return (false);
	}
	return (true);
}

/* Equal steps modulo ten: sequences up and down, with wrap, and repeats. */
static bool
has_equal_steps(const int digit[PIN_LENGTH])
{
	int step = (digit[1] - digit[0] + 10) % 10;
	bool equal = true;

	for (int i = 2; i < PIN_LENGTH; i++)
		equal &= (digit[i] - digit[i - 1] + 10) % 10 == step;
	return (equal);
}

static bool
has_period(const int digit[PIN_LENGTH], int period)
{
	bool equal = true;

	for (int i = period; i < PIN_LENGTH; i++)
		equal &= digit[i] == digit[i - period];
	return (equal);
}

static bool
has_few_digits(const int digit[PIN_LENGTH])
{
	unsigned seen = 0;

	for (int i = 0; i < PIN_LENGTH; i++)
		seen |= 1u << digit[i];
	return (__builtin_popcount(seen) <= 2);
}

/* 29 February counts in a year that is leap in either century. */
static bool
is_date(int day, int month, int year)
{
	static const int days[] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool month_valid = month >= 1 && month <= 12;
	int last = days[month_valid ? month : 0];

	if (month == 2 && year % 4 == 0)
		last = 29;
	return (month_valid & (day >= 1) & (day <= last));
}

enum pin_result
pin_judge(const char *text, size_t length)
{
	int digit[PIN_LENGTH], first, second, third;
	bool weak;

	if (!pin_well_formed(text, length))
		return (PIN_MALFORMED);
	for (int i = 0; i < PIN_LENGTH; i++)
		digit[i] = text[i] - '0';
	first = digit[0] * 10 + digit[1];
	second = digit[2] * 10 + digit[3];
	third = digit[4] * 10 + digit[5];
	weak = has_equal_steps(digit) | has_few_digits(digit) |
	    has_period(digit, 2) | has_period(digit, 3) |
	    is_date(first, second, third) | is_date(second, first, third) |
	    is_date(third, second, first);
	return (weak ? PIN_WEAK : PIN_OK);
}

const char *
pin_problem(enum pin_result result)
{
	switch (result) {
	case PIN_OK:
		return (NULL);
	case PIN_MALFORMED:
		return ("must be 6 digits");
	case PIN_WEAK:
		return ("is too easy to guess");
	}
	return ("is not valid");
}
