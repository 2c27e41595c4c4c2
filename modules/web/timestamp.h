/*
 * Times as the contract writes them: RFC 3339.
 */
#ifndef ONEGATE_WEB_TIMESTAMP_H
#define ONEGATE_WEB_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads "2026-01-31" (midnight UTC) or "2026-01-31T10:00:00[.fraction]Z" (or
 * +07:00) into Unix milliseconds; a blank may stand for the 'T'. Years
 * 1970-9999. False leaves *UNIX_MS alone.
 */
bool timestamp_parse(const char *text, size_t length, int64_t *unix_ms);

#endif
