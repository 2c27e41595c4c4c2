/*
 * ShopeePay's wallet interface.
 */
#include "domain/shopeepay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/money.h"
#include "domain/rfc3339.h"
#include "domain/wire.h"

#define SEN_PER_RUPIAH 100
#define FORM_TEXT_MAX 512

void
shopeepay_signature(const char *merchant_id, const char *api_key,
    int64_t unix_s, char text[DIGEST_SHA256_HEX_SIZE])
{
	char input[FORM_TEXT_MAX];
	int length;

	length =
	    snprintf(input, sizeof(input), "%s%" PRId64, merchant_id, unix_s);
	if (length < 0 || (size_t)length >= sizeof(input))
		length = 0;
	digest_hmac_sha256_hex(
	    api_key, strlen(api_key), input, (size_t)length, text);
}

static bool
json_post(struct provider_message *message, const char *path, const char *token)
{
	return (provider_message_init(message, "POST", path) &&
	    provider_message_header(
		message, "Content-Type", "application/json") &&
	    provider_message_bearer(message, token));
}

/* Percent-encodes TEXT for a form; false when it does not fit. */
static bool
form_encode(const char *text, char *out, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t at = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
		if (size - at < 4)
			return (false);
		if (plain) {
			out[at++] = (char)c;
			continue;
		}
		out[at++] = '%';
		out[at++] = digits[c >> 4];
		out[at++] = digits[c & 15];
	}
	out[at] = '\0';
	return (true);
}

bool
shopeepay_token_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	char signature[DIGEST_SHA256_HEX_SIZE];
	char merchant[FORM_TEXT_MAX], key[FORM_TEXT_MAX];
	int length;

	if (account->id == NULL || account->secret == NULL ||
	    !form_encode(account->id, merchant, sizeof(merchant)) ||
	    !form_encode(account->secret, key, sizeof(key)) ||
	    !provider_message_init(
		message, "POST", "/shopeepay/authentication") ||
	    !provider_message_header(
		message, "Content-Type", "application/x-www-form-urlencoded"))
		return (false);
	shopeepay_signature(
	    account->id, account->secret, order->now_s, signature);
	length = snprintf(message->body, sizeof(message->body),
	    "merchant_id=%s&api_key=%s&signature=%s&timestamp=%" PRId64,
	    merchant, key, signature, order->now_s);
	if (length < 0 || (size_t)length >= sizeof(message->body))
		return (false);
	message->body_length = (size_t)length;
	return (true);
}

/* What an answer that is no success says: {success:false, error_code}. */
static void
read_error(int http_status, const struct json_document *document,
    struct provider_answer *answer)
{
	const struct json_node *success =
	    json_member(document, document->nodes, "success");
	char code[PROVIDER_ID_SIZE];

	provider_answer_set(answer, ANSWER_UNKNOWN, "unexpected_answer");
	if (!wire_copy_id(
		code, wire_text(document, document->nodes, "error_code")))
		return;
	memcpy(answer->code, code, sizeof(code));
	if (success == NULL || success->type != JSON_FALSE)
		return;
	if (http_status == 401)
		answer->outcome = ANSWER_TOKEN_EXPIRED;
	else if (http_status == 429)
		answer->outcome = ANSWER_NOT_TAKEN;
	else if (wire_status_refuses(http_status))
		answer->outcome = ANSWER_REFUSED;
}

static bool
open_answer(int http_status, const char *body, size_t length,
    struct json_document *document, struct provider_answer *answer)
{
	provider_answer_set(answer, ANSWER_UNKNOWN, "unreadable_answer");
	if (!wire_parse(body, length, document)) {
		if (http_status == 429)
			provider_answer_set(
			    answer, ANSWER_NOT_TAKEN, "too_many_requests");
		return (false);
	}
	if (http_status == 200 &&
	    json_member(document, document->nodes, "error_code") == NULL)
		return (true);
	read_error(http_status, document, answer);
	json_free(document);
	return (false);
}

void
shopeepay_token_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	const struct json_node *success;
	struct json_document document;
	int64_t valid_until_s;

	if (!open_answer(http_status, body, length, &document, answer)) {
		if (answer->outcome == ANSWER_TOKEN_EXPIRED)
			answer->outcome = ANSWER_REFUSED;
		return;
	}
	success = json_member(&document, document.nodes, "success");
	if (success != NULL && success->type == JSON_TRUE &&
	    wire_copy_token(
		answer->token, wire_text(&document, document.nodes, "token")) &&
	    wire_integer(json_member(&document, document.nodes, "valid_until"),
		order->now_s + 1, order->now_s + PROVIDER_TOKEN_LIFE_MAX_S,
		&valid_until_s)) {
		answer->token_life_s = valid_until_s - order->now_s;
		answer->outcome = ANSWER_DONE;
		wire_copy_id(answer->code, "token");
	}
	json_free(&document);
}

/* Starts a body with the user and our reference; false when it cannot. */
static bool
begin_body(struct json_writer *writer, const struct provider_order *order)
{
	char number[PROVIDER_ID_SIZE];

	json_writer_init(writer);
	if (order->phone == NULL || order->reference == NULL ||
	    strlen(order->reference) > PROVIDER_REFERENCE_MAX ||
	    !wire_wallet_number(PROVIDER_SHOPEEPAY, order->phone, number))
		return (false);
	json_put_object_begin(writer);
	json_put_member_string(writer, "user_id", number);
	json_put_member_string(writer, "request_id", order->reference);
	return (true);
}

bool
shopeepay_balance_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	struct json_writer writer;

	(void)account;
	if (!json_post(message, "/shopeepay/account/balance", order->token) ||
	    !begin_body(&writer, order))
		return (false);
	json_put_object_end(&writer);
	return (wire_body(message, &writer));
}

/* Whether the answer says SUCCESS and is about our request. */
static bool
is_ours(
    const struct provider_order *order, const struct json_document *document)
{
	const char *result = wire_text(document, document->nodes, "result");
	const char *request =
	    wire_text(document, document->nodes, "request_id");

	return (result != NULL && strcmp(result, "SUCCESS") == 0 &&
	    request != NULL && strcmp(request, order->reference) == 0);
}

static bool
is_our_user(const struct provider_order *order,
    const struct json_document *document, const struct json_node *node)
{
	const char *user = wire_text(document, node, "user_id");
	char number[PROVIDER_ID_SIZE];

	return (user != NULL &&
	    wire_wallet_number(PROVIDER_SHOPEEPAY, order->phone, number) &&
	    strcmp(user, number) == 0);
}

static bool
read_rupiah(const struct json_node *node, int64_t *amount_minor)
{
	int64_t rupiah;

	if (!json_node_integer(
		node, 0, MONEY_MAX_MINOR / SEN_PER_RUPIAH, &rupiah))
		return (false);
	*amount_minor = rupiah * SEN_PER_RUPIAH;
	return (true);
}

static bool
read_balance(const struct provider_order *order,
    const struct json_document *document, struct provider_answer *answer)
{
	const struct json_node *info =
	    json_member(document, document->nodes, "balance_info");
	const char *currency = wire_text(document, info, "currency_code");
	const char *updated =
	    wire_text(document, info, "last_transaction_date");

	if (!is_ours(order, document) || !is_our_user(order, document, info) ||
	    currency == NULL || strcmp(currency, "IDR") != 0 ||
	    !read_rupiah(json_member(document, info, "available_balance"),
		&answer->balance_minor) ||
	    !wire_copy_id(
		answer->account_number, wire_text(document, info, "user_id")))
		return (false);
	if (updated == NULL ||
	    !rfc3339_parse(updated, strlen(updated), &answer->updated_us))
		answer->updated_us = 0;
	return (true);
}

void
shopeepay_balance_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;

	if (!open_answer(http_status, body, length, &document, answer))
		return;
	if (read_balance(order, &document, answer)) {
		answer->outcome = ANSWER_DONE;
		wire_copy_id(answer->code, "SUCCESS");
	}
	json_free(&document);
}

bool
shopeepay_topup_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	struct json_writer writer;

	if (provider_amount_problem(
		PROVIDER_SHOPEEPAY, true, order->amount_minor) != NULL ||
	    account->id == NULL ||
	    !json_post(message, "/shopeepay/wallet/topup", order->token) ||
	    !begin_body(&writer, order))
		return (false);
	json_put_member_int(
	    &writer, "topup_amount", order->amount_minor / SEN_PER_RUPIAH);
	json_put_member_string(&writer, "source_type", SHOPEEPAY_SOURCE_TYPE);
	json_put_key(&writer, "source_details");
	json_put_object_begin(&writer);
	json_put_member_string(&writer, "bank_code",
	    account->source_bank_code != NULL ? account->source_bank_code
					      : SHOPEEPAY_SOURCE_BANK_CODE);
	json_put_member_string(&writer, "account_number",
	    account->source_account != NULL ? account->source_account
					    : account->id);
	json_put_object_end(&writer);
	json_put_object_end(&writer);
	return (wire_body(message, &writer));
}

static const struct {
	const char *status;
	enum provider_outcome outcome;
} topup_statuses[] = {
	{ "SUCCESS", ANSWER_DONE },
	{ "PENDING", ANSWER_PENDING },
	{ "PROCESSING", ANSWER_PENDING },
	{ "FAILED", ANSWER_REFUSED },
};

static void
read_topup(const struct provider_order *order,
    const struct json_document *document, struct provider_answer *answer)
{
	const struct json_node *details =
	    json_member(document, document->nodes, "topup_details");
	const char *status = wire_text(document, details, "status");
	int64_t amount_minor;

	if (!is_ours(order, document) ||
	    !is_our_user(order, document, details) ||
	    !read_rupiah(
		json_member(document, details, "amount"), &amount_minor) ||
	    amount_minor != order->amount_minor || status == NULL ||
	    !wire_copy_id(answer->external_reference,
		wire_text(document, details, "transaction_id")))
		return;
	for (size_t i = 0;
	     i < sizeof(topup_statuses) / sizeof(topup_statuses[0]); i++) {
		if (strcmp(topup_statuses[i].status, status) == 0) {
			answer->outcome = topup_statuses[i].outcome;
			wire_copy_id(answer->code, status);
		}
	}
}

void
shopeepay_topup_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;

	if (!open_answer(http_status, body, length, &document, answer))
		return;
	read_topup(order, &document, answer);
	json_free(&document);
}
