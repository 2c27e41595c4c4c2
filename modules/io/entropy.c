/*
 * Random bytes from the kernel, unbuffered: a buffer would be copied by fork
 * and hand the same bytes to two workers.
 */
#include "io/entropy.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "io/clock.h"
#include "io/log.h"

#define UUID_STEP_BYTES 7 /* 56 random bits between ids of one millisecond */

void
entropy_fill(void *bytes, size_t length)
{
	uint8_t *next = bytes;

	while (length > 0) {
		ssize_t got = getrandom(next, length, 0);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			log_event(LOG_LEVEL_ERROR, "entropy: source failed",
			    LOG_NUMBER("errno", errno));
			abort();
		}
		next += got;
		length -= (size_t)got;
	}
}

/* Adds STEP + 1 to the 62 low bits of ID and the carry to the 12 above the
 * variant. False when both overflow. */
static bool
uuid_step(struct uuid *id, uint64_t step)
{
	const uint64_t low_mask = (UINT64_C(1) << 62) - 1;
	uint64_t low = 0;
	unsigned high =
	    ((unsigned)id->bytes[6] & 0x0fu) << 8 | (unsigned)id->bytes[7];

	for (int i = 8; i < 16; i++)
		low = low << 8 | id->bytes[i];
	low = (low & low_mask) + step + 1;
	high += low > low_mask ? 1 : 0;
	low &= low_mask;
	if (high > 0x0fff)
		return false;
	id->bytes[6] = (uint8_t)(0x70 | high >> 8);
	id->bytes[7] = (uint8_t)(high & 0xff);
	for (int i = 15; i >= 8; i--, low >>= 8)
		id->bytes[i] = (uint8_t)(low & 0xff);
	id->bytes[8] |= 0x80;
	return true;
}

struct uuid
entropy_uuid(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static struct uuid last;
	static uint64_t last_ms;
	uint64_t now_ms = clock_unix_ms(), step = 0;
	uint8_t random[10 + UUID_STEP_BYTES];
	struct uuid id;

	entropy_fill(random, sizeof(random));
	memcpy(&step, random + 10, UUID_STEP_BYTES);

	pthread_mutex_lock(&mutex);
	if (now_ms > last_ms) {
		last_ms = now_ms;
		last = uuid_v7(now_ms, random);
	} else if (!uuid_step(&last, step)) {
		last_ms++;
		last = uuid_v7(last_ms, random);
	}
	id = last;
	pthread_mutex_unlock(&mutex);
	return id;
}
