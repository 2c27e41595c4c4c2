/*
 * Is a request's head read in one way only? The bad rows are the ways in which
 * two parsers have been made to disagree.
 */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "web/head.h"

#define GET "GET /a HTTP/1.1\r\n"
#define POST "POST /a HTTP/1.1\r\n"
#define HOST "Host: x\r\n"
#define END "\r\n"

/* Reads BLOCK from memory of exactly its size, so that a sanitizer sees a step
 * too far. *COPY is the caller's. */
static enum error_code
read_block(const char *block, size_t length, struct head *head, char **copy)
{
	enum error_code code;
	size_t size = 0;

	*copy = NULL;
	memset(head, 0, sizeof(*head));
	if (!head_complete(block, length, &size, &code))
		return code;
	*copy = malloc(size);
	assert_non_null(*copy);
	memcpy(*copy, block, size);
	return head_read(head, *copy, size);
}

struct row {
	const char *block;
	size_t length;
	enum error_code code;
};

static const struct row rows[] = {
	/* Who is the host, and where does the path end? */
	{ TEXT(GET HOST END), ERROR_NONE },
	{ TEXT(GET END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Host:\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Host: x y\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Host: x/y\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Host: u@x\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Host: \xc3\xa9\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Host: [::1]:80\r\n" END), ERROR_NONE },
	{ TEXT("GET /a HTTP/1.0\r\n" END), ERROR_NONE },
	{ TEXT("POST /a HTTP/1.0\r\nContent-Length: 1\r\n" END),
	    ERROR_BAD_REQUEST },
	{ TEXT(GET HOST HOST END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Hostile: y\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET "Hostile: y\r\n" HOST END), ERROR_NONE },
	{ TEXT("GET http://x/a HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET * HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET /a#b HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET /\xc3\xa9 HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET /a\0b HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET  /a HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET /a  HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET\t/a\tHTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET /a\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("get /a HTTP/1.1\r\n" HOST END), ERROR_NOT_IMPLEMENTED },
	{ TEXT("G(T /a HTTP/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("\r\n" GET HOST END), ERROR_BAD_REQUEST },
	/* Versions and methods. */
	{ TEXT("GET /a HTTP/1.0\r\n" HOST END), ERROR_NONE },
	{ TEXT("GET /a HTTP/1.2\r\n" HOST END), ERROR_VERSION_NOT_SUPPORTED },
	{ TEXT("GET /a HTTP/2.0\r\n" HOST END), ERROR_VERSION_NOT_SUPPORTED },
	{ TEXT("GET /a HTTP/1.10\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("GET /a http/1.1\r\n" HOST END), ERROR_BAD_REQUEST },
	{ TEXT("TRACE /a HTTP/1.1\r\n" HOST END), ERROR_NOT_IMPLEMENTED },
	{ TEXT("GETS /a HTTP/1.1\r\n" HOST END), ERROR_NOT_IMPLEMENTED },
	{ TEXT("CONNECT x:1 HTTP/1.1\r\n" HOST END), ERROR_NOT_IMPLEMENTED },
	/* Lines. */
	{ TEXT(GET "Host: x\nX: y\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X: a\rY: b\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X: a\r\n b\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X : a\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST ": a\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X: \0\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X: \x7f\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X:\r\n" END), ERROR_NONE },
	{ TEXT(GET HOST "X: \xc3\xa9\ta\r\n" END), ERROR_NONE },
	/* Lengths: where does this request end? */
	{ TEXT(POST HOST END), ERROR_NONE },
	{ TEXT("PUT /a HTTP/1.1\r\n" HOST END), ERROR_NONE },
	{ TEXT("DELETE /a HTTP/1.1\r\n" HOST END), ERROR_NONE },
	{ TEXT(POST HOST "Content-Length: 5\r\n" END), ERROR_NONE },
	{ TEXT(POST HOST "Content-Length: 05\r\n" END), ERROR_NONE },
	{ TEXT(POST HOST "Content-Length:\t5 \r\n" END), ERROR_NONE },
	{ TEXT(POST HOST "Content-Length:\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(POST HOST "Content-Length: +5\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(POST HOST "Content-Length: -5\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(POST HOST "Content-Length: 5, 5\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(POST HOST "Content-Length: 5 5\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(POST HOST "Content-Length: 0x5\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(POST HOST "Content-Length: 9999999999999\r\n" END),
	    ERROR_BODY_TOO_LARGE },
	{ TEXT(POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n" END),
	    ERROR_BAD_REQUEST },
	{ TEXT(POST HOST "Transfer-Encoding: chunked\r\n" END),
	    ERROR_TRANSFER_CODING },
	{ TEXT(POST HOST "Content-Length: 5\r\nTransfer-Encoding:\r\n" END),
	    ERROR_TRANSFER_CODING },
	{ TEXT(GET HOST "Transfer-Encoding: identity\r\n" END),
	    ERROR_TRANSFER_CODING },
	{ TEXT(GET HOST "Content-Length: 5\r\n" END), ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "Content-Length: 0\r\n" END), ERROR_NONE },
	/* Expectations, and fields that must not be there twice. */
	{ TEXT(GET HOST "Expect: 100-Continue\r\n" END), ERROR_NONE },
	{ TEXT(GET HOST "Expect: tea\r\n" END), ERROR_EXPECTATION_FAILED },
	{ TEXT(GET HOST "Authorization: a\r\nauthorization: b\r\n" END),
	    ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X-Api-Key: a\r\nX-API-Key: b\r\n" END),
	    ERROR_BAD_REQUEST },
	{ TEXT(GET HOST "X: a\r\nX: b\r\n" END), ERROR_NONE },
};

static void
test_each_head_is_read_or_refused(void **state)
{
	struct head head;
	char *copy;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		enum error_code code =
		    read_block(rows[i].block, rows[i].length, &head, &copy);

		if (code != rows[i].code)
			fail_msg("%s: %s, not %s", rows[i].block,
			    error_info(code)->reason,
			    error_info(rows[i].code)->reason);
		free(copy);
	}
}

/* No prefix of a head is a head, and none makes the reader step too far. */
static void
test_a_head_cut_anywhere_is_not_complete(void **state)
{
	static const char whole[] =
	    POST HOST "Content-Length: 5\r\nX-A: b\r\n" END;
	enum error_code code;
	size_t cut, size;

	(void)state;
	for (cut = 0; cut < sizeof(whole) - 1; cut++) {
		char *part = malloc(cut + 1);

		assert_non_null(part);
		memcpy(part, whole, cut);
		assert_false(head_complete(part, cut, &size, &code));
		assert_int_equal(code, ERROR_NONE);
		free(part);
	}
	assert_true(head_complete(whole, cut, &size, &code));
	assert_int_equal(size, cut);
}

static void
test_what_was_read(void **state)
{
	static const char block[] =
	    "DELETE /a/b?c=d?e HTTP/1.1\r\nHOST: x\r\nX-Long-Name:  v w \t\r\n"
	    "Content-Length: 2\r\nConnection: Keep-Alive, CLOSE\r\n"
	    "Cookie: a=1\r\nCookie: b=2\r\nX-Empty: \r\n\r\n{}";
	struct head head;
	char *copy;

	(void)state;
	assert_int_equal(read_block(TEXT(block), &head, &copy), ERROR_NONE);
	assert_string_equal(head.method, "DELETE");
	assert_string_equal(head.path, "/a/b");
	assert_string_equal(head.query, "c=d?e");
	assert_string_equal(head_value(&head, "x-long-name"), "v w");
	assert_string_equal(head_value(&head, "x-empty"), "");
	assert_null(head_value(&head, "x-long"));
	assert_null(head_value(&head, "X-Long-Name"));
	assert_int_equal(head_times(&head, "cookie"), 2);
	assert_int_equal(head.body_length, 2);
	assert_true(head.closes);
	assert_false(head.version_1_0);
	free(copy);
}

/* A head with COUNT fields after Host, then one that must not get lost. */
static enum error_code
read_fields(unsigned count, struct head *head, char **copy)
{
	static char block[8192];
	size_t length;
	unsigned i;

	length = (size_t)snprintf(block, sizeof(block), GET HOST);
	for (i = 0; i < count; i++)
		length += (size_t)snprintf(
		    block + length, sizeof(block) - length, "X-%u: y\r\n", i);
	length += (size_t)snprintf(block + length, sizeof(block) - length,
	    "Authorization: last\r\n\r\n");
	return read_block(block, length, head, copy);
}

static void
test_fields_are_kept_or_the_head_is_refused(void **state)
{
	struct head head;
	char *copy;

	(void)state;
	assert_int_equal(
	    read_fields(HEAD_FIELDS_MAX - 2, &head, &copy), ERROR_NONE);
	assert_string_equal(head_value(&head, "authorization"), "last");
	free(copy);
	assert_int_equal(read_fields(HEAD_FIELDS_MAX - 1, &head, &copy),
	    ERROR_HEADERS_TOO_LARGE);
	free(copy);
}

static void
test_a_long_target_is_refused(void **state)
{
	static char block[HEAD_TARGET_MAX + 200];
	struct head head;
	size_t length;
	char *copy;

	(void)state;
	length = (size_t)snprintf(block, sizeof(block),
	    "GET /%0*d HTTP/1.1\r\n" HOST END, HEAD_PATH_MAX, 0);
	assert_int_equal(
	    read_block(block, length, &head, &copy), ERROR_URI_TOO_LONG);
	free(copy);
	length = (size_t)snprintf(block, sizeof(block),
	    "GET /?%0*d HTTP/1.1\r\n" HOST END, HEAD_PATH_MAX, 0);
	assert_int_equal(read_block(block, length, &head, &copy), ERROR_NONE);
	free(copy);
	length = (size_t)snprintf(block, sizeof(block),
	    "GET /?%0*d HTTP/1.1\r\n" HOST END, HEAD_TARGET_MAX, 0);
	assert_int_equal(
	    read_block(block, length, &head, &copy), ERROR_URI_TOO_LONG);
	free(copy);
}

/* Bytes that come without a length are never the next request. */
static void
test_without_a_length_it_closes(void **state)
{
	struct head head;
	char *copy;

	(void)state;
	assert_int_equal(
	    read_block(TEXT(POST HOST END), &head, &copy), ERROR_NONE);
	assert_true(head.closes);
	free(copy);
	assert_int_equal(read_block(TEXT(POST HOST "Content-Length: 0\r\n" END),
			     &head, &copy),
	    ERROR_NONE);
	assert_false(head.closes);
	free(copy);
}

/* A refusal still knows the request id that came with it. */
static void
test_a_refused_head_keeps_its_fields(void **state)
{
	struct head head;
	char *copy;

	(void)state;
	assert_int_equal(read_block(TEXT("BREW / HTTP/1.1\r\n" HOST
					 "X-Request-Id: mine\r\n" END),
			     &head, &copy),
	    ERROR_NOT_IMPLEMENTED);
	assert_string_equal(head_value(&head, "x-request-id"), "mine");
	free(copy);
}

/* Any change of one byte is read or refused, and nothing worse. */
static void
test_every_one_byte_wound(void **state)
{
	static const char whole[] = POST HOST "Content-Length: 5\r\n" END;
	char block[sizeof(whole)];
	struct head head;
	size_t at;
	char *copy;
	int byte;

	(void)state;
	for (at = 0; at < sizeof(whole) - 1; at++) {
		for (byte = 0; byte < 256; byte++) {
			memcpy(block, whole, sizeof(whole));
			block[at] = (char)byte;
			if (read_block(block, sizeof(whole) - 1, &head,
				&copy) == ERROR_NONE &&
			    copy != NULL)
				assert_true(head_times(&head, "host") == 1);
			free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_head_is_read_or_refused),
		cmocka_unit_test(test_a_head_cut_anywhere_is_not_complete),
		cmocka_unit_test(test_what_was_read),
		cmocka_unit_test(test_fields_are_kept_or_the_head_is_refused),
		cmocka_unit_test(test_a_long_target_is_refused),
		cmocka_unit_test(test_without_a_length_it_closes),
		cmocka_unit_test(test_a_refused_head_keeps_its_fields),
		cmocka_unit_test(test_every_one_byte_wound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
