/* Are QRIS codes and request bodies told apart to the last digit? */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "domain/fingerprint.h"
#include "domain/qris.h"

/* Printed by a real terminal: static, no amount. */
static const char known_good[] =
    "00020101021126570011ID.DANA.WWW011893600915303023251702090302325170303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10265294489570303UMI5204737253033605802ID"
    "5914Raol Mukarrozi6015Kota Banjar Bar6105707316304E0BD";

#define HEAD "000201"
#define ACCOUNT "26200011ID.DANA.WWW01015"
#define TAIL "5802ID5904Toko6007Jakarta"

/* TEXT and its CRC. */
static size_t
seal(const char *text, char code[QRIS_LENGTH_MAX + 64])
{
	size_t length =
	    (size_t)snprintf(code, QRIS_LENGTH_MAX + 60, "%s6304", text);

	snprintf(code + length, 5, "%04X", qris_crc(code, length));
	return (length + 4);
}

static void
the_known_good_code_is_read(void **state)
{
	struct qris qris;
	int64_t total;
	(void)state;

	assert_int_equal(qris_crc("123456789", 9), 0x29b1);
	assert_int_equal(qris_parse(TEXT(known_good), &qris), QRIS_OK);
	assert_false(qris.is_dynamic);
	assert_false(qris.has_amount);
	assert_int_equal(qris.tip, QRIS_NO_TIP);
	assert_string_equal(qris.category, "7372");
	assert_string_equal(qris.name, "Raol Mukarrozi");
	assert_string_equal(qris.city, "Kota Banjar Bar");
	assert_string_equal(qris.postal_code, "70731");
	assert_string_equal(qris.national_id, "ID1026529448957");
	assert_int_equal(qris.account_count, 2);
	assert_string_equal(qris.accounts[0].tag, "26");
	assert_string_equal(qris.accounts[0].domain, "ID.DANA.WWW");
	assert_string_equal(qris.accounts[0].pan, "936009153030232517");
	assert_string_equal(qris.accounts[0].merchant_id, "030232517");
	assert_string_equal(qris.accounts[0].criteria, "UMI");
	assert_true(qris_total(&qris, 500, &total));
	assert_int_equal(total, 500);
}

static void
any_changed_character_is_noticed(void **state)
{
	char code[sizeof(known_good)];
	struct qris qris;
	(void)state;

	memcpy(code, known_good, sizeof(code));
	for (size_t i = 0; i < sizeof(known_good) - 1; i++) {
		code[i] = known_good[i] == '1' ? '2' : '1';
		if (qris_parse(code, sizeof(code) - 1, &qris) == QRIS_OK)
			fail_msg("character %zu", i);
		code[i] = known_good[i];
		assert_int_not_equal(qris_parse(code, i, &qris), QRIS_OK);
	}
}

static void
codes_are_judged(void **state)
{
	static const struct {
		const char *text;
		enum qris_result result;
	} cases[] = {
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360" TAIL,
		    QRIS_OK },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000" TAIL,
		    QRIS_OK },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540810000.50" TAIL,
		    QRIS_OK },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540810000000" TAIL,
		    QRIS_OK },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540810000001" TAIL,
		    QRIS_AMOUNT_TOO_HIGH },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540810000000"
		       "550202"
		       "56011" TAIL,
		    QRIS_AMOUNT_TOO_HIGH },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "550201" TAIL,
		    QRIS_OK },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "550202"
		       "5604"
		       "1000" TAIL,
		    QRIS_OK },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "550203"
		       "57015" TAIL,
		    QRIS_OK },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "550203"
		       "5703101" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "550202" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "5604"
		       "1000" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "550204" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "540510000"
		       "550201"
		       "5604"
		       "1000" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "54010" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "5402-1" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "54031e3" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010212" ACCOUNT "52045411"
		       "5303360"
		       "54051.001" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303840" TAIL,
		    QRIS_BAD_CURRENCY },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360"
		       "5802SG5904Toko6007Jakarta",
		    QRIS_BAD_CURRENCY },
		{ HEAD "010213" ACCOUNT "52045411"
		       "5303360" TAIL,
		    QRIS_BAD_VALUE },
		{ "000202"
		  "010211" ACCOUNT "52045411"
		  "5303360" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010211" ACCOUNT "5204541x"
		       "5303360" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010211" ACCOUNT "5203541"
		       "5303360" TAIL,
		    QRIS_BAD_VALUE },
		{ HEAD "010211"
		       "52045411"
		       "5303360" TAIL,
		    QRIS_MISSING },
		{ HEAD "010211" ACCOUNT "5303360" TAIL, QRIS_MISSING },
		{ HEAD "010211" ACCOUNT "52045411" TAIL, QRIS_MISSING },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360"
		       "5802ID5904Toko",
		    QRIS_MISSING },
		{ HEAD ACCOUNT "52045411"
			       "5303360" TAIL,
		    QRIS_MISSING },
		{ HEAD "010211"
		       "26050101x"
		       "52045411"
		       "5303360" TAIL,
		    QRIS_MISSING },
		{ HEAD "010211"
		       "2605xxxxx"
		       "52045411"
		       "5303360" TAIL,
		    QRIS_MALFORMED },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360" TAIL "5904Toko",
		    QRIS_MALFORMED },
		{ "010211" HEAD ACCOUNT "52045411"
		  "5303360" TAIL,
		    QRIS_MALFORMED },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360" TAIL "6200",
		    QRIS_MALFORMED },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360" TAIL "62050599x",
		    QRIS_MALFORMED },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360" TAIL "6207"
		       "0503abc",
		    QRIS_OK },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360"
		       "5802ID5904To\nk6007Jakarta",
		    QRIS_MALFORMED },
		{ HEAD "010211" ACCOUNT "52045411"
		       "5303360"
		       "5802ID5904To\xffk6007Jakarta",
		    QRIS_MALFORMED },
		{ HEAD "0x0211" ACCOUNT "52045411"
		       "5303360" TAIL,
		    QRIS_MALFORMED },
		{ HEAD "01-211" ACCOUNT "52045411"
		       "5303360" TAIL,
		    QRIS_MALFORMED },
		{ "", QRIS_MALFORMED },
		{ "0002", QRIS_MALFORMED },
	};
	char code[QRIS_LENGTH_MAX + 64];
	struct qris qris;
	size_t length;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		length = seal(cases[i].text, code);
		if (qris_parse(code, length, &qris) != cases[i].result)
			fail_msg("%s: %s, not %s", code,
			    qris_result_word(qris_parse(code, length, &qris)),
			    qris_result_word(cases[i].result));
	}
	memset(code, '0', sizeof(code));
	assert_int_equal(
	    qris_parse(code, QRIS_LENGTH_MAX + 1, &qris), QRIS_TOO_LONG);
	assert_int_equal(qris_parse(NULL, 0, &qris), QRIS_MALFORMED);
}

static void
tips_are_added(void **state)
{
	struct qris qris = { .tip = QRIS_TIP_PERCENT, .tip_basis_points = 550 };
	int64_t total;
	(void)state;

	assert_true(qris_total(&qris, 1000000, &total));
	assert_int_equal(total, 1055000);
	assert_true(qris_total(&qris, 1, &total));
	assert_int_equal(total, 1);
	assert_false(qris_total(&qris, INT64_MAX / 2, &total));
	qris.tip = QRIS_TIP_FIXED;
	qris.tip_minor = 100;
	assert_true(qris_total(&qris, 1000000, &total));
	assert_int_equal(total, 1000100);
	assert_false(qris_total(&qris, INT64_MAX, &total));
}

static void
same(const char *a, const char *b, bool expected)
{
	uint8_t first[FINGERPRINT_SIZE], second[FINGERPRINT_SIZE];

	assert_true(fingerprint_body("r", a, strlen(a), first));
	assert_true(fingerprint_body("r", b, strlen(b), second));
	if ((memcmp(first, second, sizeof(first)) == 0) != expected)
		fail_msg("%s | %s", a, b);
}

static void
what_means_the_same_is_the_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "{\"a\":1,\"b\":2}", " { \"b\" : 2 , \"a\" : 1 } ", true },
		{ "{\"amount\":150000}", "{\"amount\":\"150000.00\"}", true },
		{ "{\"amount\":150000.0}", "{\"amount\":150000}", true },
		{ "{\"x\":1.50}", "{\"x\":1.5}", true },
		{ "{\"x\":1.00}", "{\"x\":1}", true },
		{ "{\"a\":\"\\u0041\"}", "{\"a\":\"A\"}", true },
		{ "{\"a\":{\"y\":1,\"x\":[1,{\"q\":1,\"p\":2}]}}",
		    "{\"a\":{\"x\":[1,{\"p\":2,\"q\":1}],\"y\":1}}", true },
		{ "", "{}", true },
		{ "{\"amount\":150000}", "{\"amount\":150000.01}", false },
		{ "{\"x\":1}", "{\"x\":\"1\"}", false },
		{ "{\"x\":10}", "{\"x\":1}", false },
		{ "{\"x\":100}", "{\"x\":1.00}", false },
		{ "{\"x\":[1,2]}", "{\"x\":[2,1]}", false },
		{ "{\"x\":[1,2]}", "{\"x\":[12]}", false },
		{ "{\"x\":[]}", "{\"x\":{}}", false },
		{ "{\"x\":null}", "{}", false },
		{ "{\"x\":null}", "{\"x\":false}", false },
		{ "{\"x\":true}", "{\"x\":\"true\"}", false },
		{ "{\"a\":\"b\"}", "{\"b\":\"a\"}", false },
		{ "{\"a\":{\"b\":1}}", "{\"a\":{},\"b\":1}", false },
		{ "[[1],[]]", "[[],[1]]", false },
		{ "{\"a\":\"x,\\\"b\\\":1\"}", "{\"a\":\"x\",\"b\":1}", false },
		{ "{\"ab\":1,\"abc\":2}", "{\"abc\":1,\"ab\":2}", false },
		{ "{\"amount\":\" 1\"}", "{\"amount\":\"1\"}", false },
	};
	uint8_t first[FINGERPRINT_SIZE], second[FINGERPRINT_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++)
		same(cases[i].a, cases[i].b, cases[i].equal);
	assert_true(fingerprint_body("a", "{}", 2, first));
	assert_true(fingerprint_body("b", "{}", 2, second));
	assert_memory_not_equal(first, second, sizeof(first));
	assert_false(fingerprint_body("a", "{", 1, first));
	assert_false(fingerprint_body("a", "{\"a\":1,\"a\":1}", 13, first));
}

static void
idempotency_keys_are_printable(void **state)
{
	static const char *good[] = { "a", " ", "~", "a b", "{\"x\":1}",
		"0190d6ac-0000-7000-8000-000000000000" };
	static const char *bad[] = { "", "a\tb", "a\n", "\x7f", "\x1f",
		"\xc3\xa9", "a\x80" };
	char text[IDEMPOTENCY_KEY_MAX + 1];
	(void)state;

	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(idempotency_key_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(idempotency_key_valid(bad[i], strlen(bad[i])));
	assert_false(idempotency_key_valid(NULL, 0));
	assert_false(idempotency_key_valid(TEXT("a\0")));
	memset(text, 'k', sizeof(text));
	assert_true(idempotency_key_valid(text, IDEMPOTENCY_KEY_MAX));
	assert_false(idempotency_key_valid(text, IDEMPOTENCY_KEY_MAX + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_good_code_is_read),
		cmocka_unit_test(any_changed_character_is_noticed),
		cmocka_unit_test(codes_are_judged),
		cmocka_unit_test(tips_are_added),
		cmocka_unit_test(what_means_the_same_is_the_same),
		cmocka_unit_test(idempotency_keys_are_printable),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
