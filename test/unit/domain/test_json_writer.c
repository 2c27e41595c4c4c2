/* Is everything that is written JSON again, whatever text goes in? */
#include "cases.h"

#include "domain/error.h"
#include "domain/json.h"

static void
an_answer_is_written(void **state)
{
	struct json_writer writer;
	(void)state;

	json_writer_init(&writer);
	json_put_object_begin(&writer);
	json_put_member_string(&writer, "s", "a\"b\\c\n\x01\x7f");
	json_put_member_int(&writer, "i", INT64_MIN);
	json_put_member_bool(&writer, "t", true);
	json_put_member_bool(&writer, "f", false);
	json_put_member_null(&writer, "n");
	json_put_member_string(&writer, "none", NULL);
	json_put_member_money(&writer, "m", 15000000);
	json_put_key(&writer, "l");
	json_put_array_begin(&writer);
	json_put_int(&writer, 0);
	json_put_raw(&writer, TEXT("{\"x\":1}"));
	json_put_array_begin(&writer);
	json_put_array_end(&writer);
	json_put_object_begin(&writer);
	json_put_object_end(&writer);
	json_put_array_end(&writer);
	json_put_object_end(&writer);
	assert_false(json_writer_failed(&writer));
	assert_string_equal(writer.bytes,
	    "{\"s\":\"a\\\"b\\\\c\\n\\u0001\\u007f\","
	    "\"i\":-9223372036854775808,\"t\":true,\"f\":false,\"n\":null,"
	    "\"none\":null,\"m\":150000.00,\"l\":[0,{\"x\":1},[],{}]}");
	assert_int_equal(writer.length, strlen(writer.bytes));
	json_writer_free(&writer);
	json_writer_free(&writer);
}

static void
any_bytes_come_back_as_text(void **state)
{
	struct json_document document;
	struct json_writer writer;
	char bytes[3000];
	(void)state;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(1 + i % 255);
	json_writer_init(&writer);
	json_put_string_n(&writer, bytes, sizeof(bytes));
	assert_false(json_writer_failed(&writer));
	assert_int_equal(
	    json_parse(writer.bytes, writer.length, &document), JSON_OK);
	json_free(&document);
	json_writer_free(&writer);
}

static void
broken_text_is_replaced(void **state)
{
	static const struct {
		const char *text;
		const char *json;
	} cases[] = {
		{ "\xff", "\"\xef\xbf\xbd\"" },
		{ "a\xc3", "\"a\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xc3\xa9", "\"\xc3\xa9\"" },
		{ "", "\"\"" },
	};
	struct json_writer writer;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		json_writer_init(&writer);
		json_put_string(&writer, cases[i].text);
		assert_string_equal(writer.bytes, cases[i].json);
		json_writer_free(&writer);
	}
}

static void
closing_too_often_fails(void **state)
{
	struct json_writer writer;
	(void)state;

	json_writer_init(&writer);
	json_put_object_begin(&writer);
	json_put_object_end(&writer);
	json_put_object_end(&writer);
	assert_true(json_writer_failed(&writer));
	json_put_int(&writer, 1);
	assert_true(json_writer_failed(&writer));
	json_writer_free(&writer);
}

static void
the_catalogue_has_a_row_for_every_error(void **state)
{
	(void)state;
	for (int code = ERROR_NONE + 1; code < ERROR_COUNT; code++) {
		const struct error_info *info =
		    error_info((enum error_code)code);
		assert_in_range(info->status, 400, 599);
		assert_non_null(info->reason);
		assert_non_null(info->message);
		assert_true(info->retry_after >= 0);
		assert_int_equal(error_by_reason(info->reason), code);
	}
	assert_ptr_equal(error_info(ERROR_NONE), error_info(ERROR_INTERNAL));
	assert_ptr_equal(error_info(ERROR_COUNT), error_info(ERROR_INTERNAL));
	assert_int_equal(error_by_reason("no such reason"), ERROR_NONE);
	assert_int_equal(error_by_reason(NULL), ERROR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_written),
		cmocka_unit_test(any_bytes_come_back_as_text),
		cmocka_unit_test(broken_text_is_replaced),
		cmocka_unit_test(closing_too_often_fails),
		cmocka_unit_test(the_catalogue_has_a_row_for_every_error),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
