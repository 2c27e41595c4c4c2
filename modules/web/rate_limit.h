/*
 * Sliding-window limits, all windows of a subject checked and counted in one
 * atomic Redis script. When Redis is away a conservative limit of this worker
 * alone holds (its share of the shortest window), never "unlimited".
 */
#ifndef ONEGATE_WEB_RATE_LIMIT_H
#define ONEGATE_WEB_RATE_LIMIT_H

#include "web/request.h"

#define RATE_WINDOWS_MAX 4

struct rate_window {
	uint32_t seconds;
	uint32_t limit;
};

struct rate_verdict {
	bool allowed;
	unsigned tightest; /* index of the window with the least left */
	uint32_t remaining[RATE_WINDOWS_MAX];
	uint32_t reset_seconds[RATE_WINDOWS_MAX]; /* until one more is free */
	uint32_t retry_after; /* seconds, when refused; at least 1 */
	bool by_fallback; /* Redis was away */
};

typedef void (*rate_step_fn)(
    struct request *request, const struct rate_verdict *verdict);

/* Counts one use of SUBJECT ("login:address:10.0.0.1") unless refused. */
void rate_limit(struct request *request, const char *subject,
    const struct rate_window *windows, unsigned count, rate_step_fn next);

#endif
