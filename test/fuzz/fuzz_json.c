/* Reader, writer and fingerprint: what is read can be written and read. */
#include "fuzz.h"

#include <string.h>

#include "domain/fingerprint.h"
#include "domain/json.h"
#include "domain/utf8.h"

const char *const fuzz_seeds[] = { "{\"a\":[1,-2.50,\"x\\u00e9\\ud83d\\ude00\","
				   "null,true,{}],\"b\":{\"c\":[]}}",
	"{\"amount\":\"150000.00\",\"to\":\"budi\",\"description\":"
	"\"\xc3\xa9\"}",
	"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
	"{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,"
	"\"i\":9}",
	"12.50e-3", "\"\"", NULL };

const char *const fuzz_words[] = { "\"a\":", "\\u0000", "\\ud800", "\\udc00",
	"null", "1e9", "-0", "{", "}", "[", "]", ",", "//", "NaN",
	"\xed\xa0\x80", "\xc0\xaf", NULL };

static void
check_tree(const struct json_document *document)
{
	for (size_t i = 0; i < document->count; i++) {
		const struct json_node *node = &document->nodes[i];
		size_t children = 0;

		if (node->key != NULL)
			PROMISE(strlen(node->key) == node->key_length &&
			    utf8_valid(node->key, node->key_length));
		if (node->type == JSON_STRING || node->type == JSON_NUMBER) {
			PROMISE(strlen(node->text) == node->length);
			PROMISE(utf8_valid(node->text, node->length));
			continue;
		}
		for (const struct json_node *child = json_first(document, node);
		     child != NULL; child = json_next(document, child))
			children++;
		PROMISE(children == node->length);
	}
}

static void
check_writer(const uint8_t *data, size_t size)
{
	struct json_document document;
	struct json_writer writer;

	json_writer_init(&writer);
	json_put_string_n(&writer, (const char *)data, size);
	PROMISE(!json_writer_failed(&writer));
	/* A NUL in the text is written as \u0000, which no reader of ours
	 * takes. */
	if (memchr(data, 0, size) == NULL)
		PROMISE(json_parse(writer.bytes, writer.length, &document) ==
		    JSON_OK);
	else
		PROMISE(json_parse(writer.bytes, writer.length, &document) !=
		    JSON_OK);
	json_free(&document);
	json_writer_free(&writer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first[FINGERPRINT_SIZE], second[FINGERPRINT_SIZE];
	struct json_document document;

	check_writer(data, size);
	if (json_parse((const char *)data, size, &document) != JSON_OK)
		return (0);
	check_tree(&document);
	PROMISE(fingerprint_document("r", &document, first));
	PROMISE(fingerprint_body("r", (const char *)data, size, second));
	PROMISE(memcmp(first, second, sizeof(first)) == 0);
	json_free(&document);
	return (0);
}
