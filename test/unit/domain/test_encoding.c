/* Are base64, hex and hashes those of their standards, and strict? Are numbers
 * written right, and plain bytes told from others? */
#include "cases.h"

#include <stdlib.h>

#include "domain/base64.h"
#include "domain/decimal.h"
#include "domain/digest.h"
#include "domain/hex.h"
#include "domain/plain.h"

static void
vectors_of_rfc_4648(void **state)
{
	static const struct {
		const char *bytes;
		const char *text;
		const char *url;
	} cases[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+", "-__-" },
	};
	char text[BASE64_SIZE(6)];
	uint8_t bytes[6];
	size_t length;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		length = strlen(cases[i].bytes);
		base64_encode((const uint8_t *)cases[i].bytes, length, text);
		assert_string_equal(text, cases[i].text);
		assert_true(base64_decode(
		    text, strlen(text), bytes, sizeof(bytes), &length));
		assert_int_equal(length, strlen(cases[i].bytes));
		assert_memory_equal(bytes, cases[i].bytes, length);
		base64url_encode((const uint8_t *)cases[i].bytes, length, text);
		assert_string_equal(text, cases[i].url);
		assert_true(base64url_decode(
		    text, strlen(text), bytes, sizeof(bytes), &length));
		assert_memory_equal(bytes, cases[i].bytes, length);
	}
}

static void
what_is_not_canonical_is_refused(void **state)
{
	static const char *standard[] = { "Z", "Zg",
		"Zg=", "Zg===", "====", "=",
		"Zh==", "Zm9=", "Zm9v=", "Zm9vYg=", "Z=g=", "Zg==Zg==", "Zm 9v",
		"Zm9v\n", "-__-", "Zm9v====", "\xc3\xa9==", "Zg=a" };
	static const char *url[] = { "Z", "Zg==", "Zh", "Zm9", "Zm8=", "+//+",
		"Zm9v\n", " Zm9v", "Zm9vY", "Zg.", "Z*", "Zm9vZh" };
	uint8_t bytes[32];
	size_t length;
	(void)state;

	for (size_t i = 0; i < COUNT(standard); i++) {
		if (base64_decode(standard[i], strlen(standard[i]), bytes,
			sizeof(bytes), &length))
			fail_msg("accepted: %s", standard[i]);
	}
	for (size_t i = 0; i < COUNT(url); i++) {
		if (base64url_decode(
			url[i], strlen(url[i]), bytes, sizeof(bytes), &length))
			fail_msg("accepted: %s", url[i]);
	}
	assert_false(base64url_decode("Zm9v", 4, bytes, 2, &length));
	assert_false(base64_decode("Zm9v", 4, bytes, 2, &length));
	assert_false(base64url_decode(TEXT("Zg\0"), bytes, 9, &length));
}

static void
hex_is_strict(void **state)
{
	static const char *bad[] = { "", "0", "0g", "000", "00000", " 00",
		"0x00", "00\n0", "zz00" };
	uint8_t bytes[2];
	char text[HEX_SIZE(2)];
	(void)state;

	assert_true(hex_decode(TEXT("0aFf"), bytes, 2));
	hex_encode(bytes, 2, text);
	assert_string_equal(text, "0aff");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(hex_decode(bad[i], strlen(bad[i]), bytes, 2));
	for (int byte = 0; byte < 256; byte++) {
		const char digits[] = { '0', (char)byte };
		bool is_digit =
		    byte != 0 && strchr("0123456789abcdefABCDEF", byte) != NULL;

		assert_int_equal(hex_decode(digits, 2, bytes, 1), is_digit);
		if (is_digit)
			assert_int_equal(bytes[0],
			    strtol((char[]){ (char)byte, '\0' }, NULL, 16));
	}
}

static void
hashes_are_the_published_ones(void **state)
{
	char text[DIGEST_SHA256_HEX_SIZE];
	uint8_t digest[DIGEST_SHA512_SIZE];
	char long_text[DIGEST_SHA512_HEX_SIZE];
	(void)state;

	digest_sha256_hex("", 0, text);
	assert_string_equal(text,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256_hex(TEXT("abc"), text);
	assert_string_equal(text,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231, test case 2 */
	digest_hmac_sha256_hex(
	    TEXT("Jefe"), TEXT("what do ya want for nothing?"), text);
	assert_string_equal(text,
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	digest_hmac_sha512(
	    TEXT("Jefe"), TEXT("what do ya want for nothing?"), digest);
	hex_encode(digest, sizeof(digest), long_text);
	assert_string_equal(long_text,
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	digest_hmac_sha256_hex(NULL, 0, "", 0, text);
	assert_string_equal(text,
	    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	assert_true(digest_equal("ab", "ab", 2));
	assert_false(digest_equal("ab", "ac", 2));
}

static void
numbers_are_decimal(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ -1, "-1" },
		{ 1000000, "1000000" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};
	char text[DECIMAL_TEXT_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(decimal_format(cases[i].value, text),
		    strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

/* Each byte at each place of texts of all lengths around a word's. */
static void
plain_ends_at_the_first_byte_that_is_not(void **state)
{
	uint8_t text[20];
	(void)state;

	for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
		bool plain =
		    byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';

		for (size_t length = 1; length <= sizeof(text); length++) {
			for (size_t at = 0; at < length; at++) {
				memset(text, at % 2 == 0 ? '!' : '~', length);
				text[at] = (uint8_t)byte;
				assert_int_equal(plain_length(text, length),
				    plain ? length : at);
			}
		}
	}
	assert_int_equal(plain_length(text, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_rfc_4648),
		cmocka_unit_test(what_is_not_canonical_is_refused),
		cmocka_unit_test(hex_is_strict),
		cmocka_unit_test(hashes_are_the_published_ones),
		cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(plain_ends_at_the_first_byte_that_is_not),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
