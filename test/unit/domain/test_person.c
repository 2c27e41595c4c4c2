/* Is one person one phone, name and address, however they are written? */
#include "cases.h"

#include "domain/email.h"
#include "domain/password.h"
#include "domain/phone.h"
#include "domain/pin.h"
#include "domain/username.h"

struct pair {
	const char *text;
	const char *expected;
};

static void
phones_have_one_form(void **state)
{
	static const struct pair good[] = {
		{ "0812345678", "0812345678" },
		{ "0812345678901", "0812345678901" },
		{ "+62812345678", "0812345678" },
		{ "62812345678", "0812345678" },
		{ "+62812345678901", "0812345678901" },
	};
	static const char *bad[] = { "", "08", "081234567", "08123456789012",
		"+6281234567", "+628123456789012", "0712345678", "812345678",
		"+0812345678", "0062812345678", "08 12345678", "0812-345-678",
		"0812345678 ", " 0812345678", "+62 812345678", "++62812345678",
		"08123456a8", "+6212345678", "0812345678\n", "+620812345678",
		"+1 555 123 4567", "8980812345678",
		"\xd9\xa0\xd9\xa8"
		"12345678" };
	char phone[PHONE_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(
		    phone_parse(good[i].text, strlen(good[i].text), phone));
		assert_string_equal(phone, good[i].expected);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (phone_parse(bad[i], strlen(bad[i]), phone))
			fail_msg("accepted: %s", bad[i]);
	}
	assert_false(phone_parse(NULL, 0, phone));
	assert_false(phone_parse(TEXT("0812345678\0"), phone));
}

static void
wallet_numbers_give_phone_and_wallet(void **state)
{
	static const struct {
		const char *text;
		const char *phone;
		enum phone_wallet wallet;
	} good[] = {
		{ "0812345678", "0812345678", PHONE_NO_WALLET },
		{ "081234567890123", "081234567890123", PHONE_NO_WALLET },
		{ "6281234567", "081234567", PHONE_NO_WALLET },
		{ "+6281234567890", "081234567890", PHONE_NO_WALLET },
		{ "898081234567890", "081234567890", PHONE_GOPAY },
		{ "897081234567890", "081234567890", PHONE_SHOPEEPAY },
		{ "898628123456789", "08123456789", PHONE_GOPAY },
		{ "8980812345678901", "0812345678901", PHONE_GOPAY },
		{ "89762881234567890", "0881234567890", PHONE_SHOPEEPAY },
	};
	static const char *bad[] = { "", "081234567", "0812345678901234",
		"628123456", "8121234567", "1234567890", "898123456789",
		"8980812345", "898898081234", "+0812345678", "+898081234567",
		"0812 345678", "0812345678x", "+", "896081234567890",
		"081234567\n", "-081234567", "8970712345678",
		"89808123456789012", "8980812345678901234" };
	char phone[PHONE_SIZE];
	enum phone_wallet wallet;
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(phone_parse_wallet(
		    good[i].text, strlen(good[i].text), phone, &wallet));
		assert_string_equal(phone, good[i].phone);
		assert_int_equal(wallet, good[i].wallet);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (phone_parse_wallet(bad[i], strlen(bad[i]), phone, &wallet))
			fail_msg("accepted: %s", bad[i]);
	}
}

static void
names_fold_to_one_key(void **state)
{
	static const struct {
		const char *text;
		const char *name;
		const char *key;
	} good[] = {
		{ "a", "a", "a" },
		{ "Budi Santoso", "Budi Santoso", "budi santoso" },
		{ "cafe\xcc\x81", "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xef\xbc\xa1\xef\xbd\x82", "\xef\xbc\xa1\xef\xbd\x82",
		    "ab" }, /* fullwidth */
		{ "STRASSE", "STRASSE", "strasse" },
		{ "Stra\xc3\x9f"
		  "e",
		    "Stra\xc3\x9f"
		    "e",
		    "strasse" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	};
	static const struct {
		const char *text;
		enum username_result result;
	} bad[] = {
		{ "", USERNAME_EMPTY },
		{ " ", USERNAME_BAD_SPACE },
		{ " a", USERNAME_BAD_SPACE },
		{ "a ", USERNAME_BAD_SPACE },
		{ "a  b", USERNAME_BAD_SPACE },
		{ "a\nb", USERNAME_BAD_CHARACTER },
		{ "a\tb", USERNAME_BAD_CHARACTER },
		{ "a\x7f", USERNAME_BAD_CHARACTER },
		{ "a\xc2\x85", USERNAME_BAD_CHARACTER }, /* next line */
		{ "a\xc2\xa0"
		  "b",
		    USERNAME_BAD_CHARACTER }, /* no-break space */
		{ "a\xc2\xad"
		  "b",
		    USERNAME_BAD_CHARACTER }, /* soft hyphen */
		{ "a\xe2\x80\x8b", USERNAME_BAD_CHARACTER }, /* zero width */
		{ "a\xe2\x80\x8d"
		  "b",
		    USERNAME_BAD_CHARACTER }, /* joiner */
		{ "a\xe2\x80\xae"
		  "b",
		    USERNAME_BAD_CHARACTER }, /* bidi */
		{ "a\xe2\x81\xa6"
		  "b",
		    USERNAME_BAD_CHARACTER }, /* isolate */
		{ "a\xe2\x80\x83"
		  "b",
		    USERNAME_BAD_CHARACTER }, /* em space */
		{ "a\xe3\x80\x80"
		  "b",
		    USERNAME_BAD_CHARACTER }, /* ideographic */
		{ "a\xe2\x80\xa8",
		    USERNAME_BAD_CHARACTER }, /* line separator */
		{ "\xef\xbb\xbf"
		  "a",
		    USERNAME_BAD_CHARACTER }, /* BOM */
		{ "\xe3\x85\xa4", USERNAME_BAD_CHARACTER }, /* hangul filler */
		{ "\xe2\xa0\x80", USERNAME_BAD_CHARACTER }, /* braille blank */
		{ "a\xef\xb8\x8f", USERNAME_BAD_CHARACTER }, /* variation */
		{ "\xee\x80\x80", USERNAME_BAD_CHARACTER }, /* private use */
		{ "\xef\xbf\xbf", USERNAME_BAD_CHARACTER }, /* unassigned */
		{ "\xff", USERNAME_NOT_UTF8 },
		{ "\xc3", USERNAME_NOT_UTF8 },
		{ "\xed\xa0\x80", USERNAME_NOT_UTF8 },
		{ "\xc0\x80", USERNAME_NOT_UTF8 },
	};
	char name[USERNAME_SIZE], key[USERNAME_KEY_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(username_parse(good[i].text,
				     strlen(good[i].text), name, key),
		    USERNAME_OK);
		assert_string_equal(name, good[i].name);
		assert_string_equal(key, good[i].key);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (username_parse(bad[i].text, strlen(bad[i].text), name,
			key) != bad[i].result)
			fail_msg("row %zu", i);
		assert_non_null(username_problem(bad[i].result));
	}
	assert_int_equal(
	    username_parse(TEXT("a\0b"), name, key), USERNAME_BAD_CHARACTER);
	assert_null(username_problem(USERNAME_OK));
}

static void
names_have_255_characters_at_most(void **state)
{
	char name[USERNAME_SIZE], key[USERNAME_KEY_SIZE];
	char text[4 * 256 + 1];
	(void)state;

	memset(text, 'x', sizeof(text));
	assert_int_equal(username_parse(text, 255, name, key), USERNAME_OK);
	assert_int_equal(
	    username_parse(text, 256, name, key), USERNAME_TOO_LONG);
	assert_int_equal(
	    username_parse(text, 1024, name, key), USERNAME_TOO_LONG);
	for (size_t i = 0; i < 256; i++)
		memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 4);
	assert_int_equal(username_parse(text, 4 * 255, name, key), USERNAME_OK);
	assert_int_equal(
	    username_parse(text, 4 * 256, name, key), USERNAME_TOO_LONG);
	/* Each of these folds to 33 bytes. */
	for (size_t i = 0; i < 255; i++)
		memcpy(text + 3 * i, "\xef\xb7\xba", 3);
	assert_int_equal(
	    username_parse(text, 3 * 255, name, key), USERNAME_TOO_LONG);
}

static void
names_that_mean_another_person_are_known(void **state)
{
	static const char *ambiguous[] = { "0812345678", "+62812345678",
		"62812345678", "a@b.id", "@",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f" };
	static const char *plain[] = { "budi", "12345", "08",
		"budi0812345678" };
	(void)state;

	for (size_t i = 0; i < COUNT(ambiguous); i++)
		assert_true(username_is_ambiguous(ambiguous[i]));
	for (size_t i = 0; i < COUNT(plain); i++)
		assert_false(username_is_ambiguous(plain[i]));
}

static void
addresses_are_kept_and_folded(void **state)
{
	static const struct pair good[] = {
		{ "a@b.id", "a@b.id" },
		{ "Budi.Santoso+x@Example.CO.ID",
		    "budi.santoso+x@example.co.id" },
		{ "a-b_c!#$%&'*/=?^`{|}~@x-y.com",
		    "a-b_c!#$%&'*/=?^`{|}~@x-y.com" },
		{ "\xc3\x9c@b\xc3\xbc"
		  "cher.de",
		    "\xc3\xbc@b\xc3\xbc"
		    "cher.de" },
	};
	static const char *bad[] = { "", "a", "@", "a@", "@b.id", "a@b", "a@b.",
		"a@.id", "a@b..id", ".a@b.id", "a.@b.id", "a..b@b.id",
		"a@b@c.id", "a b@c.id", "a@b c.id", "a@b.id ", " a@b.id",
		"a@-b.id", "a@b-.id", "a@b_c.id", "\"a\"@b.id", "a(x)@b.id",
		"a@[127.0.0.1]", "a@127.0.0.1", "a@b.1", "a,b@c.id", "a;b@c.id",
		"<a@b.id>", "a@b.id\n", "a\n@b.id", "a\\@b.id", "a:b@c.id",
		"a@b.id,c@d.id", "\xff@b.id", "a@\xc3.id", "a\xe2\x80\xae@b.id",
		"a\xc2\xa0@b.id",
		"a\xef\xbc\xa0"
		"c@b.id" };
	char address[EMAIL_SIZE], key[EMAIL_KEY_SIZE], text[EMAIL_SIZE + 1];
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(email_parse(good[i].text, strlen(good[i].text),
				     address, key),
		    EMAIL_OK);
		assert_string_equal(address, good[i].text);
		assert_string_equal(key, good[i].expected);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (email_parse(bad[i], strlen(bad[i]), address, key) ==
		    EMAIL_OK)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_not_equal(
	    email_parse(TEXT("a\0@b.id"), address, key), EMAIL_OK);
	memset(text, 'a', sizeof(text));
	memcpy(text + 250, "@b.id", 5);
	assert_int_equal(email_parse(text, 255, address, key), EMAIL_OK);
	memset(text, 'a', sizeof(text));
	memcpy(text + 251, "@b.id", 5);
	assert_int_equal(email_parse(text, 256, address, key), EMAIL_TOO_LONG);
	memset(text, 'a', sizeof(text));
	memcpy(text, "a@", 2);
	memcpy(text + 66, ".id", 3);
	assert_int_equal(email_parse(text, 69, address, key), EMAIL_MALFORMED);
}

static void
passwords_that_are_tried_first_are_refused(void **state)
{
	static const struct password_owner owner = { .username = "Budi Santoso",
		.email = "Budi.Santoso@example.co.id",
		.phone = "081234567890" };
	static const struct {
		const char *password;
		enum password_result result;
	} cases[] = {
		{ "correct horse battery", PASSWORD_OK },
		{ "k7#pQz!9", PASSWORD_OK },
		{ "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe", PASSWORD_OK },
		{ "", PASSWORD_TOO_SHORT },
		{ "1234567", PASSWORD_TOO_SHORT },
		{ "12345678", PASSWORD_COMMON },
		{ "password", PASSWORD_COMMON },
		{ "PassWord", PASSWORD_COMMON },
		{ "qwertyuiop", PASSWORD_COMMON },
		{ "ILOVEYOU", PASSWORD_COMMON },
		{ "budi santoso", PASSWORD_PERSONAL },
		{ "BUDI SANTOSO", PASSWORD_PERSONAL },
		{ "budi.santoso@EXAMPLE.co.id", PASSWORD_PERSONAL },
		{ "budi.santoso", PASSWORD_PERSONAL },
		{ "081234567890", PASSWORD_PERSONAL },
		{ "6281234567890", PASSWORD_PERSONAL },
		{ "+6281234567890", PASSWORD_PERSONAL },
		{ "81234567890", PASSWORD_PERSONAL },
		{ "aaaaaaa\xff", PASSWORD_NOT_UTF8 },
		{ "aaaaaaa\xc3", PASSWORD_NOT_UTF8 },
	};
	char text[PASSWORD_BYTES_MAX + 1];
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (password_judge(cases[i].password, strlen(cases[i].password),
			&owner) != cases[i].result)
			fail_msg("row %zu", i);
		if (cases[i].result != PASSWORD_OK)
			assert_non_null(password_problem(cases[i].result));
	}
	assert_int_equal(
	    password_judge(TEXT("aaaaaaaa\0"), &owner), PASSWORD_NOT_UTF8);
	assert_int_equal(
	    password_judge(TEXT("budi santoso"), NULL), PASSWORD_OK);
	memset(text, 'k', sizeof(text));
	assert_int_equal(password_judge(text, 255, &owner), PASSWORD_OK);
	assert_int_equal(password_judge(text, 256, &owner), PASSWORD_TOO_LONG);
}

static void
the_common_list_is_sorted(void **state)
{
	static const char *const common[] = {
#define COMMON(text) text,
#include "domain/password_common.def"
#undef COMMON
	};
	(void)state;

	assert_true(COUNT(common) >= 500);
	for (size_t i = 0; i < COUNT(common); i++) {
		assert_true(strlen(common[i]) >= PASSWORD_BYTES_MIN);
		if (i > 0 && strcmp(common[i - 1], common[i]) >= 0)
			fail_msg("out of order: %s", common[i]);
		assert_int_equal(
		    password_judge(common[i], strlen(common[i]), NULL),
		    PASSWORD_COMMON);
	}
}

static void
pins_that_are_tried_first_are_refused(void **state)
{
	static const char *good[] = { "482913", "739251", "907415", "506832" };
	static const char *weak[] = { "123456", "654321", "012345", "987654",
		"890123", "210987", "000000", "999999", "111111", "121212",
		"112211", "111222", "100000", "123123", "909090", "135791",
		"246802", "170845" /* 17 August 1945 */, "081745", "450817",
		"311299", "123199", "991231", "290200", "290296", "010100" };
	static const char *malformed[] = { "", "1", "12345", "1234567",
		"12345a", "12 456", " 12345", "+12345", "-12345", "12345\n",
		"\xd9\xa1\xd9\xa2\xd9\xa3", "48291\xff" };
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++) {
		if (pin_judge(good[i], strlen(good[i])) != PIN_OK)
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; i < COUNT(weak); i++) {
		if (pin_judge(weak[i], strlen(weak[i])) != PIN_WEAK)
			fail_msg("accepted: %s", weak[i]);
	}
	for (size_t i = 0; i < COUNT(malformed); i++)
		assert_int_equal(pin_judge(malformed[i], strlen(malformed[i])),
		    PIN_MALFORMED);
	assert_int_equal(pin_judge(NULL, 6), PIN_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phones_have_one_form),
		cmocka_unit_test(wallet_numbers_give_phone_and_wallet),
		cmocka_unit_test(names_fold_to_one_key),
		cmocka_unit_test(names_have_255_characters_at_most),
		cmocka_unit_test(names_that_mean_another_person_are_known),
		cmocka_unit_test(addresses_are_kept_and_folded),
		cmocka_unit_test(passwords_that_are_tried_first_are_refused),
		cmocka_unit_test(the_common_list_is_sorted),
		cmocka_unit_test(pins_that_are_tried_first_are_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
