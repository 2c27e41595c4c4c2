/*
 * Checked input: a table of fields says what a body or a query string holds;
 * every wrong field is named at once in a 400.
 */
#ifndef ONEGATE_WEB_INPUT_H
#define ONEGATE_WEB_INPUT_H

#include "web/request.h"

enum input_type {
	INPUT_TEXT, /* const char *, UTF-8, lowest..highest characters */
	INPUT_BYTES, /* const char *, lowest..highest bytes (passwords) */
	INPUT_MONEY, /* int64_t minor units; number or string; > 0 */
	INPUT_INTEGER, /* int64_t in lowest..highest; in a query from text */
	INPUT_UUID, /* struct uuid */
	INPUT_JSON, /* const char *: the object or array re-written compactly */
	INPUT_TIME, /* int64_t Unix ms; RFC 3339 timestamp or date; UTC */
	INPUT_TIME_END /* the same, but a bare date is the end of its day */
};

struct input_field {
	const char *name;
	enum input_type type;
	bool required;
	size_t offset; /* in the struct to fill */
	int64_t lowest, highest; /* per type; INPUT_JSON: highest bytes */
};

/* What the caller puts where a time is to be read: 0 is a time too. */
#define INPUT_NO_TIME INT64_MIN

/*
 * Reads the JSON body into OUT (zeroed by the caller: absent optional fields
 * and nulls stay zero). Unknown members are ignored. An empty body counts as
 * {}. False: it has replied (411 no Content-Length although there are fields,
 * 415 wrong media type, 400 malformed_json).
 * Wrong fields do not make it false: they are collected for input_valid.
 */
bool input_body(struct request *request, const struct input_field *fields,
    size_t count, void *out);
/* The same from the query string. One that cannot be read (a name twice, a
 * broken escape) is an error of the field "query"; always true. */
bool input_query(struct request *request, const struct input_field *fields,
    size_t count, void *out);

/* Adds a field error of the handler's own. */
void input_refuse(
    struct request *request, const char *field, const char *message);
/* True when no field is wrong; else it has replied 400 with all of them. */
bool input_valid(struct request *request);
/* True when FIELD already has an error. */
bool input_refused(const struct request *request, const char *field);

/* Writes the names and values of the body in a canonical form (sorted keys,
 * canonical money in members called amount) for the fingerprint of an
 * idempotency key; 32 bytes of SHA-256. Call after input_body. */
void input_fingerprint(struct request *request, uint8_t fingerprint[32]);

#define INPUT_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

#endif
