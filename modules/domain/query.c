/*
 * Query strings, read once into the caller's memory.
 */
#include "domain/query.h"

#include <string.h>

#include "domain/utf8.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* Decodes behind what is there, with a NUL. A decoded text is no longer. */
static enum query_result
decode(const char *text, size_t length, char *out, size_t *out_length)
{
	size_t written = 0;
	int high, low;

	for (size_t at = 0; at < length; at++) {
		if (text[at] == '+') {
			out[written++] = ' ';
			continue;
		}
		if (text[at] != '%') {
			out[written++] = text[at];
			continue;
		}
		if (length - at < 3)
			return (QUERY_BAD_ESCAPE);
		high = hex_value(text[at + 1]);
		low = hex_value(text[at + 2]);
		if (high < 0 || low < 0)
			return (QUERY_BAD_ESCAPE);
		out[written++] = (char)(high << 4 | low);
		at += 2;
	}
	out[written] = '\0';
	*out_length = written;
	if (!utf8_valid(out, written))
		return (QUERY_BAD_TEXT);
	for (size_t i = 0; i < written; i++) {
		if ((uint8_t)out[i] < 0x20 || out[i] == 0x7f)
			return (QUERY_BAD_TEXT);
	}
	return (QUERY_OK);
}

/* One piece between two '&' into the next field. */
static enum query_result
add_field(struct query *query, const char *piece, size_t length, char *bytes,
    size_t *used)
{
	struct query_field *field;
	enum query_result result;
	const char *equals = memchr(piece, '=', length);
	size_t name_length = equals ? (size_t)(equals - piece) : length;
	size_t value_length = equals ? length - name_length - 1 : 0;

	if (query->count == QUERY_FIELDS_MAX)
		return (QUERY_TOO_MANY);
	field = &query->fields[query->count];
	field->name = bytes;
	result = decode(piece, name_length, bytes, &field->name_length);
	if (result != QUERY_OK)
		return (result);
	if (field->name_length == 0)
		return (QUERY_NO_NAME);
	bytes += field->name_length + 1;
	field->value = bytes;
	result = decode(equals ? equals + 1 : "", value_length, bytes,
	    &field->value_length);
	if (result != QUERY_OK)
		return (result);
	if (query_get(query, field->name) != NULL) {
		query->repeated = field->name;
		return (QUERY_REPEATED);
	}
	*used += field->name_length + field->value_length + 2;
	query->count++;
	return (QUERY_OK);
}

/*
 * Room: a piece of n bytes and its '&' become at most n + 2 bytes ("name"
 * without '=': name, NUL, NUL), so one byte more for each field.
 */
enum query_result
query_parse(const char *text, size_t length, struct query *query)
{
	enum query_result result = QUERY_OK;
	size_t start = 0, used = 0, end;
	const char *separator;

	query->count = 0;
	query->repeated = NULL;
	if (text == NULL || length == 0)
		return (QUERY_OK);
	if (length > QUERY_LENGTH_MAX)
		return (QUERY_TOO_LONG);
	while (start < length && result == QUERY_OK) {
		separator = memchr(text + start, '&', length - start);
		end = separator ? (size_t)(separator - text) : length;
		if (end > start)
			result = add_field(query, text + start, end - start,
			    query->bytes + used, &used);
		start = end + 1;
	}
	if (result != QUERY_OK)
		query->count = 0;
	return (result);
}

const struct query_field *
query_get(const struct query *query, const char *name)
{
	for (size_t i = 0; i < query->count; i++) {
		if (strcmp(query->fields[i].name, name) == 0)
			return (&query->fields[i]);
	}
	return (NULL);
}

bool
query_integer(const struct query_field *field, int64_t lowest, int64_t highest,
    int64_t *value)
{
	int64_t result = 0;

	if (field == NULL || field->value_length == 0 ||
	    (field->value[0] == '0' && field->value_length > 1))
		return (false);
	for (size_t i = 0; i < field->value_length; i++) {
		if (field->value[i] < '0' || field->value[i] > '9')
			return (false);
		if (__builtin_mul_overflow(result, (int64_t)10, &result) ||
		    __builtin_add_overflow(
			result, (int64_t)(field->value[i] - '0'), &result))
			return (false);
	}
	if (result < lowest || result > highest)
		return (false);
	*value = result;
	return (true);
}
