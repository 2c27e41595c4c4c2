/* Are times the same in both directions, and impossible ones refused? */
#include "cases.h"

#include "domain/rfc3339.h"

#define S RFC3339_US_PER_S

static void
times_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int64_t unix_us;
		const char *again;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
		{ "2026-01-01T00:00:00Z", 1767225600 * S,
		    "2026-01-01T00:00:00Z" },
		{ "2026-01-01T07:00:00+07:00", 1767225600 * S,
		    "2026-01-01T00:00:00Z" },
		{ "2025-12-31T19:00:00-05:00", 1767225600 * S,
		    "2026-01-01T00:00:00Z" },
		{ "2026-01-01t00:00:00.5z", 1767225600 * S + 500000,
		    "2026-01-01T00:00:00.500000Z" },
		{ "2026-01-01T00:00:00.123456789Z", 1767225600 * S + 123456,
		    "2026-01-01T00:00:00.123456Z" },
		{ "2000-02-29T23:59:59Z", 951868799 * S,
		    "2000-02-29T23:59:59Z" },
		{ "2024-02-29T12:00:00Z", 1709208000 * S,
		    "2024-02-29T12:00:00Z" },
		{ "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999),
		    "9999-12-31T23:59:59.999999Z" },
	};
	char text[RFC3339_SIZE];
	int64_t unix_us;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(rfc3339_parse(
		    cases[i].text, strlen(cases[i].text), &unix_us));
		assert_true(unix_us == cases[i].unix_us);
		assert_int_equal(
		    rfc3339_format(unix_us, text), strlen(cases[i].again));
		assert_string_equal(text, cases[i].again);
	}
	rfc3339_format(-1, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	rfc3339_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
}

static void
impossible_times_are_refused(void **state)
{
	static const char *cases[] = { "", "2026-01-01", "2026-01-01T00:00:00",
		"2026-01-01 00:00:00Z", "2026-01-01T00:00Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+07:60",
		"2026-01-01T00:00:00+0700", "2026-01-01T00:00:00+7",
		"2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ",
		" 2026-01-01T00:00:00Z", "2026-1-01T00:00:00Z",
		"26-01-01T00:00:00Z", "+2026-01-01T00:00:00Z",
		"20260101T000000Z", "2026-01-01T00:00:00,5Z",
		"9999-12-31T23:59:59-00:01", "2026/01/01T00:00:00Z",
		"2026-01-01T-1:00:00Z", "xxxx-xx-xxTxx:xx:xxZ" };
	static const char *dates[] = { "", "2026-01-1", "2026-02-30",
		"2026-13-01", "2026-00-10", "1969-12-31", "2026/01/01",
		"20260101", "01-01-2026", "2026-01-01Z", "2026-01-01 ",
		"2026-01-0a", "today", "-026-01-01", "0000-01-01" };
	int64_t unix_us = 7;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (rfc3339_parse(cases[i], strlen(cases[i]), &unix_us))
			fail_msg("accepted: %s", cases[i]);
	}
	for (size_t i = 0; i < COUNT(dates); i++) {
		if (rfc3339_parse_date(dates[i], strlen(dates[i]), &unix_us))
			fail_msg("accepted: %s", dates[i]);
	}
	assert_int_equal(unix_us, 7);
}

static void
every_day_comes_back(void **state)
{
	char text[RFC3339_SIZE];
	int64_t unix_us;
	bool is_date;
	(void)state;

	for (int64_t day = 0; day < 50000; day++) {
		assert_int_equal(
		    rfc3339_format_date(day * RFC3339_US_PER_DAY, text), 10);
		assert_true(rfc3339_parse_any(text, 10, &unix_us, &is_date));
		assert_true(is_date && unix_us == day * RFC3339_US_PER_DAY);
	}
}

static void
jakarta_is_seven_hours_ahead(void **state)
{
	char text[RFC3339_SIZE];
	(void)state;

	assert_int_equal(rfc3339_format_jakarta(1767236400, text), 25);
	assert_string_equal(text, "2026-01-01T10:00:00+07:00");
	assert_int_equal(
	    rfc3339_jakarta_month((1767225600 - 25200) * S), 202601);
	assert_int_equal(
	    rfc3339_jakarta_month((1767225600 - 25200) * S - 1), 202512);
	assert_int_equal(rfc3339_jakarta_month(0), 197001);
	assert_int_equal(rfc3339_jakarta_month(INT64_MAX), 999912);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_and_written),
		cmocka_unit_test(impossible_times_are_refused),
		cmocka_unit_test(every_day_comes_back),
		cmocka_unit_test(jakarta_is_seven_hours_ahead),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
