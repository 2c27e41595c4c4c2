/*
 * JSON (RFC 8259) in both directions.
 *
 * Reading: a document becomes a flat list of nodes in the caller's memory
 * (no heap of its own but yajl's parser). Numbers stay text. Refused: what
 * yajl refuses (NaN, single quotes, trailing commas, comments, leading zeros,
 * broken UTF-8, trailing bytes) and also duplicate keys, \u0000, lone
 * surrogates, more than JSON_DEPTH_MAX levels, more nodes than given.
 *
 * Writing: one writer that escapes everything and grows through a callback.
 */
#ifndef ONEGATE_DOMAIN_JSON_H
#define ONEGATE_DOMAIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16
#define JSON_NODES_MAX 4096

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER, /* text holds the number as it was written */
	JSON_STRING, /* text holds the decoded UTF-8, NUL-terminated too */
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_node {
	enum json_type type;
	const char *key; /* of a member of an object, else NULL */
	size_t key_length;
	const char *text; /* numbers and strings, NUL-terminated */
	size_t length; /* bytes of text; children of arrays and objects */
	int32_t next; /* index of the next sibling, -1 at the end */
	int32_t child; /* index of the first child, -1 where none */
};

struct json_document {
	struct json_node *nodes; /* nodes[0] is the root */
	size_t count;
	void *memory; /* owned, freed by json_free */
};

enum json_result {
	JSON_OK,
	JSON_MALFORMED, /* not JSON, or refused as above */
	JSON_TOO_DEEP,
	JSON_TOO_LARGE, /* more than JSON_NODES_MAX nodes */
	JSON_NO_MEMORY
};

/* Reads BYTES; on JSON_OK the document is valid until json_free. */
enum json_result json_parse(
    const char *bytes, size_t length, struct json_document *document);

/* Frees what json_parse made; a zeroed document is fine. */
void json_free(struct json_document *document);

/* The member KEY of OBJECT, or NULL (also when OBJECT is not an object). */
const struct json_node *json_member(const struct json_document *document,
    const struct json_node *object, const char *key);

/* The first child of NODE or NULL; the sibling after NODE or NULL. */
const struct json_node *json_first(
    const struct json_document *document, const struct json_node *node);
const struct json_node *json_next(
    const struct json_document *document, const struct json_node *node);

/* The whole number in NODE, in LOWEST..HIGHEST, written without point or
 * exponent. */
bool json_node_integer(const struct json_node *node, int64_t lowest,
    int64_t highest, int64_t *value);

/*
 * The writer. Values are separated by themselves; keys come first in objects.
 * A writer that ran out of memory stays failed: json_writer_failed says so at
 * the end, so the calls between need no check.
 */
struct json_writer {
	char *bytes;
	size_t length;
	size_t capacity;
	unsigned depth;
	bool failed;
	bool comma;
};

void json_writer_init(struct json_writer *writer);
void json_writer_free(struct json_writer *writer);
bool json_writer_failed(const struct json_writer *writer);

void json_put_object_begin(struct json_writer *writer);
void json_put_object_end(struct json_writer *writer);
void json_put_array_begin(struct json_writer *writer);
void json_put_array_end(struct json_writer *writer);
void json_put_key(struct json_writer *writer, const char *key);

/* TEXT may be NULL: then null is written. Broken UTF-8 becomes U+FFFD. */
void json_put_string(struct json_writer *writer, const char *text);
void json_put_string_n(
    struct json_writer *writer, const char *text, size_t length);
void json_put_int(struct json_writer *writer, int64_t value);
void json_put_bool(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);
void json_put_money(
    struct json_writer *writer, int64_t amount_minor); /* 1.00 */
/* BYTES are JSON already (a stored answer, a jsonb column); not escaped. */
void json_put_raw(struct json_writer *writer, const char *bytes, size_t length);

/* Member shorthands: the key, then the value. */
void json_put_member_string(
    struct json_writer *writer, const char *key, const char *text);
void json_put_member_int(
    struct json_writer *writer, const char *key, int64_t value);
void json_put_member_bool(
    struct json_writer *writer, const char *key, bool value);
void json_put_member_null(struct json_writer *writer, const char *key);
void json_put_member_money(
    struct json_writer *writer, const char *key, int64_t amount_minor);

#endif
