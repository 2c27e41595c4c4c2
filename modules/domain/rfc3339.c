/*
 * Times as text. The day count is Howard Hinnant's days_from_civil, for years
 * from 1970 on.
 */
#include "domain/rfc3339.h"

#include <string.h>

#define YEAR_MIN 1970
#define YEAR_MAX 9999
#define FRACTION_DIGITS 6
#define FRACTION_DIGITS_MAX 9
#define LAST_US INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
#define DATE_LENGTH 10
#define SECONDS_LENGTH 19 /* through the seconds */

struct civil {
	int year, month, day;
	int hour, minute, second;
	int microsecond;
};

/* A text that is being read; `broken` stays once set. */
struct cursor_in {
	const char *text;
	size_t length, at;
	bool broken;
};

static int64_t
days_from_civil(int year, int month, int day)
{
	int64_t era, year_of_era, day_of_year, day_of_era;

	year -= month <= 2;
	era = year / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	    day_of_year;
	return (era * 146097 + day_of_era - 719468);
}

static void
civil_from_days(int64_t days, struct civil *civil)
{
	int64_t era, day_of_era, year_of_era, day_of_year, month;

	days += 719468;
	era = days / 146097;
	day_of_era = days - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			  day_of_era / 146096) /
	    365;
	day_of_year = day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	civil->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	civil->month = (int)(month < 10 ? month + 3 : month - 9);
	civil->year =
	    (int)(year_of_era + era * 400 + (civil->month <= 2 ? 1 : 0));
}

static struct civil
civil_from_us(int64_t unix_us)
{
	struct civil civil = { 0 };
	int64_t seconds, day_seconds;

	if (unix_us < 0)
		unix_us = 0;
	if (unix_us > LAST_US)
		unix_us = LAST_US;
	seconds = unix_us / RFC3339_US_PER_S;
	civil.microsecond = (int)(unix_us % RFC3339_US_PER_S);
	day_seconds = seconds % RFC3339_S_PER_DAY;
	civil.hour = (int)(day_seconds / 3600);
	civil.minute = (int)(day_seconds / 60 % 60);
	civil.second = (int)(day_seconds % 60);
	civil_from_days(seconds / RFC3339_S_PER_DAY, &civil);
	return (civil);
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return (29);
	return (days[month - 1]);
}

static int
take_number(struct cursor_in *in, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		if (in->at >= in->length || in->text[in->at] < '0' ||
		    in->text[in->at] > '9') {
			in->broken = true;
			return (0);
		}
		value = value * 10 + (in->text[in->at++] - '0');
	}
	return (value);
}

static void
take_character(struct cursor_in *in, char wanted)
{
	if (in->at >= in->length || in->text[in->at] != wanted)
		in->broken = true;
	else
		in->at++;
}

static void
take_date(struct cursor_in *in, struct civil *civil)
{
	civil->year = take_number(in, 4);
	take_character(in, '-');
	civil->month = take_number(in, 2);
	take_character(in, '-');
	civil->day = take_number(in, 2);
	if (in->broken)
		return;
	if (civil->year < YEAR_MIN || civil->month < 1 || civil->month > 12 ||
	    civil->day < 1 ||
	    civil->day > days_in_month(civil->year, civil->month))
		in->broken = true;
}

static void
take_time(struct cursor_in *in, struct civil *civil)
{
	civil->hour = take_number(in, 2);
	take_character(in, ':');
	civil->minute = take_number(in, 2);
	take_character(in, ':');
	civil->second = take_number(in, 2);
	if (civil->hour > 23 || civil->minute > 59 || civil->second > 59)
		in->broken = true;
}

static void
take_fraction(struct cursor_in *in, struct civil *civil)
{
	int digits = 0, value = 0;

	if (in->broken || in->at >= in->length || in->text[in->at] != '.')
		return;
	in->at++;
	while (in->at < in->length && in->text[in->at] >= '0' &&
	    in->text[in->at] <= '9') {
		if (digits < FRACTION_DIGITS)
			value = value * 10 + (in->text[in->at] - '0');
		digits++;
		in->at++;
	}
	if (digits < 1 || digits > FRACTION_DIGITS_MAX)
		in->broken = true;
	for (int i = digits; i < FRACTION_DIGITS; i++)
		value *= 10;
	civil->microsecond = value;
}

/* Seconds east of UTC. */
static int64_t
take_offset(struct cursor_in *in)
{
	int hours, minutes;
	char sign;

	if (in->broken || in->at >= in->length) {
		in->broken = true;
		return (0);
	}
	sign = in->text[in->at++];
	if (sign == 'Z' || sign == 'z')
		return (0);
	if (sign != '+' && sign != '-') {
		in->broken = true;
		return (0);
	}
	hours = take_number(in, 2);
	take_character(in, ':');
	minutes = take_number(in, 2);
	if (hours > 23 || minutes > 59)
		in->broken = true;
	return ((sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60));
}

static int64_t
us_from_civil(const struct civil *civil, int64_t offset_s)
{
	int64_t seconds =
	    days_from_civil(civil->year, civil->month, civil->day) *
		RFC3339_S_PER_DAY +
	    civil->hour * 3600 + civil->minute * 60 + civil->second - offset_s;

	return (seconds * RFC3339_US_PER_S + civil->microsecond);
}

bool
rfc3339_parse_date(const char *text, size_t length, int64_t *unix_us)
{
	struct cursor_in in = { .text = text, .length = length };
	struct civil civil = { 0 };

	if (text == NULL || length != DATE_LENGTH)
		return (false);
	take_date(&in, &civil);
	if (in.broken)
		return (false);
	*unix_us = us_from_civil(&civil, 0);
	return (true);
}

bool
rfc3339_parse(const char *text, size_t length, int64_t *unix_us)
{
	struct cursor_in in = { .text = text, .length = length };
	struct civil civil = { 0 };
	int64_t offset_s, result;

	if (text == NULL || length <= SECONDS_LENGTH)
		return (false);
	take_date(&in, &civil);
	if (!in.broken && text[in.at] != 'T' && text[in.at] != 't')
		return (false);
	in.at++;
	take_time(&in, &civil);
	take_fraction(&in, &civil);
	offset_s = take_offset(&in);
	if (in.broken || in.at != length)
		return (false);
	result = us_from_civil(&civil, offset_s);
	if (result < 0 || result > LAST_US)
		return (false);
	*unix_us = result;
	return (true);
}

bool
rfc3339_parse_any(
    const char *text, size_t length, int64_t *unix_us, bool *is_date)
{
	*is_date = length == DATE_LENGTH;
	if (*is_date)
		return (rfc3339_parse_date(text, length, unix_us));
	return (rfc3339_parse(text, length, unix_us));
}

static size_t
put_number(char *text, size_t at, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		text[at + (size_t)i] = (char)('0' + value % 10);
		value /= 10;
	}
	return (at + (size_t)digits);
}

static size_t
put_date(char *text, const struct civil *civil)
{
	size_t at = put_number(text, 0, civil->year, 4);

	text[at++] = '-';
	at = put_number(text, at, civil->month, 2);
	text[at++] = '-';
	return (put_number(text, at, civil->day, 2));
}

static size_t
put_time(char *text, size_t at, const struct civil *civil)
{
	text[at++] = 'T';
	at = put_number(text, at, civil->hour, 2);
	text[at++] = ':';
	at = put_number(text, at, civil->minute, 2);
	text[at++] = ':';
	return (put_number(text, at, civil->second, 2));
}

size_t
rfc3339_format(int64_t unix_us, char text[RFC3339_SIZE])
{
	struct civil civil = civil_from_us(unix_us);
	size_t at = put_time(text, put_date(text, &civil), &civil);

	if (civil.microsecond != 0) {
		text[at++] = '.';
		at = put_number(text, at, civil.microsecond, FRACTION_DIGITS);
	}
	text[at++] = 'Z';
	text[at] = '\0';
	return (at);
}

size_t
rfc3339_format_date(int64_t unix_us, char text[RFC3339_SIZE])
{
	struct civil civil = civil_from_us(unix_us);
	size_t at = put_date(text, &civil);

	text[at] = '\0';
	return (at);
}

/* In seconds, so that no int64_t overflows on the way. */
static int64_t
jakarta_us(int64_t unix_s)
{
	if (unix_s > LAST_US / RFC3339_US_PER_S)
		return (LAST_US);
	if (unix_s < 0)
		unix_s = 0;
	return ((unix_s + RFC3339_JAKARTA_OFFSET_S) * RFC3339_US_PER_S);
}

size_t
rfc3339_format_jakarta(int64_t unix_s, char text[RFC3339_SIZE])
{
	struct civil civil = civil_from_us(jakarta_us(unix_s));
	size_t at = put_time(text, put_date(text, &civil), &civil);

	memcpy(text + at, "+07:00", sizeof("+07:00"));
	return (at + sizeof("+07:00") - 1);
}

int32_t
rfc3339_jakarta_month(int64_t unix_us)
{
	struct civil civil =
	    civil_from_us(jakarta_us(unix_us / RFC3339_US_PER_S));

	return (civil.year * 100 + civil.month);
}
