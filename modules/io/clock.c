/* The two clocks of the machine. Must never decide anything by them. */
#include "io/clock.h"

#include <assert.h>
#include <time.h>

static struct timespec
clock_read(clockid_t id)
{
	struct timespec now;
	int read = clock_gettime(id, &now);

	assert(read == 0);
	(void)read;
	return now;
}

uint64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

uint64_t
clock_monotonic_us(void)
{
	struct timespec now = clock_read(CLOCK_MONOTONIC);

	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
clock_unix_ms(void)
{
	struct timespec now = clock_read(CLOCK_REALTIME);

	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
