/*
 * Fingerprints of request bodies: a walk over the document with a stack of
 * JSON_DEPTH_MAX levels, each level's members sorted by key.
 */
#include "domain/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "domain/money.h"

static const char *const money_names[] = { "amount", "price", "total" };

/* One open container: what is left of its children. */
struct level {
	const struct json_node *container;
	const struct json_node **children; /* within `walk.nodes` */
	size_t at;
};

struct walk {
	const struct json_document *document;
	const struct json_node **nodes; /* one place a node, levels stacked */
	size_t used;
	struct level levels[JSON_DEPTH_MAX];
	size_t depth;
	struct json_writer writer;
};

bool
idempotency_key_valid(const char *key, size_t length)
{
	if (key == NULL || length < 1 || length > IDEMPOTENCY_KEY_MAX)
		return (false);
	for (size_t i = 0; i < length; i++) {
		if (key[i] < 0x20 || key[i] > 0x7e)
			return (false);
	}
	return (true);
}

static int
compare_keys(const void *a, const void *b)
{
	const struct json_node *left = *(const struct json_node *const *)a;
	const struct json_node *right = *(const struct json_node *const *)b;
	size_t shorter = left->key_length < right->key_length
	    ? left->key_length
	    : right->key_length;
	int order = memcmp(left->key, right->key, shorter);

	if (order != 0)
		return (order);
	return ((left->key_length > right->key_length) -
	    (left->key_length < right->key_length));
}

static bool
is_money_name(const struct json_node *node)
{
	if (node->key == NULL)
		return (false);
	for (size_t i = 0; i < sizeof(money_names) / sizeof(money_names[0]);
	     i++) {
		if (strcmp(money_names[i], node->key) == 0)
			return (true);
	}
	return (false);
}

/* A number without the zeros behind its point that say nothing. */
static void
put_number(struct json_writer *writer, const struct json_node *node)
{
	size_t length = node->length;

	if (memchr(node->text, '.', length) != NULL &&
	    strpbrk(node->text, "eE") == NULL) {
		while (node->text[length - 1] == '0')
			length--;
		if (node->text[length - 1] == '.')
			length--;
	}
	json_put_raw(writer, node->text, length);
}

static void
put_scalar(struct json_writer *writer, const struct json_node *node)
{
	int64_t amount_minor;

	if ((node->type == JSON_NUMBER || node->type == JSON_STRING) &&
	    is_money_name(node) &&
	    money_parse(node->text, node->length, &amount_minor))
		json_put_money(writer, amount_minor);
	else if (node->type == JSON_NUMBER)
		put_number(writer, node);
	else if (node->type == JSON_STRING)
		json_put_string_n(writer, node->text, node->length);
	else if (node->type == JSON_NULL)
		json_put_null(writer);
	else
		json_put_bool(writer, node->type == JSON_TRUE);
}

static void
open_level(struct walk *walk, const struct json_node *container)
{
	struct level *level = &walk->levels[walk->depth++];
	const struct json_node *child;

	level->container = container;
	level->children = walk->nodes + walk->used;
	level->at = 0;
	for (child = json_first(walk->document, container); child != NULL;
	     child = json_next(walk->document, child))
		walk->nodes[walk->used++] = child;
	if (container->type == JSON_OBJECT) {
		if (container->length > 1)
			qsort(level->children, container->length,
			    sizeof(struct json_node *), compare_keys);
		json_put_object_begin(&walk->writer);
	} else {
		json_put_array_begin(&walk->writer);
	}
}

static void
close_level(struct walk *walk)
{
	struct level *level = &walk->levels[--walk->depth];

	walk->used -= level->container->length;
	if (level->container->type == JSON_OBJECT)
		json_put_object_end(&walk->writer);
	else
		json_put_array_end(&walk->writer);
}

static void
put_node(struct walk *walk, const struct json_node *node)
{
	if (node->type == JSON_OBJECT || node->type == JSON_ARRAY)
		open_level(walk, node);
	else
		put_scalar(&walk->writer, node);
}

static void
put_document(struct walk *walk)
{
	const struct json_node *node;
	struct level *level;

	put_node(walk, walk->document->nodes);
	while (walk->depth > 0) {
		level = &walk->levels[walk->depth - 1];
		if (level->at == level->container->length) {
			close_level(walk);
			continue;
		}
		node = level->children[level->at++];
		if (level->container->type == JSON_OBJECT) {
			/* A reader's key has no NUL inside. */
			json_put_key(&walk->writer, node->key);
		}
		put_node(walk, node);
	}
}

bool
fingerprint_document(const char *route, const struct json_document *document,
    uint8_t digest[FINGERPRINT_SIZE])
{
	struct walk walk = { .document = document };
	bool done;

	walk.nodes = calloc(document->count + 1, sizeof(struct json_node *));
	if (walk.nodes == NULL)
		return (false);
	json_writer_init(&walk.writer);
	json_put_array_begin(&walk.writer);
	json_put_string(&walk.writer, route);
	put_document(&walk);
	json_put_array_end(&walk.writer);
	done = !json_writer_failed(&walk.writer);
	if (done)
		digest_sha256(walk.writer.bytes, walk.writer.length, digest);
	json_writer_free(&walk.writer);
	free(walk.nodes);
	return (done);
}

bool
fingerprint_body(const char *route, const char *body, size_t length,
    uint8_t digest[FINGERPRINT_SIZE])
{
	struct json_document document;
	bool done;

	if (length == 0) {
		body = "{}";
		length = 2;
	}
	if (json_parse(body, length, &document) != JSON_OK)
		return (false);
	done = fingerprint_document(route, &document, digest);
	json_free(&document);
	return (done);
}
