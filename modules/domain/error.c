/*
 * The catalogue of errors as a table. Nothing here decides anything.
 */
#include "domain/error.h"

#include <stddef.h>
#include <string.h>

static const struct error_info catalogue[ERROR_COUNT] = {
#define ERROR(name, http_status, reason_text, message_text, retry)             \
	[ERROR_##name] = {                                                     \
		.status = http_status,                                         \
		.reason = reason_text,                                         \
		.message = message_text,                                       \
		.retry_after = retry,                                          \
	},
#include "error.def"
#undef ERROR
};

const struct error_info *
error_info(enum error_code code)
{
	if (code <= ERROR_NONE || code >= ERROR_COUNT)
		return (&catalogue[ERROR_INTERNAL]);
	return (&catalogue[code]);
}

enum error_code
error_by_reason(const char *reason)
{
	if (reason == NULL)
		return (ERROR_NONE);
	for (int code = ERROR_NONE + 1; code < ERROR_COUNT; code++) {
		if (strcmp(catalogue[code].reason, reason) == 0)
			return ((enum error_code)code);
	}
	return (ERROR_NONE);
}
