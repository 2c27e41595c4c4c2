/* Are queries, cursors and public ids read exactly one way? */
#include "cases.h"

#include "domain/cursor.h"
#include "domain/query.h"
#include "domain/transaction.h"
#include "domain/trx_id.h"

static void
queries_are_decoded(void **state)
{
	static const char text[] = "a=1&b=x%20y+z&&c=&d&%C3%A9=%e2%82%ac&e==";
	static struct query query;
	const struct query_field *field;
	int64_t value;
	(void)state;

	assert_int_equal(query_parse(TEXT(text), &query), QUERY_OK);
	assert_int_equal(query.count, 6);
	assert_string_equal(query_get(&query, "b")->value, "x y z");
	assert_string_equal(query_get(&query, "c")->value, "");
	assert_string_equal(query_get(&query, "d")->value, "");
	assert_string_equal(query_get(&query, "e")->value, "=");
	field = query_get(&query, "\xc3\xa9");
	assert_non_null(field);
	assert_string_equal(field->value, "\xe2\x82\xac");
	assert_null(query_get(&query, "z"));
	assert_true(query_integer(query_get(&query, "a"), 1, 100, &value));
	assert_int_equal(value, 1);
	assert_false(query_integer(query_get(&query, "a"), 2, 100, &value));
	assert_false(query_integer(query_get(&query, "c"), 0, 100, &value));
	assert_false(query_integer(NULL, 0, 100, &value));
	assert_int_equal(query_parse(NULL, 0, &query), QUERY_OK);
	assert_int_equal(query.count, 0);
	assert_int_equal(query_parse("&&&", 3, &query), QUERY_OK);
	assert_int_equal(query.count, 0);
}

static void
hostile_queries_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum query_result result;
	} cases[] = {
		{ "a=%", QUERY_BAD_ESCAPE },
		{ "a=%1", QUERY_BAD_ESCAPE },
		{ "a=%g0", QUERY_BAD_ESCAPE },
		{ "a=%0g", QUERY_BAD_ESCAPE },
		{ "%=1", QUERY_BAD_ESCAPE },
		{ "a=%&b=1", QUERY_BAD_ESCAPE },
		{ "a=%u0041", QUERY_BAD_ESCAPE },
		{ "a=%00", QUERY_BAD_TEXT },
		{ "a=%0a", QUERY_BAD_TEXT },
		{ "a%0d=1", QUERY_BAD_TEXT },
		{ "a=%7f", QUERY_BAD_TEXT },
		{ "a=%ff", QUERY_BAD_TEXT },
		{ "a=%c0%af", QUERY_BAD_TEXT },
		{ "a=%ed%a0%80", QUERY_BAD_TEXT },
		{ "a=%e2%82", QUERY_BAD_TEXT },
		{ "a=\x01", QUERY_BAD_TEXT },
		{ "=1", QUERY_NO_NAME },
		{ "a=1&=2", QUERY_NO_NAME },
		{ "=", QUERY_NO_NAME },
		{ "a=1&a=2", QUERY_REPEATED },
		{ "a=1&%61=1", QUERY_REPEATED },
		{ "a&a", QUERY_REPEATED },
	};
	static const char *numbers[] = { "", "-1", "+1", " 1", "1 ", "01",
		"1.0", "1e2", "0x1", "9223372036854775808", "abc", "101" };
	static struct query query;
	char text[QUERY_LENGTH_MAX + 1];
	size_t length = 0;
	int64_t value;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (query_parse(cases[i].text, strlen(cases[i].text), &query) !=
		    cases[i].result)
			fail_msg("query: %s", cases[i].text);
		assert_int_equal(query.count, 0);
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct query_field field = { .value = numbers[i],
			.value_length = strlen(numbers[i]) };
		assert_false(query_integer(&field, 0, 100, &value));
	}
	memset(text, 'a', sizeof(text));
	assert_int_equal(query_parse(text, QUERY_LENGTH_MAX, &query), QUERY_OK);
	assert_int_equal(
	    query_parse(text, QUERY_LENGTH_MAX + 1, &query), QUERY_TOO_LONG);
	for (int i = 0; i <= QUERY_FIELDS_MAX; i++) {
		text[length++] = (char)(i < 26 ? 'a' + i : 'A' + i - 26);
		text[length++] = '&';
	}
	assert_int_equal(query_parse(text, length - 2, &query), QUERY_OK);
	assert_int_equal(query.count, QUERY_FIELDS_MAX);
	assert_int_equal(query_parse(text, length, &query), QUERY_TOO_MANY);
}

static void
cursors_come_back(void **state)
{
	static const int64_t positions[] = { 0, 1, INT64_C(1767225600123456),
		INT64_MAX };
	char text[CURSOR_TEXT_SIZE];
	struct uuid id, read;
	int64_t position;
	(void)state;

	memset(&id, 0xa7, sizeof(id));
	for (size_t i = 0; i < COUNT(positions); i++) {
		cursor_write(positions[i], &id, text);
		assert_int_equal(strlen(text), CURSOR_TEXT_LENGTH);
		assert_true(cursor_read(text, strlen(text), &position, &read));
		assert_true(position == positions[i]);
		assert_true(uuid_equal(&id, &read));
	}
}

static void
changed_cursors_are_refused(void **state)
{
	static const char *bad[] = { "", "0", "1", "abc",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"' or 1=1 --                            " };
	char text[CURSOR_TEXT_SIZE];
	struct uuid id;
	int64_t position;
	(void)state;

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(
		    cursor_read(bad[i], strlen(bad[i]), &position, &id));
	memset(&id, 3, sizeof(id));
	cursor_write(12345, &id, text);
	for (size_t i = 0; i < CURSOR_TEXT_LENGTH; i++) {
		char kept = text[i];
		text[i] = kept == 'A' ? 'B' : 'A';
		assert_false(
		    cursor_read(text, CURSOR_TEXT_LENGTH, &position, &id));
		text[i] = kept;
		assert_false(cursor_read(text, i, &position, &id));
	}
	cursor_write(-1, &id, text);
	assert_false(cursor_read(text, CURSOR_TEXT_LENGTH, &position, &id));
}

static void
public_ids_go_both_ways(void **state)
{
	static const char *suffixes[] = { "", "-GPX", "-SPX" };
	char text[TRX_ID_SIZE], expected[TRX_ID_SIZE];
	struct uuid id, read;
	enum trx_id_suffix suffix;
	(void)state;

	for (int fill = 0; fill < 256; fill += 5) {
		for (size_t i = 0; i < sizeof(id.bytes); i++)
			id.bytes[i] = (uint8_t)(fill + (int)i * 37);
		for (int s = 0; s < 3; s++) {
			size_t length =
			    trx_id_format(&id, (enum trx_id_suffix)s, text);
			assert_int_equal(length, strlen(text));
			assert_string_equal(text + 30, suffixes[s]);
			assert_true(trx_id_parse(text, length, &read, &suffix));
			assert_true(uuid_equal(&id, &read));
			assert_int_equal((int)suffix, s);
		}
	}
	memset(&id, 0xff, sizeof(id));
	trx_id_format(&id, TRX_ID_PLAIN, text);
	assert_string_equal(text, "TRX-7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	memset(&id, 0, sizeof(id));
	trx_id_format(&id, TRX_ID_GOPAY, expected);
	assert_string_equal(expected, "TRX-00000000000000000000000000-GPX");
	assert_true(trx_id_parse(
	    TEXT("trx-7zzzzzzzzzzzzzzzzzzzzzzzzz-spx"), &id, NULL));
}

static void
other_ids_are_refused(void **state)
{
	static const char *cases[] = { "", "TRX-", "TRX-0",
		"TRX-0000000000000000000000000",
		"TRX-000000000000000000000000000",
		"TRX-80000000000000000000000000",
		"TRX-ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
		"TRX-0000000000000000000000000I",
		"TRX-0000000000000000000000000L",
		"TRX-0000000000000000000000000O",
		"TRX-0000000000000000000000000U",
		"TRX-00000000000000000000000000-",
		"TRX-00000000000000000000000000-XXX",
		"TRX-00000000000000000000000000-GP",
		"TRX-00000000000000000000000000-GPXX",
		"TRX-00000000000000000000000000 ",
		"TRX_00000000000000000000000000",
		"TRY-00000000000000000000000000",
		" TRX-00000000000000000000000000",
		"00000000-0000-7000-8000-000000000000" };
	struct uuid id;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (trx_id_parse(cases[i], strlen(cases[i]), &id, NULL))
			fail_msg("accepted: %s", cases[i]);
	}
	assert_false(trx_id_parse(NULL, 30, &id, NULL));
	assert_false(
	    trx_id_parse(TEXT("TRX-0000000000000000000000000\0"), &id, NULL));
}

static void
states_only_go_forward(void **state)
{
	(void)state;
	for (int from = 0; from < TRANSACTION_STATUSES; from++) {
		for (int to = 0; to < TRANSACTION_STATUSES; to++)
			assert_int_equal(transaction_may_become(
					     (enum transaction_status)from,
					     (enum transaction_status)to),
			    from == TRANSACTION_PENDING &&
				to != TRANSACTION_PENDING);
		assert_int_equal(
		    transaction_is_final((enum transaction_status)from),
		    from != TRANSACTION_PENDING);
	}
	assert_false(
	    transaction_may_become(TRANSACTION_STATUSES, TRANSACTION_SUCCESS));
	assert_false(
	    transaction_may_become(TRANSACTION_PENDING, TRANSACTION_STATUSES));
}

static void
names_are_those_of_the_contract(void **state)
{
	static const char *unknown[] = { "", "topup", "TOPUP ", "TOP_UP",
		"PENDINGX", "gopay", "OVO", "SHOPEEPAY", "null" };
	enum transaction_type type;
	enum transaction_status status;
	enum payment_method method;
	(void)state;

	assert_true(transaction_type_read("REFUND", &type));
	assert_int_equal(type, TRANSACTION_REFUND);
	assert_true(transaction_status_read("CANCELLED", &status));
	assert_int_equal(status, TRANSACTION_CANCELLED);
	assert_true(payment_method_read("SHOPEE_PAY", &method));
	assert_int_equal(method, PAYMENT_METHOD_SHOPEE_PAY);
	for (size_t i = 0; i < COUNT(unknown); i++) {
		assert_false(transaction_type_known(unknown[i]));
		assert_false(transaction_status_known(unknown[i]));
		assert_false(payment_method_known(unknown[i]));
	}
	assert_false(transaction_type_known(NULL));
	assert_null(transaction_type_name(TRANSACTION_TYPES));
	assert_null(transaction_status_name(TRANSACTION_STATUSES));
	assert_null(payment_method_name(PAYMENT_METHODS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_decoded),
		cmocka_unit_test(hostile_queries_are_refused),
		cmocka_unit_test(cursors_come_back),
		cmocka_unit_test(changed_cursors_are_refused),
		cmocka_unit_test(public_ids_go_both_ways),
		cmocka_unit_test(other_ids_are_refused),
		cmocka_unit_test(states_only_go_forward),
		cmocka_unit_test(names_are_those_of_the_contract),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
