/* Is every amount read exactly, and everything else refused? */
#include "cases.h"

#include "domain/money.h"

static void
good_amounts_are_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t minor;
	} cases[] = {
		{ "1", 100 },
		{ "0.01", 1 },
		{ "0.1", 10 },
		{ "0.10", 10 },
		{ "150000.00", 15000000 },
		{ "10", 1000 },
		{ "9999999999999.99", MONEY_MAX_MINOR },
		{ "9999999999999", MONEY_MAX_MINOR - 99 },
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t minor = -1;
		assert_true(
		    money_parse(cases[i].text, strlen(cases[i].text), &minor));
		assert_int_equal(minor, cases[i].minor);
	}
}

static void
bad_amounts_are_refused(void **state)
{
	static const char *cases[] = { "", "0", "0.0", "0.00", "-1", "+1",
		"1e3", "1E3", "NaN", "Infinity", "0.001", "1.000", "01",
		"00.01", ".5", "5.", "1.", "1.2.3", "1,5", " 1", "1 ", "1\n",
		"0x10", "10000000000000", "10000000000000.00",
		"9999999999999.991", "99999999999999999999999999", "1.-1",
		"1.1-", "--1", "1_000", "\xd9\xa1", "-0.01", "1.a", "1.1a", "a",
		"/", ":", "1/", "1:" };
	int64_t minor = 77;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (money_parse(cases[i], strlen(cases[i]), &minor))
			fail_msg("accepted: %s", cases[i]);
		assert_int_equal(minor, 77);
	}
	assert_false(money_parse(NULL, 0, &minor));
	assert_false(money_parse(TEXT("1\0"), &minor));
	assert_false(money_parse(TEXT("1.\0"), &minor));
}

static void
format_always_has_two_decimals(void **state)
{
	static const struct {
		int64_t minor;
		const char *text;
	} cases[] = {
		{ 0, "0.00" },
		{ 1, "0.01" },
		{ -5, "-0.05" },
		{ 99, "0.99" },
		{ 100, "1.00" },
		{ 15000000, "150000.00" },
		{ MONEY_MAX_MINOR, "9999999999999.99" },
		{ INT64_MAX, "92233720368547758.07" },
		{ INT64_MIN, "-92233720368547758.08" },
	};
	char text[MONEY_TEXT_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(
		    money_format(cases[i].minor, text), strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

static void
sums_refuse_overflow(void **state)
{
	int64_t result = 5;
	(void)state;

	assert_true(money_add(1, 2, &result));
	assert_int_equal(result, 3);
	assert_true(money_subtract(1, 2, &result));
	assert_int_equal(result, -1);
	assert_false(money_add(INT64_MAX, 1, &result));
	assert_false(money_add(INT64_MIN, -1, &result));
	assert_false(money_subtract(INT64_MIN, 1, &result));
	assert_false(money_subtract(0, INT64_MIN, &result));
	assert_int_equal(result, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_amounts_are_exact),
		cmocka_unit_test(bad_amounts_are_refused),
		cmocka_unit_test(format_always_has_two_decimals),
		cmocka_unit_test(sums_refuse_overflow),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
