/*
 * JSON out: the one writer, which escapes everything it is given as text.
 * After a failed allocation it swallows further calls and stays failed.
 */
#include "domain/json.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "domain/decimal.h"
#include "domain/money.h"
#include "domain/plain.h"
#include "domain/utf8.h"

#define WRITER_FIRST_CAPACITY 512

void
json_writer_init(struct json_writer *writer)
{
	memset(writer, 0, sizeof(*writer));
}

void
json_writer_free(struct json_writer *writer)
{
	/* Answers carry tokens. */
	if (writer->bytes != NULL)
		OPENSSL_cleanse(writer->bytes, writer->capacity);
	free(writer->bytes);
	memset(writer, 0, sizeof(*writer));
}

bool
json_writer_failed(const struct json_writer *writer)
{
	return (writer->failed);
}

static bool
writer_grow(struct json_writer *writer, size_t more)
{
	size_t needed, capacity;
	char *bytes;

	if (__builtin_add_overflow(writer->length, more + 1, &needed) ||
	    needed > SIZE_MAX / 4) {
		writer->failed = true;
		return (false);
	}
	capacity = writer->capacity;
	if (capacity == 0)
		capacity = WRITER_FIRST_CAPACITY;
	while (capacity < needed)
		capacity *= 2;
	bytes = malloc(capacity);
	if (bytes == NULL) {
		writer->failed = true;
		return (false);
	}
	if (writer->bytes != NULL) {
		memcpy(bytes, writer->bytes, writer->length);
		OPENSSL_cleanse(writer->bytes, writer->capacity);
		free(writer->bytes);
	}
	writer->bytes = bytes;
	writer->capacity = capacity;
	return (true);
}

/* Whether MORE bytes and a NUL have room now. */
static bool
writer_room(struct json_writer *writer, size_t more)
{
	return (!writer->failed &&
	    (more < writer->capacity - writer->length ||
		writer_grow(writer, more)));
}

/* Appends; the bytes always end in a NUL that is not counted. */
static void
writer_append(struct json_writer *writer, const char *bytes, size_t length)
{
	if (!writer_room(writer, length))
		return;
	if (length > 0)
		memcpy(writer->bytes + writer->length, bytes, length);
	writer->length += length;
	writer->bytes[writer->length] = '\0';
}

static void
writer_separate(struct json_writer *writer)
{
	if (writer->comma)
		writer_append(writer, ",", 1);
	writer->comma = true;
}

static void
writer_open(struct json_writer *writer, const char *bracket)
{
	writer_separate(writer);
	writer_append(writer, bracket, 1);
	writer->comma = false;
	writer->depth++;
}

/* More closed than opened is a broken promise of the caller. */
static void
writer_close(struct json_writer *writer, const char *bracket)
{
	if (writer->depth == 0) {
		writer->failed = true;
		return;
	}
	writer->depth--;
	writer_append(writer, bracket, 1);
	writer->comma = true;
}

void
json_put_object_begin(struct json_writer *writer)
{
	writer_open(writer, "{");
}

void
json_put_object_end(struct json_writer *writer)
{
	writer_close(writer, "}");
}

void
json_put_array_begin(struct json_writer *writer)
{
	writer_open(writer, "[");
}

void
json_put_array_end(struct json_writer *writer)
{
	writer_close(writer, "]");
}

/* What stands for a byte that must be escaped; LENGTH of ESCAPE, 0 = none. */
static size_t
escape_byte(uint8_t byte, char escape[6])
{
	static const char digits[] = "0123456789abcdef";
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if ((uint8_t)named[i] == byte) {
			escape[0] = '\\';
			escape[1] = named[i + 1];
			return (2);
		}
	}
	if (byte >= 0x20 && byte != 0x7f)
		return (0);
	memcpy(escape, "\\u00", 4);
	escape[4] = digits[byte >> 4];
	escape[5] = digits[byte & 0x0f];
	return (6);
}

/* From the first byte on that is not plain. */
static void
writer_escape(struct json_writer *writer, const char *text, size_t length)
{
	const uint8_t *bytes = (const uint8_t *)text;
	char escape[6];
	size_t at = 0, start = 0, step, escaped;

	while (at < length) {
		step = utf8_sequence(bytes + at, length - at, NULL);
		escaped = step == 1 ? escape_byte(bytes[at], escape) : 0;
		if (step > 0 && escaped == 0) {
			at += step;
			at += plain_length(text + at, length - at);
			continue;
		}
		writer_append(writer, text + start, at - start);
		if (step == 0)
			writer_append(writer, "\xef\xbf\xbd", 3);
		else
			writer_append(writer, escape, escaped);
		at++;
		start = at;
	}
	writer_append(writer, text + start, at - start);
}

static void
writer_put_text(struct json_writer *writer, const char *text, size_t length)
{
	size_t plain = plain_length(text, length);
	char *next;

	if (!writer_room(writer, plain + 2))
		return;
	next = writer->bytes + writer->length;
	*next++ = '"';
	memcpy(next, text, plain);
	writer->length += plain + 1;
	if (plain < length)
		writer_escape(writer, text + plain, length - plain);
	writer_append(writer, "\"", 1);
}

void
json_put_key(struct json_writer *writer, const char *key)
{
	writer_separate(writer);
	writer_put_text(writer, key, strlen(key));
	writer_append(writer, ":", 1);
	writer->comma = false;
}

void
json_put_string(struct json_writer *writer, const char *text)
{
	if (text == NULL) {
		json_put_null(writer);
		return;
	}
	json_put_string_n(writer, text, strlen(text));
}

void
json_put_string_n(struct json_writer *writer, const char *text, size_t length)
{
	if (text == NULL) {
		json_put_null(writer);
		return;
	}
	writer_separate(writer);
	writer_put_text(writer, text, length);
}

void
json_put_int(struct json_writer *writer, int64_t value)
{
	char text[DECIMAL_TEXT_SIZE];
	size_t length = decimal_format(value, text);

	writer_separate(writer);
	writer_append(writer, text, length);
}

void
json_put_bool(struct json_writer *writer, bool value)
{
	writer_separate(writer);
	if (value)
		writer_append(writer, "true", 4);
	else
		writer_append(writer, "false", 5);
}

void
json_put_null(struct json_writer *writer)
{
	writer_separate(writer);
	writer_append(writer, "null", 4);
}

void
json_put_money(struct json_writer *writer, int64_t amount_minor)
{
	char text[MONEY_TEXT_SIZE];
	size_t length = money_format(amount_minor, text);

	writer_separate(writer);
	writer_append(writer, text, length);
}

void
json_put_raw(struct json_writer *writer, const char *bytes, size_t length)
{
	writer_separate(writer);
	writer_append(writer, bytes, length);
}

void
json_put_member_string(
    struct json_writer *writer, const char *key, const char *text)
{
	json_put_key(writer, key);
	json_put_string(writer, text);
}

void
json_put_member_int(struct json_writer *writer, const char *key, int64_t value)
{
	json_put_key(writer, key);
	json_put_int(writer, value);
}

void
json_put_member_bool(struct json_writer *writer, const char *key, bool value)
{
	json_put_key(writer, key);
	json_put_bool(writer, value);
}

void
json_put_member_null(struct json_writer *writer, const char *key)
{
	json_put_key(writer, key);
	json_put_null(writer);
}

void
json_put_member_money(
    struct json_writer *writer, const char *key, int64_t amount_minor)
{
	json_put_key(writer, key);
	json_put_money(writer, amount_minor);
}
