/*
 * GoPay's wallet interface.
 */
#include "domain/gopay.h"

#include <stdio.h>
#include <string.h>

#include "domain/rfc3339.h"
#include "domain/wire.h"

#define FUNDING "bank_transfer"

static bool
json_post(struct provider_message *message, const char *path)
{
	return (provider_message_init(message, "POST", path) &&
	    provider_message_header(
		message, "Content-Type", "application/json"));
}

/*
 * What an answer that is no success says, all exchanges alike: a documented
 * error with a status that refuses, or nobody knows.
 */
static void
read_error(int http_status, const struct json_document *document,
    struct provider_answer *answer)
{
	char code[PROVIDER_ID_SIZE];

	provider_answer_set(answer, ANSWER_UNKNOWN, "unexpected_answer");
	if (!wire_copy_id(code, wire_text(document, document->nodes, "error")))
		return;
	memcpy(answer->code, code, sizeof(code));
	if (http_status == 401)
		answer->outcome = ANSWER_TOKEN_EXPIRED;
	else if (http_status == 429)
		answer->outcome = ANSWER_NOT_TAKEN;
	else if (wire_status_refuses(http_status))
		answer->outcome = ANSWER_REFUSED;
}

/* Parses; false when ANSWER already says all there is to say. */
static bool
open_answer(int http_status, const char *body, size_t length,
    struct json_document *document, struct provider_answer *answer)
{
	provider_answer_set(answer, ANSWER_UNKNOWN, "unreadable_answer");
	if (!wire_parse(body, length, document)) {
		/* Before anything that could act: a gate in front of them. */
		if (http_status == 429)
			provider_answer_set(
			    answer, ANSWER_NOT_TAKEN, "too_many_requests");
		return (false);
	}
	if (http_status == 200 &&
	    json_member(document, document->nodes, "error") == NULL)
		return (true);
	read_error(http_status, document, answer);
	json_free(document);
	return (false);
}

bool
gopay_token_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	struct json_writer writer;

	(void)order;
	if (account->id == NULL || account->secret == NULL ||
	    !json_post(message, "/gopay/auth/token"))
		return (false);
	json_writer_init(&writer);
	json_put_object_begin(&writer);
	json_put_member_string(&writer, "client_id", account->id);
	json_put_member_string(&writer, "client_secret", account->secret);
	json_put_member_string(&writer, "grant_type", "client_credentials");
	json_put_member_string(&writer, "scope", "payment:read payment:write");
	json_put_object_end(&writer);
	return (wire_body(message, &writer));
}

void
gopay_token_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;

	(void)order;
	if (!open_answer(http_status, body, length, &document, answer)) {
		if (answer->outcome == ANSWER_TOKEN_EXPIRED)
			answer->outcome = ANSWER_REFUSED;
		return;
	}
	if (wire_copy_token(answer->token,
		wire_text(&document, document.nodes, "access_token")) &&
	    wire_integer(json_member(&document, document.nodes, "expires_in"),
		1, PROVIDER_TOKEN_LIFE_MAX_S, &answer->token_life_s)) {
		answer->outcome = ANSWER_DONE;
		wire_copy_id(answer->code, "token");
	}
	json_free(&document);
}

bool
gopay_balance_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	char number[PROVIDER_ID_SIZE], path[PROVIDER_PATH_SIZE];
	int length;

	(void)account;
	if (order->phone == NULL ||
	    !wire_wallet_number(PROVIDER_GOPAY, order->phone, number))
		return (false);
	length = snprintf(
	    path, sizeof(path), "/gopay/wallet/balance?wallet_id=%s", number);
	return (length > 0 && (size_t)length < sizeof(path) &&
	    provider_message_init(message, "GET", path) &&
	    provider_message_bearer(message, order->token));
}

static bool
read_balance(const struct provider_order *order,
    const struct json_document *document, struct provider_answer *answer)
{
	const struct json_node *data =
	    json_member(document, document->nodes, "data");
	const char *status = wire_text(document, document->nodes, "status");
	const char *currency = wire_text(document, data, "currency");
	const char *wallet = wire_text(document, data, "wallet_id");
	const char *updated = wire_text(document, data, "last_updated");
	char number[PROVIDER_ID_SIZE];

	if (status == NULL || strcmp(status, "success") != 0 ||
	    currency == NULL || strcmp(currency, "IDR") != 0 ||
	    !wire_wallet_number(PROVIDER_GOPAY, order->phone, number) ||
	    wallet == NULL || strcmp(wallet, number) != 0 ||
	    !wire_money(
		json_member(document, data, "balance"), &answer->balance_minor))
		return (false);
	memcpy(answer->account_number, number, sizeof(number));
	if (updated == NULL ||
	    !rfc3339_parse(updated, strlen(updated), &answer->updated_us))
		answer->updated_us = 0;
	return (true);
}

void
gopay_balance_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;

	if (!open_answer(http_status, body, length, &document, answer))
		return;
	if (read_balance(order, &document, answer)) {
		answer->outcome = ANSWER_DONE;
		wire_copy_id(answer->code, "success");
	}
	json_free(&document);
}

bool
gopay_topup_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	char number[PROVIDER_ID_SIZE];
	struct json_writer writer;

	(void)account;
	if (order->phone == NULL || order->reference == NULL ||
	    strlen(order->reference) > PROVIDER_REFERENCE_MAX ||
	    provider_amount_problem(
		PROVIDER_GOPAY, true, order->amount_minor) != NULL ||
	    !wire_wallet_number(PROVIDER_GOPAY, order->phone, number) ||
	    !json_post(message, "/gopay/wallet/topup") ||
	    !provider_message_bearer(message, order->token))
		return (false);
	json_writer_init(&writer);
	json_put_object_begin(&writer);
	json_put_member_string(&writer, "wallet_id", number);
	json_put_member_money(&writer, "amount", order->amount_minor);
	json_put_member_string(&writer, "payment_method", FUNDING);
	json_put_member_string(&writer, "reference_id", order->reference);
	json_put_object_end(&writer);
	return (wire_body(message, &writer));
}

/* Done only when it names our wallet, our amount and their id of it. */
static bool
topup_succeeded(const struct provider_order *order,
    const struct json_document *document, struct provider_answer *answer)
{
	const char *status = wire_text(document, document->nodes, "status");
	const char *wallet = wire_text(document, document->nodes, "wallet_id");
	char number[PROVIDER_ID_SIZE];
	int64_t amount_minor;

	return (status != NULL && strcmp(status, "success") == 0 &&
	    wire_wallet_number(PROVIDER_GOPAY, order->phone, number) &&
	    wallet != NULL && strcmp(wallet, number) == 0 &&
	    wire_money(json_member(document, document->nodes, "amount"),
		&amount_minor) &&
	    amount_minor == order->amount_minor &&
	    wire_copy_id(answer->external_reference,
		wire_text(document, document->nodes, "transaction_id")));
}

void
gopay_topup_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;

	if (!open_answer(http_status, body, length, &document, answer))
		return;
	if (topup_succeeded(order, &document, answer)) {
		answer->outcome = ANSWER_DONE;
		wire_copy_id(answer->code, "success");
	}
	json_free(&document);
}
