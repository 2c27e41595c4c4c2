/*
 * Times and dates as RFC 3339 text, in UTC, on the proleptic Gregorian
 * calendar; and the month in Jakarta (UTC+7, no daylight saving), by which
 * the caps count. No clock and no time zone data.
 */
#ifndef ONEGATE_DOMAIN_RFC3339_H
#define ONEGATE_DOMAIN_RFC3339_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RFC3339_SIZE 36 /* the longest text made here and its NUL */
#define RFC3339_US_PER_S INT64_C(1000000)
#define RFC3339_S_PER_DAY INT64_C(86400)
#define RFC3339_US_PER_DAY (RFC3339_S_PER_DAY * RFC3339_US_PER_S)
#define RFC3339_JAKARTA_OFFSET_S 25200

/*
 * Reads `YYYY-MM-DD` (years 1970 to 9999, days that exist) as the first
 * microsecond of that day in UTC.
 */
bool rfc3339_parse_date(const char *text, size_t length, int64_t *unix_us);

/*
 * Reads `YYYY-MM-DDTHH:MM:SS[.fraction](Z|+HH:MM|-HH:MM)` as microseconds
 * since 1970; `t` and `z` are taken too, digits past the sixth of a fraction
 * (at most nine) are cut off. No leap second, no blank for the T.
 */
bool rfc3339_parse(const char *text, size_t length, int64_t *unix_us);

/* Either of the two above; *IS_DATE says which. */
bool rfc3339_parse_any(
    const char *text, size_t length, int64_t *unix_us, bool *is_date);

/*
 * Write a NUL-terminated text of UNIX_US (years 1970 to 9999, else clamped)
 * and give its length: `2026-01-01T10:00:00.123456Z` (the fraction is left
 * out when zero), and `2026-01-01`.
 */
size_t rfc3339_format(int64_t unix_us, char text[RFC3339_SIZE]);
size_t rfc3339_format_date(int64_t unix_us, char text[RFC3339_SIZE]);

/* `2026-01-01T17:00:00+07:00` of UNIX_S, as SNAP wants it. */
size_t rfc3339_format_jakarta(int64_t unix_s, char text[RFC3339_SIZE]);

/* The month in Jakarta at UNIX_US as YYYYMM, e.g. 202601. */
int32_t rfc3339_jakarta_month(int64_t unix_us);

#endif
