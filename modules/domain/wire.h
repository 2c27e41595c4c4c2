/*
 * What the provider adapters share inside the core: JSON bodies that are
 * built in a writer and land in a message, and answers that are taken apart
 * without believing anything.
 */
#ifndef ONEGATE_DOMAIN_WIRE_H
#define ONEGATE_DOMAIN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/json.h"
#include "domain/provider.h"

/* Moves what WRITER holds into MESSAGE's body and frees WRITER; false when it
 * failed or does not fit. */
bool wire_body(struct provider_message *message, struct json_writer *writer);

/* The wallet's number of a phone: prefix and phone; false when too long. */
bool wire_wallet_number(
    enum provider provider, const char *phone, char number[PROVIDER_ID_SIZE]);

/* Reads BODY when it is a JSON object of at most PROVIDER_ANSWER_MAX bytes;
 * on true the caller frees DOCUMENT. */
bool wire_parse(
    const char *body, size_t length, struct json_document *document);

/* The member NAME of NODE as text, or NULL when it is not there or no
 * string. */
const char *wire_text(const struct json_document *document,
    const struct json_node *node, const char *name);

/* Copies TEXT when it is 1 to PROVIDER_ID_MAX printable ASCII characters. */
bool wire_copy_id(char out[PROVIDER_ID_SIZE], const char *text);

/* As wire_copy_id for a bearer token of 1 to PROVIDER_TOKEN_MAX. */
bool wire_copy_token(char out[PROVIDER_TOKEN_SIZE], const char *text);

/* The amount, zero too, in a number or string of at most two decimals. */
bool wire_money(const struct json_node *node, int64_t *amount_minor);

/* A whole number from a number or a string of digits, within bounds. */
bool wire_integer(const struct json_node *node, int64_t lowest, int64_t highest,
    int64_t *value);

/* Whether HTTP_STATUS plainly says "not acted on": 400 402 403 404 405
 * 406 413 415 422. */
bool wire_status_refuses(int http_status);

#endif
