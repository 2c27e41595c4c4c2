/*
 * JSON in: yajl's events become a flat list of nodes in one block of memory.
 * A scan of the raw bytes comes first and refuses what yajl lets pass or
 * changes in silence (loose UTF-8, \u0000, lone surrogates) and counts, so
 * that the block has its final size before the first event. It must never
 * turn a number into a double.
 */
#include "domain/json.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <yajl/yajl_parse.h>

#include "domain/plain.h"
#include "domain/utf8.h"

/* Above this many members, duplicates are found by sorting. */
#define PAIRWISE_KEYS_MAX 32

struct scan {
	const uint8_t *bytes;
	size_t length;
	size_t at;
	size_t nodes; /* at most this many values */
};

/* The block: this head, the nodes, the scratch for sorting keys, the text. */
struct block {
	size_t size;
};

struct reader {
	struct json_node *nodes;
	size_t count, capacity;
	const struct json_node **scratch;
	char *text;
	size_t text_length, text_size;
	int32_t open[JSON_DEPTH_MAX]; /* containers around the next value */
	int32_t last[JSON_DEPTH_MAX]; /* their last child so far, -1 none */
	size_t depth;
	const char *key;
	size_t key_length;
	enum json_result result;
};

static int
hex4(const uint8_t *bytes)
{
	int value = 0, digit;

	for (int i = 0; i < 4; i++) {
		if (bytes[i] >= '0' && bytes[i] <= '9')
			digit = bytes[i] - '0';
		else if ((bytes[i] | 0x20) >= 'a' && (bytes[i] | 0x20) <= 'f')
			digit = (bytes[i] | 0x20) - 'a' + 10;
		else
			return (-1);
		value = value << 4 | digit;
	}
	return (value);
}

/* At the 'u' of \uXXXX: steps over it and over its low surrogate. */
static bool
scan_unicode_escape(struct scan *scan)
{
	int unit;

	if (scan->length - scan->at < 5)
		return (false);
	unit = hex4(scan->bytes + scan->at + 1);
	scan->at += 5;
	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return (false);
	if (unit < 0xd800 || unit > 0xdbff)
		return (true);
	if (scan->length - scan->at < 6 || scan->bytes[scan->at] != '\\' ||
	    scan->bytes[scan->at + 1] != 'u')
		return (false);
	unit = hex4(scan->bytes + scan->at + 2);
	scan->at += 6;
	return (unit >= 0xdc00 && unit <= 0xdfff);
}

/* Just past the opening quote: steps over the closing one. */
static bool
scan_string(struct scan *scan)
{
	size_t step;
	uint8_t byte;

	for (;;) {
		scan->at += plain_length(
		    scan->bytes + scan->at, scan->length - scan->at);
		if (scan->at == scan->length)
			return (false);
		byte = scan->bytes[scan->at];
		if (byte == '"') {
			scan->at++;
			return (true);
		}
		if (byte == '\\') {
			scan->at++;
			if (scan->at == scan->length)
				return (false);
			if (scan->bytes[scan->at] != 'u')
				scan->at++;
			else if (!scan_unicode_escape(scan))
				return (false);
			continue;
		}
		step = utf8_sequence(
		    scan->bytes + scan->at, scan->length - scan->at, NULL);
		if (step == 0 || byte < 0x20)
			return (false);
		scan->at += step;
	}
}

/* Whether the raw bytes may go to yajl; counts the values at most there. */
static bool
scan_document(struct scan *scan)
{
	uint8_t byte;

	scan->nodes = 1;
	while (scan->at < scan->length) {
		byte = scan->bytes[scan->at++];
		if (byte == '"') {
			if (!scan_string(scan))
				return (false);
		} else if (byte == ',' || byte == '{' || byte == '[') {
			scan->nodes++;
		} else if (byte >= 0x80 || byte == '/' || byte == '\v' ||
		    byte == '\f') {
			return (false);
		}
	}
	return (true);
}

static int
reader_stop(struct reader *reader, enum json_result result)
{
	reader->result = result;
	return (0);
}

/* Copies text behind what is there, with a NUL; NULL when it cannot fit. */
static const char *
reader_keep(struct reader *reader, const void *bytes, size_t length)
{
	char *copy = reader->text + reader->text_length;

	if (reader->text_size - reader->text_length <= length)
		return (NULL);
	if (length > 0)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	reader->text_length += length + 1;
	return (copy);
}

static int
reader_add(struct reader *reader, enum json_type type, const void *bytes,
    size_t length)
{
	struct json_node *node;
	int32_t index = (int32_t)reader->count;
	size_t level;

	if (reader->count >= JSON_NODES_MAX)
		return (reader_stop(reader, JSON_TOO_LARGE));
	if (reader->count >= reader->capacity)
		return (reader_stop(reader, JSON_MALFORMED));
	node = &reader->nodes[reader->count++];
	*node = (struct json_node){
		.type = type,
		.key = reader->key,
		.key_length = reader->key_length,
		.next = -1,
		.child = -1,
	};
	reader->key = NULL;
	reader->key_length = 0;
	if (bytes != NULL) {
		node->text = reader_keep(reader, bytes, length);
		node->length = length;
		if (node->text == NULL)
			return (reader_stop(reader, JSON_MALFORMED));
	}
	if (reader->depth == 0)
		return (1);
	level = reader->depth - 1;
	if (reader->last[level] < 0)
		reader->nodes[reader->open[level]].child = index;
	else
		reader->nodes[reader->last[level]].next = index;
	reader->last[level] = index;
	reader->nodes[reader->open[level]].length++;
	return (1);
}

static int
reader_open(struct reader *reader, enum json_type type)
{
	int32_t index = (int32_t)reader->count;

	if (reader->depth >= JSON_DEPTH_MAX)
		return (reader_stop(reader, JSON_TOO_DEEP));
	if (!reader_add(reader, type, NULL, 0))
		return (0);
	reader->open[reader->depth] = index;
	reader->last[reader->depth] = -1;
	reader->depth++;
	return (1);
}

static int
compare_keys(const struct json_node *a, const struct json_node *b)
{
	if (a->key_length != b->key_length)
		return (a->key_length < b->key_length ? -1 : 1);
	return (memcmp(a->key, b->key, a->key_length));
}

static int
compare_key_pointers(const void *a, const void *b)
{
	return (compare_keys(*(const struct json_node *const *)a,
	    *(const struct json_node *const *)b));
}

static bool
has_equal_pair(const struct json_node **keys, size_t count)
{
	if (count > PAIRWISE_KEYS_MAX) {
		qsort(keys, count, sizeof(*keys), compare_key_pointers);
		for (size_t i = 1; i < count; i++) {
			if (compare_keys(keys[i - 1], keys[i]) == 0)
				return (true);
		}
		return (false);
	}
	for (size_t i = 1; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (compare_keys(keys[i], keys[j]) == 0)
				return (true);
		}
	}
	return (false);
}

static bool
has_duplicate_keys(struct reader *reader, const struct json_node *object)
{
	size_t count = 0;

	for (int32_t at = object->child; at >= 0; at = reader->nodes[at].next)
		reader->scratch[count++] = &reader->nodes[at];
	return (has_equal_pair(reader->scratch, count));
}

static int
on_null(void *context)
{
	return (reader_add(context, JSON_NULL, NULL, 0));
}

static int
on_boolean(void *context, int value)
{
	return (reader_add(context, value ? JSON_TRUE : JSON_FALSE, NULL, 0));
}

static int
on_number(void *context, const char *text, size_t length)
{
	return (reader_add(context, JSON_NUMBER, text, length));
}

static int
on_string(void *context, const unsigned char *text, size_t length)
{
	return (reader_add(context, JSON_STRING, text, length));
}

static int
on_key(void *context, const unsigned char *text, size_t length)
{
	struct reader *reader = context;

	reader->key = reader_keep(reader, text, length);
	reader->key_length = length;
	if (reader->key == NULL)
		return (reader_stop(reader, JSON_MALFORMED));
	return (1);
}

static int
on_object_begin(void *context)
{
	return (reader_open(context, JSON_OBJECT));
}

static int
on_object_end(void *context)
{
	struct reader *reader = context;

	reader->depth--;
	if (has_duplicate_keys(
		reader, &reader->nodes[reader->open[reader->depth]]))
		return (reader_stop(reader, JSON_MALFORMED));
	return (1);
}

static int
on_array_begin(void *context)
{
	return (reader_open(context, JSON_ARRAY));
}

static int
on_array_end(void *context)
{
	struct reader *reader = context;

	reader->depth--;
	return (1);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_map_key = on_key,
	.yajl_start_map = on_object_begin,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array_begin,
	.yajl_end_array = on_array_end,
};

/* One block for everything; false when there is no memory. */
static bool
reader_init(struct reader *reader, const struct scan *scan,
    struct json_document *document)
{
	size_t capacity = scan->nodes, size;
	struct block *block;

	if (capacity > JSON_NODES_MAX)
		capacity = JSON_NODES_MAX;
	memset(reader, 0, sizeof(*reader));
	reader->capacity = capacity;
	/* Each text is no longer than what it was read from, quotes and
	 * separator make room for its NUL; the root number has none. */
	reader->text_size = scan->length + 2;
	size = sizeof(*block) + capacity * sizeof(struct json_node) +
	    capacity * sizeof(struct json_node *) + reader->text_size;
	block = malloc(size);
	if (block == NULL)
		return (false);
	block->size = size;
	reader->nodes = (struct json_node *)(void *)(block + 1);
	reader->scratch =
	    (const struct json_node **)(void *)(reader->nodes + capacity);
	reader->text = (char *)(reader->scratch + capacity);
	document->memory = block;
	return (true);
}

static enum json_result
reader_run(struct reader *reader, const struct scan *scan)
{
	yajl_handle parser;
	yajl_status status;

	parser = yajl_alloc(&callbacks, NULL, reader);
	if (parser == NULL)
		return (JSON_NO_MEMORY);
	status = yajl_parse(parser, scan->bytes, scan->length);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(parser);
	yajl_free(parser);
	if (reader->result != JSON_OK)
		return (reader->result);
	if (status != yajl_status_ok || reader->count == 0)
		return (JSON_MALFORMED);
	return (JSON_OK);
}

enum json_result
json_parse(const char *bytes, size_t length, struct json_document *document)
{
	struct scan scan = { .bytes = (const uint8_t *)bytes,
		.length = length };
	struct reader reader;
	enum json_result result;

	memset(document, 0, sizeof(*document));
	if (bytes == NULL || length == 0 || !scan_document(&scan))
		return (JSON_MALFORMED);
	if (!reader_init(&reader, &scan, document))
		return (JSON_NO_MEMORY);
	result = reader_run(&reader, &scan);
	if (result != JSON_OK) {
		json_free(document);
		return (result);
	}
	document->nodes = reader.nodes;
	document->count = reader.count;
	return (JSON_OK);
}

void
json_free(struct json_document *document)
{
	struct block *block = document->memory;

	/* Passwords and tokens come in as JSON: wipe before the heap has it. */
	if (block != NULL)
		OPENSSL_cleanse(block, block->size);
	free(block);
	memset(document, 0, sizeof(*document));
}

const struct json_node *
json_member(const struct json_document *document,
    const struct json_node *object, const char *key)
{
	const struct json_node *node;
	size_t key_length = strlen(key);

	if (object == NULL || object->type != JSON_OBJECT)
		return (NULL);
	for (node = json_first(document, object); node != NULL;
	     node = json_next(document, node)) {
		if (node->key_length == key_length &&
		    memcmp(node->key, key, key_length) == 0)
			return (node);
	}
	return (NULL);
}

const struct json_node *
json_first(const struct json_document *document, const struct json_node *node)
{
	if (node == NULL || node->child < 0)
		return (NULL);
	return (&document->nodes[node->child]);
}

const struct json_node *
json_next(const struct json_document *document, const struct json_node *node)
{
	if (node == NULL || node->next < 0)
		return (NULL);
	return (&document->nodes[node->next]);
}

bool
json_node_integer(const struct json_node *node, int64_t lowest, int64_t highest,
    int64_t *value)
{
	int64_t result = 0;
	size_t at = 0;
	bool negative;

	if (node == NULL || node->type != JSON_NUMBER || node->length == 0)
		return (false);
	negative = node->text[0] == '-';
	if (negative)
		at = 1;
	if (at == node->length)
		return (false);
	for (; at < node->length; at++) {
		if (node->text[at] < '0' || node->text[at] > '9')
			return (false);
		/* Downwards: the lowest int64_t has no positive twin. */
		if (__builtin_mul_overflow(result, (int64_t)10, &result) ||
		    __builtin_sub_overflow(
			result, (int64_t)(node->text[at] - '0'), &result))
			return (false);
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, result, &result))
		return (false);
	if (result < lowest || result > highest)
		return (false);
	*value = result;
	return (true);
}
