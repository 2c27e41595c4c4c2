/*
 * Is input checked field by field, all of it at once? The request and its
 * answer here are the test's own: memory that stays, and what was replied.
 */
#include "cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "web/edge.h"
#include "web/idempotency.h"
#include "web/input.h"
#include "web/reply.h"

static enum error_code replied;
static struct json_writer answer;
static struct head head;

void *
request_alloc(struct request *request, size_t size)
{
	struct request_block {
		struct request_block *next;
		max_align_t bytes[];
	} *block = calloc(1, sizeof(*block) + size);

	assert_non_null(block);
	block->next = (void *)request->blocks;
	request->blocks = (void *)block;
	return block->bytes;
}

static void
request_done(struct request *request)
{
	void *block = request->blocks, *next;

	for (; block != NULL; block = next) {
		memcpy(&next, block, sizeof(next));
		free(block);
	}
	json_free(&request->json);
	json_writer_free(&answer);
}

char *
request_copy(struct request *request, const char *text, size_t length)
{
	char *copy = request_alloc(request, length + 1);

	memcpy(copy, text, length);
	return copy;
}

char *
request_format(struct request *request, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return request_copy(request, text, strlen(text));
}

const char *
request_header(struct request *request, const char *name)
{
	return head_value(request->head, name);
}

void
reply_error(struct request *request, enum error_code code)
{
	(void)request;
	replied = code;
}

struct json_writer *
reply_begin(struct request *request, int status, const char *message)
{
	(void)request;
	(void)message;
	assert_int_equal(status, 400);
	json_writer_free(&answer);
	json_writer_init(&answer);
	return &answer;
}

void
reply_end(struct request *request)
{
	(void)request;
	replied = ERROR_VALIDATION;
}

void
reply_meta_text(struct request *request, const char *key, const char *text)
{
	(void)request;
	(void)key;
	(void)text;
}

void
reply_header(struct request *request, const char *name, const char *value)
{
	(void)request;
	(void)name;
	(void)value;
}

static void
header_add(const char *name, const char *value)
{
	head.fields[head.count].name = name;
	head.fields[head.count].value = value;
	head.count++;
}

static struct request
request_of(const char *type, const char *body, const char *query)
{
	struct request request;

	memset(&request, 0, sizeof(request));
	memset(&head, 0, sizeof(head));
	request.head = &head;
	request.method = "POST";
	request.path = "/a";
	request.body = body;
	request.body_length = strlen(body);
	request.query = query;
	if (type != NULL)
		header_add("content-type", type);
	replied = ERROR_NONE;
	return request;
}

struct order {
	const char *name;
	const char *secret;
	int64_t amount;
	int64_t count;
	struct uuid id;
	const char *tags;
	int64_t since_ms;
};

static const struct input_field fields[] = {
	{ "name", INPUT_TEXT, true, offsetof(struct order, name), 1, 5 },
	{ "secret", INPUT_BYTES, false, offsetof(struct order, secret), 3, 4 },
	{ "amount", INPUT_MONEY, true, offsetof(struct order, amount), 0, 0 },
	{ "count", INPUT_INTEGER, false, offsetof(struct order, count), -5,
	    100 },
	{ "id", INPUT_UUID, false, offsetof(struct order, id), 0, 0 },
	{ "tags", INPUT_JSON, false, offsetof(struct order, tags), 0, 30 },
	{ "since", INPUT_TIME, false, offsetof(struct order, since_ms), 0, 0 },
};

#define JSON "application/json"

static void
test_a_good_body_fills_the_struct(void **state)
{
	struct order order = { 0 };
	struct request request = request_of(JSON,
	    "{\"name\":\"\\u00e9bcde\",\"secret\":\"abcd\",\"amount\":\"10.5\","
	    "\"count\":-5,\"id\":\"0190A000-0000-7000-8000-000000000001\","
	    "\"tags\": { \"b\" : [1, {\"a\":null}], \"a\":\"\\n\"},"
	    "\"since\":\"2026-01-31T07:00:00+07:00\",\"other\":1}",
	    "");

	(void)state;
	assert_true(input_body(&request, fields, COUNT(fields), &order));
	assert_true(input_valid(&request));
	assert_string_equal(order.name,
	    "\xc3\xa9"
	    "bcde");
	assert_string_equal(order.secret, "abcd");
	assert_int_equal(order.amount, 1050);
	assert_int_equal(order.count, -5);
	assert_int_equal(order.id.bytes[15], 1);
	assert_string_equal(
	    order.tags, "{\"b\":[1,{\"a\":null}],\"a\":\"\\n\"}");
	assert_int_equal(order.since_ms, INT64_C(1769817600000));
	request_done(&request);
}

static void
test_every_wrong_field_is_named_at_once(void **state)
{
	static const char *const names[] = { "name", "secret", "amount",
		"count", "id", "tags", "since" };
	struct order order = { 0 };
	struct request request = request_of(JSON,
	    "{\"name\":\"abcdef\",\"secret\":\"\\u00e9\",\"amount\":1e3,"
	    "\"count\":\"7\",\"id\":\"x\",\"tags\":\"x\",\"since\":1}",
	    "");
	char wanted[64];
	size_t i;

	(void)state;
	assert_true(input_body(&request, fields, COUNT(fields), &order));
	assert_false(input_valid(&request));
	assert_int_equal(replied, ERROR_VALIDATION);
	assert_int_equal(request.error_count, COUNT(names));
	for (i = 0; i < COUNT(names); i++) {
		assert_true(input_refused(&request, names[i]));
		(void)snprintf(
		    wanted, sizeof(wanted), "{\"field\":\"%s\",", names[i]);
		assert_non_null(strstr(answer.bytes, wanted));
	}
	request_done(&request);
}

struct value_row {
	const char *body;
	const char *field; /* that must be refused; NULL: none */
};

static const struct value_row value_rows[] = {
	{ "{\"name\":\"a\",\"amount\":1}", NULL },
	{ "{\"name\":\"a\",\"amount\":1,\"secret\":null}", NULL },
	{ "{}", "name" },
	{ "{\"name\":null,\"amount\":1}", "name" },
	{ "{\"name\":\"\",\"amount\":1}", "name" },
	{ "{\"name\":1,\"amount\":1}", "name" },
	{ "{\"name\":true,\"amount\":1}", "name" },
	{ "{\"name\":[],\"amount\":1}", "name" },
	{ "{\"name\":\"a\"}", "amount" },
	{ "{\"name\":\"a\",\"amount\":0}", "amount" },
	{ "{\"name\":\"a\",\"amount\":-1}", "amount" },
	{ "{\"name\":\"a\",\"amount\":0.001}", "amount" },
	{ "{\"name\":\"a\",\"amount\":\"1e3\"}", "amount" },
	{ "{\"name\":\"a\",\"amount\":\" 1\"}", "amount" },
	{ "{\"name\":\"a\",\"amount\":10000000000000}", "amount" },
	{ "{\"name\":\"a\",\"amount\":{}}", "amount" },
	{ "{\"name\":\"a\",\"amount\":1,\"count\":101}", "count" },
	{ "{\"name\":\"a\",\"amount\":1,\"count\":1.0}", "count" },
	{ "{\"name\":\"a\",\"amount\":1,\"count\":1e1}", "count" },
	{ "{\"name\":\"a\",\"amount\":1,\"count\":99999999999999999999}",
	    "count" },
	{ "{\"name\":\"a\",\"amount\":1,\"secret\":\"ab\"}", "secret" },
	{ "{\"name\":\"a\",\"amount\":1,\"tags\":[\"aaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaa\"]}",
	    "tags" },
	{ "{\"name\":\"a\",\"amount\":1,\"since\":\"2026-02-30\"}", "since" },
};

static void
test_values_at_their_edges(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(value_rows); i++) {
		const struct value_row *row = &value_rows[i];
		struct request request = request_of(JSON, row->body, "");
		struct order order = { 0 };

		assert_true(
		    input_body(&request, fields, COUNT(fields), &order));
		if (row->field == NULL)
			assert_true(input_valid(&request));
		else if (!input_refused(&request, row->field))
			fail_msg("%s: %s was taken", row->body, row->field);
		request_done(&request);
	}
}

struct body_row {
	const char *type, *body;
	enum error_code code;
};

static const struct body_row body_rows[] = {
	{ NULL, "", ERROR_NONE },
	{ "text/plain", "", ERROR_NONE },
	{ JSON, "{}", ERROR_NONE },
	{ "Application/JSON; charset=UTF-8", "{}", ERROR_NONE },
	{ "application/json;charset=\"utf-8\"", "{}", ERROR_NONE },
	{ "application/json; version=1", "{}", ERROR_NONE },
	{ NULL, "{}", ERROR_UNSUPPORTED_MEDIA_TYPE },
	{ "text/plain", "{}", ERROR_UNSUPPORTED_MEDIA_TYPE },
	{ "application/jsonp", "{}", ERROR_UNSUPPORTED_MEDIA_TYPE },
	{ "application/json x", "{}", ERROR_UNSUPPORTED_MEDIA_TYPE },
	{ "application/json; charset=utf-16", "{}",
	    ERROR_UNSUPPORTED_MEDIA_TYPE },
	{ "application/json; charset=utf-88", "{}",
	    ERROR_UNSUPPORTED_MEDIA_TYPE },
	{ "application/x-www-form-urlencoded", "a=b",
	    ERROR_UNSUPPORTED_MEDIA_TYPE },
	{ JSON, "{", ERROR_MALFORMED_JSON },
	{ JSON, " ", ERROR_MALFORMED_JSON },
	{ JSON, "[]", ERROR_MALFORMED_JSON },
	{ JSON, "null", ERROR_MALFORMED_JSON },
	{ JSON, "{} {}", ERROR_MALFORMED_JSON },
	{ JSON, "{\"a\":1,\"a\":2}", ERROR_MALFORMED_JSON },
	{ JSON, "{\"a\":\"\\u0000\"}", ERROR_MALFORMED_JSON },
	{ JSON, "{\"a\":\"\xff\"}", ERROR_MALFORMED_JSON },
};

static void
test_bodies_and_their_types(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(body_rows); i++) {
		const struct body_row *row = &body_rows[i];
		struct request request = request_of(row->type, row->body, "");

		assert_int_equal(input_body(&request, NULL, 0, NULL),
		    row->code == ERROR_NONE);
		assert_int_equal(replied, row->code);
		request_done(&request);
	}
}

static void
test_queries(void **state)
{
	static const struct {
		const char *query, *field;
	} queries[] = {
		{ "name=a+b&amount=1.5&count=7", NULL },
		{ "name=%C3%A9&amount=1&x=%41", NULL },
		{ "name=a&amount=1&count=", "count" },
		{ "name=a&amount=1&count=07", "count" },
		{ "name=a&amount=1&name=b", "name" },
		{ "name=%zz&amount=1", "query" },
		{ "name=%00&amount=1", "query" },
		{ "name=%ff&amount=1", "query" },
		{ "amount=1", "name" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(queries); i++) {
		struct request request = request_of(NULL, "", queries[i].query);
		struct order order = { 0 };

		assert_true(
		    input_query(&request, fields, COUNT(fields), &order));
		if (queries[i].field == NULL)
			assert_true(input_valid(&request));
		else if (!input_refused(&request, queries[i].field))
			fail_msg("%s was taken", queries[i].query);
		request_done(&request);
	}
}

static void
fingerprint_of(const char *path, const char *body, uint8_t out[32])
{
	struct request request = request_of(JSON, body, "");
	struct idempotency key;

	header_add("idempotency-key", "k");
	request.path = path;
	assert_true(input_body(&request, NULL, 0, NULL));
	assert_true(idempotency_read(&request, &key));
	memcpy(out, key.fingerprint, 32);
	request_done(&request);
}

static void
test_a_fingerprint_is_of_what_was_meant(void **state)
{
	static const struct {
		const char *path, *body;
		bool same;
	} others[] = {
		{ "/a", "{\"to\":\"x\",\"amount\":10,\"m\":{\"a\":1,\"b\":2}}",
		    true },
		{ "/a",
		    " {\"m\":{\"b\":2,\"a\":1},\"amount\":\"10.00\",\"to\":"
		    "\"\\u0078\"}",
		    true },
		{ "/a", "{\"to\":\"x\",\"amount\":11,\"m\":{\"a\":1,\"b\":2}}",
		    false },
		{ "/a", "{\"to\":\"y\",\"amount\":10,\"m\":{\"a\":1,\"b\":2}}",
		    false },
		{ "/a", "{\"to\":\"x\",\"amount\":10,\"m\":{\"a\":1}}", false },
		{ "/a", "{\"to\":\"x\",\"amount\":10,\"m\":[1,2]}", false },
		{ "/a", "{}", false },
		{ "/b", "{\"to\":\"x\",\"amount\":10,\"m\":{\"a\":1,\"b\":2}}",
		    false },
	};
	uint8_t first[32], other[32];
	size_t i;

	(void)state;
	fingerprint_of(others[0].path, others[0].body, first);
	for (i = 1; i < COUNT(others); i++) {
		fingerprint_of(others[i].path, others[i].body, other);
		assert_int_equal(
		    memcmp(first, other, sizeof(first)) == 0, others[i].same);
	}
}

static void
test_keys_at_their_edges(void **state)
{
	static char longest[256], longer[257];
	const struct {
		const char *key;
		bool good;
	} keys[] = { { "a", true }, { "a b~", true }, { longest, true },
		{ longer, false }, { "", false }, { "a\tb", false },
		{ "\x7f", false }, { "\xc3\xa9", false } };
	struct idempotency out;
	size_t i;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	memset(longer, 'x', sizeof(longer) - 1);
	for (i = 0; i < COUNT(keys); i++) {
		struct request request = request_of(NULL, "", "");

		assert_true(input_body(&request, NULL, 0, NULL));
		header_add("idempotency-key", keys[i].key);
		assert_int_equal(
		    idempotency_read(&request, &out), keys[i].good);
		if (keys[i].good)
			assert_int_equal(out.key_length, strlen(keys[i].key));
		header_add("idempotency-key", "second");
		assert_false(idempotency_read(&request, &out));
		request_done(&request);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_body_fills_the_struct),
		cmocka_unit_test(test_every_wrong_field_is_named_at_once),
		cmocka_unit_test(test_values_at_their_edges),
		cmocka_unit_test(test_bodies_and_their_types),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_a_fingerprint_is_of_what_was_meant),
		cmocka_unit_test(test_keys_at_their_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
