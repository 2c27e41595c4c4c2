/* Are the ids unique, version 7, and strictly growing, also between threads? */
#include "cmocka_all.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/entropy.h"

#define IDS 20000

static void
ids_grow_strictly(void **state)
{
	struct uuid last = entropy_uuid();

	(void)state;
	for (int i = 0; i < IDS; i++) {
		struct uuid next = entropy_uuid();

		assert_true(memcmp(last.bytes, next.bytes, 16) < 0);
		assert_int_equal(next.bytes[6] >> 4, 7);
		assert_int_equal(next.bytes[8] >> 6, 2);
		last = next;
	}
}

static void
ids_tell_their_time(void **state)
{
	uint64_t before_ms = clock_unix_ms();
	struct uuid id = entropy_uuid();
	uint64_t told_ms = 0;

	(void)state;
	for (int i = 0; i < 6; i++)
		told_ms = told_ms << 8 | id.bytes[i];
	/* Ids of one millisecond may have run a little ahead. */
	assert_in_range(told_ms, before_ms, clock_unix_ms() + 2);
}

static void *
take_ids(void *memory)
{
	struct uuid *ids = memory;

	for (int i = 0; i < IDS; i++)
		ids[i] = entropy_uuid();
	return NULL;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static void
ids_of_threads_differ(void **state)
{
	struct uuid *ids = calloc(4 * IDS, sizeof(*ids));
	pthread_t threads[4];

	(void)state;
	assert_non_null(ids);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, take_ids, ids + i * IDS),
		    0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	qsort(ids, 4 * IDS, sizeof(*ids), compare_ids);
	for (int i = 1; i < 4 * IDS; i++)
		assert_int_not_equal(compare_ids(&ids[i - 1], &ids[i]), 0);
	free(ids);
}

static void
bytes_are_filled(void **state)
{
	uint8_t bytes[4096] = { 0 };
	size_t zeroes = 0;

	(void)state;
	entropy_fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		zeroes += bytes[i] == 0;
	assert_in_range(zeroes, 1, 64); /* 16 expected */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_grow_strictly),
		cmocka_unit_test(ids_tell_their_time),
		cmocka_unit_test(ids_of_threads_differ),
		cmocka_unit_test(bytes_are_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
