/* Are ids written, read, ordered and dated as RFC 9562 says? */
#include "cases.h"

#include "domain/uuid.h"

static void
version_7_example_of_the_rfc(void **state)
{
	/* RFC 9562, A.6: 2022-02-22 19:22:22 UTC */
	static const uint8_t entropy[10] = { 0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c,
		0x0c, 0x07, 0x39, 0x8f };
	char text[UUID_TEXT_SIZE];
	struct uuid id = uuid_v7(0x017f22e279b0, entropy);
	(void)state;

	uuid_format(&id, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	assert_true(uuid_v7_unix_ms(&id) == 0x017f22e279b0);
}

static void
floor_is_below_every_id_of_its_millisecond(void **state)
{
	static const uint8_t zeros[10],
	    ones[10] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
	struct uuid low = uuid_v7_floor(1000), first = uuid_v7(1000, zeros),
		    last = uuid_v7(1000, ones), next = uuid_v7_floor(1001);
	(void)state;

	assert_true(uuid_compare(&low, &first) <= 0);
	assert_true(uuid_compare(&first, &last) < 0);
	assert_true(uuid_compare(&last, &next) < 0);
	assert_true(uuid_equal(&low, &first));
	assert_false(uuid_equal(&low, &last));
}

static void
text_goes_both_ways(void **state)
{
	static const char upper[] = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F";
	char text[UUID_TEXT_SIZE];
	struct uuid id, zero = { { 0 } };
	(void)state;

	assert_true(uuid_parse(upper, UUID_TEXT_LENGTH, &id));
	uuid_format(&id, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	assert_false(uuid_is_zero(&id));
	assert_true(uuid_is_zero(&zero));
}

static void
the_other_side_differs_in_the_last_bit(void **state)
{
	static const char low[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398e";
	char text[UUID_TEXT_SIZE];
	struct uuid id, other, back;
	(void)state;

	assert_true(uuid_parse(low, UUID_TEXT_LENGTH, &id));
	other = uuid_other_side(&id);
	back = uuid_other_side(&other);
	uuid_format(&other, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	assert_true(uuid_equal(&back, &id));
}

static void
bad_text_is_refused(void **state)
{
	static const char *cases[] = { "",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
		"017f22e279b07cc398c4dc0c0c07398f",
		"{017f22e2-79b0-7cc3-98c4-dc0c0c07398}",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
		"017f22e2+79b0-7cc3-98c4-dc0c0c07398f",
		"017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
		"-17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c0739 f" };
	struct uuid id, before;
	(void)state;

	memset(&id, 7, sizeof(id));
	before = id;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (uuid_parse(cases[i], strlen(cases[i]), &id))
			fail_msg("accepted: %s", cases[i]);
		assert_true(uuid_equal(&id, &before));
	}
	assert_false(uuid_parse(NULL, UUID_TEXT_LENGTH, &id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_7_example_of_the_rfc),
		cmocka_unit_test(floor_is_below_every_id_of_its_millisecond),
		cmocka_unit_test(text_goes_both_ways),
		cmocka_unit_test(the_other_side_differs_in_the_last_bit),
		cmocka_unit_test(bad_text_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
