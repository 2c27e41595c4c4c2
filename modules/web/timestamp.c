/*
 * See timestamp.h. Pure arithmetic on the proleptic Gregorian calendar.
 */
#include "web/timestamp.h"

#include <string.h>

#define DATE_LENGTH 10u
#define TIME_LENGTH 19u

/* COUNT digits at TEXT, or -1. */
static int
digits_read(const char *text, size_t count)
{
	int number = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01, or -1 when there is no such day. */
static int64_t
days_read(const char *text)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	int year = digits_read(text, 4), month = digits_read(text + 5, 2);
	int day = digits_read(text + 8, 2), m;
	int64_t days;

	if (year < 1970 || text[4] != '-' || month < 1 || month > 12 ||
	    text[7] != '-' || day < 1)
		return -1;
	if (day > lengths[month - 1] + (month == 2 && is_leap(year) ? 1 : 0))
		return -1;
	days = (int64_t)(year - 1970) * 365 + (year - 1969) / 4 -
	    (year - 1901) / 100 + (year - 1601) / 400;
	for (m = 1; m < month; m++)
		days += lengths[m - 1] + (m == 2 && is_leap(year) ? 1 : 0);
	return days + day - 1;
}

/* "Z", "+07:00", "-0330" has no place in RFC 3339. In minutes. */
static bool
offset_read(const char *text, size_t length, int *minutes)
{
	int hour, minute;

	if (length == 1 && (*text == 'Z' || *text == 'z')) {
		*minutes = 0;
		return true;
	}
	if (length != 6 || (*text != '+' && *text != '-') || text[3] != ':')
		return false;
	hour = digits_read(text + 1, 2);
	minute = digits_read(text + 4, 2);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*minutes = (hour * 60 + minute) * (*text == '-' ? -1 : 1);
	return true;
}

bool
timestamp_parse(const char *text, size_t length, int64_t *unix_ms)
{
	int64_t days;
	int hour, minute, second, offset, fraction = 0, weight = 100;
	size_t i = TIME_LENGTH;

	if (length < DATE_LENGTH)
		return false;
	days = days_read(text);
	if (days < 0)
		return false;
	if (length == DATE_LENGTH) {
		*unix_ms = days * 86400000;
		return true;
	}
	if (length <= TIME_LENGTH || strchr("Tt ", text[10]) == NULL ||
	    text[13] != ':' || text[16] != ':')
		return false;
	hour = digits_read(text + 11, 2);
	minute = digits_read(text + 14, 2);
	second = digits_read(text + 17, 2);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 59)
		return false;
	if (text[i] == '.') {
		for (i++; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
			fraction += (text[i] - '0') * weight;
			weight /= 10;
		}
		if (i == TIME_LENGTH + 1)
			return false;
	}
	if (!offset_read(text + i, length - i, &offset))
		return false;
	*unix_ms = ((days * 24 + hour) * 60 + minute - offset) * 60000 +
	    second * 1000 + fraction;
	return true;
}
