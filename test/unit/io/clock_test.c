/* Do the clocks tell milliseconds, and does the monotonic one only grow? */
#include "cmocka_all.h"

#include <time.h>

#include "io/clock.h"

static void
monotonic_never_goes_back(void **state)
{
	uint64_t last_us = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t now_us = clock_monotonic_us();

		assert_true(now_us >= last_us);
		last_us = now_us;
	}
	assert_true(clock_monotonic_ms() - last_us / 1000 < 1000);
}

static void
unix_time_is_milliseconds(void **state)
{
	uint64_t now_ms = clock_unix_ms();
	uint64_t seconds = (uint64_t)time(NULL);

	(void)state;
	assert_in_range(now_ms / 1000, seconds - 1, seconds + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(monotonic_never_goes_back),
		cmocka_unit_test(unix_time_is_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
