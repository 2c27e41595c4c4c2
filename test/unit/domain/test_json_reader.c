/* Does the reader take exactly RFC 8259, minus what it promises to refuse? */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "domain/json.h"

static void
a_document_becomes_nodes(void **state)
{
	static const char text[] =
	    " {\"a\":[1,-2.50,\"x\\u00e9\\ud83d\\ude00\\n\",null,true,false,"
	    "{},[]],\"b\":{\"c\":12},\"\":\"\"} ";
	static const enum json_type types[] = { JSON_NUMBER, JSON_NUMBER,
		JSON_STRING, JSON_NULL, JSON_TRUE, JSON_FALSE, JSON_OBJECT,
		JSON_ARRAY };
	struct json_document document;
	const struct json_node *root, *list, *node;
	int64_t value = 0;
	size_t i = 0;
	(void)state;

	assert_int_equal(
	    json_parse(text, sizeof(text) - 1, &document), JSON_OK);
	root = &document.nodes[0];
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->length, 3);
	list = json_member(&document, root, "a");
	assert_non_null(list);
	assert_int_equal(list->length, COUNT(types));
	for (node = json_first(&document, list); node != NULL;
	     node = json_next(&document, node))
		assert_int_equal(node->type, types[i++]);
	assert_int_equal(i, COUNT(types));
	node = json_next(&document, json_first(&document, list));
	assert_string_equal(node->text, "-2.50");
	node = json_next(&document, node);
	assert_string_equal(node->text, "x\xc3\xa9\xf0\x9f\x98\x80\n");
	assert_int_equal(node->length, 8);
	node = json_member(&document, json_member(&document, root, "b"), "c");
	assert_true(json_node_integer(node, 0, 100, &value));
	assert_int_equal(value, 12);
	node = json_member(&document, root, "");
	assert_non_null(node);
	assert_int_equal(node->length, 0);
	assert_string_equal(node->text, "");
	assert_null(json_member(&document, root, "c"));
	assert_null(json_member(&document, list, "a"));
	assert_null(json_member(&document, NULL, "a"));
	json_free(&document);
	json_free(&document);
}

static void
scalars_are_documents(void **state)
{
	static const char *cases[] = { "1", "\"x\"", "null", "true", "false",
		"[]", "{}", " 1 ", "\t[]\r\n", "1.5e10", "-0",
		"\"\\ud834\\udd1e\"", "\"\\/\"" };
	struct json_document document;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (json_parse(cases[i], strlen(cases[i]), &document) !=
		    JSON_OK)
			fail_msg("refused: %s", cases[i]);
		assert_int_equal(document.count, 1);
		json_free(&document);
	}
}

static void
what_is_not_json_is_refused(void **state)
{
	static const char *cases[] = { "", " ", "{", "}", "[", "]", "[1", "[1,",
		"[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
		"{'a':1}", "['a']", "{\"a\":1 \"b\":2}", "[1 2]", "1 2",
		"[] []", "{}x", "NaN", "Infinity", "-Infinity", "nul", "True",
		"01", "-01", "+1", ".5", "5.", "1e", "1e+", "0x1", "--1", "-",
		"// x\n1", "/* x */1", "[1] // x", "\"a", "a\"", "\"\\x\"",
		"\"\\u12\"", "\"\\u123g\"", "\"\\", "\"\\u\"", "\"a\nb\"",
		"\"a\tb\"", "\"\x01\"", "\"\\u0000\"", "\"a\\u0000b\"",
		"{\"\\u0000\":1}", "\"\\ud800\"", "\"\\udc00\"",
		"\"\\ud800\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"",
		"\"\\udc00\\ud800\"", "{\"a\":1,\"a\":2}",
		"{\"a\":1,\"\\u0061\":2}", "{\"x\":{\"b\":1,\"c\":2,\"b\":3}}",
		"[{\"\":1,\"\":2}]",
		"{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,"
		"\"h\":1,\"i\":1,\"j\":1,\"c\":1}",
		"\xef\xbb\xbf{}", "\"\xff\"", "\"\xc0\xaf\"", "\"\xc1\x81\"",
		"\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
		"\"\xf5\x80\x80\x80\"", "\"\xc3\"", "\"\xe2\x82\"", "\"\x80\"",
		"{\"\xff\":1}", "\xff", "\x0c[]", "\x0b[]", "[1]\x01",
		"\xc2\xa0[]" };
	struct json_document document;
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (json_parse(cases[i], strlen(cases[i]), &document) !=
		    JSON_MALFORMED)
			fail_msg("not refused: %s", cases[i]);
		assert_null(document.memory);
		assert_int_equal(document.count, 0);
	}
	assert_int_equal(json_parse(TEXT("[]\0"), &document), JSON_MALFORMED);
	assert_int_equal(
	    json_parse(TEXT("\"a\0b\""), &document), JSON_MALFORMED);
	assert_int_equal(json_parse(NULL, 0, &document), JSON_MALFORMED);
}

static void
depth_and_count_have_limits(void **state)
{
	char text[2 * JSON_NODES_MAX + 8];
	struct json_document document;
	size_t length = 0;
	(void)state;

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(
	    json_parse(text, 2 * JSON_DEPTH_MAX, &document), JSON_OK);
	json_free(&document);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(
	    json_parse(text, 2 * JSON_DEPTH_MAX + 2, &document), JSON_TOO_DEEP);

	text[length++] = '[';
	for (int i = 0; i < JSON_NODES_MAX - 1; i++) {
		text[length++] = '7';
		text[length++] = ',';
	}
	text[length - 1] = ']';
	assert_int_equal(json_parse(text, length, &document), JSON_OK);
	assert_int_equal(document.count, JSON_NODES_MAX);
	json_free(&document);
	text[length - 1] = ',';
	text[length++] = '7';
	text[length++] = ']';
	assert_int_equal(json_parse(text, length, &document), JSON_TOO_LARGE);
}

static void
integers_are_exact(void **state)
{
	static const char good[] = "[0,-1,9223372036854775807,"
				   "-9223372036854775808]";
	static const int64_t values[] = { 0, -1, INT64_MAX, INT64_MIN };
	static const char bad[] =
	    "[1.0,1e3,9223372036854775808,-9223372036854775809,\"1\",null,true,"
	    "99999999999999999999]";
	struct json_document document;
	const struct json_node *node;
	int64_t value = 5;
	size_t i = 0;
	(void)state;

	assert_int_equal(json_parse(TEXT(good), &document), JSON_OK);
	for (node = json_first(&document, document.nodes); node != NULL;
	     node = json_next(&document, node)) {
		assert_true(
		    json_node_integer(node, INT64_MIN, INT64_MAX, &value));
		assert_true(value == values[i++]);
	}
	node = json_first(&document, document.nodes);
	assert_false(json_node_integer(node, 1, 10, &value));
	json_free(&document);
	assert_int_equal(json_parse(TEXT(bad), &document), JSON_OK);
	for (node = json_first(&document, document.nodes); node != NULL;
	     node = json_next(&document, node))
		assert_false(
		    json_node_integer(node, INT64_MIN, INT64_MAX, &value));
	assert_false(json_node_integer(NULL, 0, 1, &value));
	json_free(&document);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_becomes_nodes),
		cmocka_unit_test(scalars_are_documents),
		cmocka_unit_test(what_is_not_json_is_refused),
		cmocka_unit_test(depth_and_count_have_limits),
		cmocka_unit_test(integers_are_exact),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
