/* Is a stored hash read exactly, and anything else refused? */
#include "cases.h"

#include "domain/phc.h"

#define SALT "c29tZXNhbHRzb21lc2FsdA"
#define HASH "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define GOOD "$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" HASH

static void
a_text_is_read_and_written_back(void **state)
{
	char text[PHC_TEXT_SIZE];
	struct phc phc;
	(void)state;

	assert_true(phc_parse(GOOD, &phc));
	assert_int_equal(phc.cost.memory_kib, 19456);
	assert_int_equal(phc.cost.passes, 2);
	assert_int_equal(phc.cost.lanes, 1);
	assert_memory_equal(phc.salt, "somesaltsomesalt", 16);
	assert_int_equal(phc.hash[31], 31);
	phc_format(&phc, text);
	assert_string_equal(text, GOOD);
}

static void
the_highest_cost_fits(void **state)
{
	struct phc phc = { { 1048576, 64, 16 }, { 0 }, { 0 } }, back;
	char text[PHC_TEXT_SIZE];
	(void)state;

	phc_format(&phc, text);
	assert_true(phc_parse(text, &back));
	assert_memory_equal(&back, &phc, sizeof(phc));
}

static void
everything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"$",
		"argon2id",
		"$argon2i$v=19$m=19456,t=2,p=1$" SALT "$" HASH,
		"$argon2id$v=16$m=19456,t=2,p=1$" SALT "$" HASH,
		"$argon2id$m=19456,t=2,p=1$" SALT "$" HASH,
		"$argon2id$v=19$t=2,m=19456,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=019456,t=2,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=+19456,t=2,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=7,t=2,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=1048577,t=2,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=99999999999999999999,t=2,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=19456,t=0,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=19456,t=65,p=1$" SALT "$" HASH,
		"$argon2id$v=19$m=19456,t=2,p=17$" SALT "$" HASH,
		"$argon2id$v=19$m=,t=2,p=1$" SALT "$" HASH,
		/* spare bits of the last character */
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdB$" HASH,
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "=$" HASH,
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT HASH,
		"$argon2id$v=19$m=19456,t=2,p=1$short$" HASH,
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$",
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" HASH "A",
		"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" HASH " ",
		" " GOOD,
	};
	struct phc phc;
	(void)state;

	for (size_t i = 0; i < COUNT(bad); i++)
		if (phc_parse(bad[i], &phc))
			fail_msg("accepted: %s", bad[i]);
}

static void
a_cost_is_below_when_any_part_is(void **state)
{
	static const struct phc_cost wanted = { 19456, 2, 1 };
	static const struct {
		struct phc_cost cost;
		bool below;
	} cases[] = {
		{ { 19456, 2, 1 }, false },
		{ { 65536, 3, 2 }, false },
		{ { 19455, 2, 1 }, true },
		{ { 65536, 1, 1 }, true },
	};
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    phc_cost_below(&cases[i].cost, &wanted), cases[i].below);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_read_and_written_back),
		cmocka_unit_test(the_highest_cost_fits),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(a_cost_is_below_when_any_part_is),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
