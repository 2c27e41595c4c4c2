/*
 * The catalogue of errors, read from error.def. A function that can refuse
 * gives an enum error_code; only the edge turns it into HTTP.
 */
#ifndef ONEGATE_DOMAIN_ERROR_H
#define ONEGATE_DOMAIN_ERROR_H

enum error_code {
	ERROR_NONE = 0,
#define ERROR(name, status, reason, message, retry) ERROR_##name,
#include "error.def"
#undef ERROR
	ERROR_COUNT
};

struct error_info {
	int status; /* HTTP status, 400-599 */
	const char *reason; /* meta.reason, lower_snake_case */
	const char *message; /* public, never names a person or an amount */
	int retry_after; /* seconds for Retry-After, 0 = no header */
};

/* The catalogue's row of CODE. ERROR_NONE and unknown codes give INTERNAL. */
const struct error_info *error_info(enum error_code code);

/* The code whose reason is REASON, or ERROR_NONE. */
enum error_code error_by_reason(const char *reason);

#endif
