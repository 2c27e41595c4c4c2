/*
 * Whose address is it, when anybody can write X-Forwarded-For?
 */
#include "cases.h"

#include "web/edge.h"

#define PROXIES "10.0.0.0/8, 192.0.2.1 2001:db8::/33"

struct row {
	const char *peer, *forwarded, *client;
};

static const struct row rows[] = {
	/* A stranger is who he is, whatever he writes. */
	{ "203.0.113.9", NULL, "203.0.113.9" },
	{ "203.0.113.9", "10.1.1.1", "203.0.113.9" },
	{ "203.0.113.9", "8.8.8.8, 10.1.1.1", "203.0.113.9" },
	{ "11.0.0.1", "8.8.8.8", "11.0.0.1" },
	{ "192.0.2.2", "8.8.8.8", "192.0.2.2" },
	{ "2001:db8:8000::1", "8.8.8.8", "2001:db8:8000::1" },
	/* A proxy tells whom it saw: the rightmost that is no proxy. */
	{ "10.1.2.3", "203.0.113.9", "203.0.113.9" },
	{ "10.255.255.255", "1.2.3.4,203.0.113.9", "203.0.113.9" },
	{ "10.1.2.3", "1.2.3.4, 203.0.113.9, 10.9.9.9", "203.0.113.9" },
	{ "10.1.2.3", "203.0.113.9 , 192.0.2.1 ", "203.0.113.9" },
	{ "192.0.2.1", "2001:DB8:8000:0::9", "2001:db8:8000::9" },
	{ "2001:db8:7fff::1", "203.0.113.9", "203.0.113.9" },
	{ "::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9" },
	/* Nothing that can be read: the last that could be. */
	{ "10.1.2.3", NULL, "10.1.2.3" },
	{ "10.1.2.3", "", "10.1.2.3" },
	{ "10.1.2.3", ", ,", "10.1.2.3" },
	{ "10.1.2.3", "unknown", "10.1.2.3" },
	{ "10.1.2.3", "8.8.8.8, unknown", "10.1.2.3" },
	{ "10.1.2.3", "8.8.8.8, 10.9.9.9:1234", "10.1.2.3" },
	{ "10.1.2.3", "8.8.8.8, 300.1.1.1, 10.9.9.9", "10.9.9.9" },
	{ "10.1.2.3", "10.4.5.6, 10.7.8.9", "10.4.5.6" },
};

static void
test_the_client_is_believed_through_proxies_only(void **state)
{
	char wrong[64], out[REQUEST_IP_SIZE];
	size_t i;

	(void)state;
	assert_true(address_trust(PROXIES, wrong, sizeof(wrong)));
	for (i = 0; i < COUNT(rows); i++) {
		address_client(rows[i].peer, rows[i].forwarded, out);
		assert_string_equal(out, rows[i].client);
	}
	assert_true(address_trust("", wrong, sizeof(wrong)));
	address_client("10.1.2.3", "8.8.8.8", out);
	assert_string_equal(out, "10.1.2.3");
}

static void
test_wrong_networks_are_named(void **state)
{
	static const char *const lists[] = { "10.0.0.0/33", "10.0.0/8", "x",
		"10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::1/129",
		"10.0.0.0/ 8", "127.0.0.1, localhost" };
	char wrong[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lists); i++) {
		wrong[0] = '\0';
		assert_false(address_trust(lists[i], wrong, sizeof(wrong)));
		assert_true(wrong[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_the_client_is_believed_through_proxies_only),
		cmocka_unit_test(test_wrong_networks_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
