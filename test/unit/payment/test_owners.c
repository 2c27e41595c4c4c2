/* Is an owner remembered for the right account, until it is crowded out? */
#include "cases.h"

#include "payment/owners.h"

/* The random end of an id decides its place: SET is that, WHO tells apart. */
static struct uuid
id_of(uint8_t set, uint8_t who)
{
	struct uuid id = { .bytes = { who, 2, 3, 4, 5, 6, 0x77, 8 } };

	memset(id.bytes + 12, set, 4);
	return id;
}

static void
assert_owner(
    const struct owners *owners, struct uuid account, const struct uuid *user)
{
	const struct uuid *found = owners_find(owners, &account);

	if (user == NULL) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_true(uuid_equal(found, user));
}

static void
what_was_put_is_found(void **state)
{
	struct owners *owners = owners_new();
	struct uuid account = id_of(9, 1), user = id_of(7, 7);
	struct uuid house = id_of(8, 1), nobody = { { 0 } };
	(void)state;

	assert_owner(owners, account, NULL);
	owners_put(owners, &account, &user);
	owners_put(owners, &house, &nobody);
	assert_owner(owners, account, &user);
	assert_owner(owners, house, &nobody);
	assert_owner(owners, id_of(9, 2), NULL);
	assert_owner(owners, id_of(10, 1), NULL);
	owners_free(owners);
}

static void
the_newest_two_of_a_place_stay(void **state)
{
	struct owners *owners = owners_new();
	struct uuid first = id_of(9, 1), second = id_of(9, 2);
	struct uuid third = id_of(9, 3), elsewhere = id_of(5, 1);
	(void)state;

	owners_put(owners, &elsewhere, &elsewhere);
	owners_put(owners, &first, &first);
	owners_put(owners, &second, &second);
	owners_put(owners, &third, &third);
	assert_owner(owners, first, NULL);
	assert_owner(owners, second, &second);
	assert_owner(owners, third, &third);
	assert_owner(owners, elsewhere, &elsewhere);
	owners_free(owners);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found),
		cmocka_unit_test(the_newest_two_of_a_place_stay),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
