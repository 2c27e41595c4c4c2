/*
 * The query part of a URL as names and values
 * (application/x-www-form-urlencoded): percent-decoded, strict UTF-8, no
 * control characters, no name twice.
 */
#ifndef ONEGATE_DOMAIN_QUERY_H
#define ONEGATE_DOMAIN_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY_LENGTH_MAX 4096
#define QUERY_FIELDS_MAX 32

enum query_result {
	QUERY_OK,
	QUERY_TOO_LONG, /* more than QUERY_LENGTH_MAX bytes */
	QUERY_TOO_MANY, /* more than QUERY_FIELDS_MAX fields */
	QUERY_BAD_ESCAPE, /* a % without two digits */
	QUERY_BAD_TEXT, /* broken UTF-8, or a control character */
	QUERY_NO_NAME, /* a value without a name */
	QUERY_REPEATED /* a name for the second time */
};

struct query_field {
	const char *name; /* NUL-terminated, in the query's own bytes */
	const char *value; /* empty when the field has no '=' */
	size_t name_length;
	size_t value_length;
};

/* Not to be copied: the fields point into `bytes`. */
struct query {
	size_t count;
	const char *repeated; /* after QUERY_REPEATED: the name */
	struct query_field fields[QUERY_FIELDS_MAX];
	char bytes[QUERY_LENGTH_MAX + QUERY_FIELDS_MAX + 1];
};

/*
 * Reads TEXT (what stands behind '?', which may be empty or NULL). The first
 * thing wrong is the result, and then QUERY has no fields. Empty pieces
 * ("a=1&&b=2") are stepped over.
 */
enum query_result query_parse(
    const char *text, size_t length, struct query *query);

/* The field NAME, or NULL. */
const struct query_field *query_get(
    const struct query *query, const char *name);

/*
 * The whole decimal number in FIELD, LOWEST..HIGHEST, without sign, blanks or
 * leading zeros.
 */
bool query_integer(const struct query_field *field, int64_t lowest,
    int64_t highest, int64_t *value);

#endif
