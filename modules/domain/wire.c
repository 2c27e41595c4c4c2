/*
 * Shared parts of the provider adapters.
 */
#include "domain/wire.h"

#include <stdio.h>
#include <string.h>

#include "domain/money.h"

bool
wire_body(struct provider_message *message, struct json_writer *writer)
{
	bool fits = !json_writer_failed(writer) &&
	    writer->length < sizeof(message->body);

	if (fits) {
		memcpy(message->body, writer->bytes, writer->length);
		message->body[writer->length] = '\0';
		message->body_length = writer->length;
	}
	json_writer_free(writer);
	return (fits);
}

bool
wire_wallet_number(
    enum provider provider, const char *phone, char number[PROVIDER_ID_SIZE])
{
	int length = snprintf(number, PROVIDER_ID_SIZE, "%s%s",
	    provider_info(provider)->wallet_prefix, phone);

	return (length > 0 && length < PROVIDER_ID_SIZE);
}

bool
wire_parse(const char *body, size_t length, struct json_document *document)
{
	if (body == NULL || length > PROVIDER_ANSWER_MAX ||
	    json_parse(body, length, document) != JSON_OK)
		return (false);
	if (document->nodes->type == JSON_OBJECT)
		return (true);
	json_free(document);
	return (false);
}

const char *
wire_text(const struct json_document *document, const struct json_node *node,
    const char *name)
{
	const struct json_node *member = json_member(document, node, name);

	if (member == NULL || member->type != JSON_STRING)
		return (NULL);
	return (member->text);
}

static bool
copy_printable(char *out, size_t size, const char *text)
{
	size_t length;

	if (text == NULL)
		return (false);
	length = strlen(text);
	if (length < 1 || length >= size)
		return (false);
	for (size_t i = 0; i < length; i++) {
		if (text[i] < 0x21 || text[i] > 0x7e)
			return (false);
	}
	memcpy(out, text, length + 1);
	return (true);
}

bool
wire_copy_id(char out[PROVIDER_ID_SIZE], const char *text)
{
	return (copy_printable(out, PROVIDER_ID_SIZE, text));
}

bool
wire_copy_token(char out[PROVIDER_TOKEN_SIZE], const char *text)
{
	return (copy_printable(out, PROVIDER_TOKEN_SIZE, text));
}

bool
wire_money(const struct json_node *node, int64_t *amount_minor)
{
	if (node == NULL ||
	    (node->type != JSON_NUMBER && node->type != JSON_STRING))
		return (false);
	if (strcmp(node->text, "0") == 0 || strcmp(node->text, "0.0") == 0 ||
	    strcmp(node->text, "0.00") == 0) {
		*amount_minor = 0;
		return (true);
	}
	return (money_parse(node->text, node->length, amount_minor));
}

bool
wire_integer(const struct json_node *node, int64_t lowest, int64_t highest,
    int64_t *value)
{
	struct json_node number;

	if (node == NULL)
		return (false);
	number = *node;
	if (number.type == JSON_STRING && number.length > 0 &&
	    number.text[0] != '-')
		number.type = JSON_NUMBER;
	return (json_node_integer(&number, lowest, highest, value));
}

bool
wire_status_refuses(int http_status)
{
	static const int refusals[] = { 400, 402, 403, 404, 405, 406, 413, 415,
		422 };

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i] == http_status)
			return (true);
	}
	return (false);
}
