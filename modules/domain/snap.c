/*
 * SNAP direct debit.
 */
#include "domain/snap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/base64.h"
#include "domain/digest.h"
#include "domain/hex.h"
#include "domain/money.h"
#include "domain/rfc3339.h"
#include "domain/wire.h"

#define CHANNEL_ID "95221"
#define TOKEN_PATH "/v1.0/access-token/b2b"
#define PAY_PATH "/v1.0/debit/payment-host-to-host"
#define STATUS_PATH "/v1.0/debit/status"
#define CANCEL_PATH "/v1.0/debit/cancel"
#define REFUND_PATH "/v1.0/debit/refund"
#define CODE_LENGTH 7
#define SIGNED_TEXT_SIZE 3072
#define REASON_DEFAULT "refund"

/*
 * Signatures
 */

bool
snap_signature(const char *secret, const char *method, const char *path,
    const char *token, const char *body, size_t length, const char *timestamp,
    char text[SNAP_SIGNATURE_SIZE])
{
	char signed_text[SIGNED_TEXT_SIZE], hash[DIGEST_SHA256_HEX_SIZE];
	uint8_t digest[DIGEST_SHA512_SIZE];
	int signed_length;

	digest_sha256_hex(body, length, hash);
	signed_length = snprintf(signed_text, sizeof(signed_text),
	    "%s:%s:%s:%s:%s", method, path, token, hash, timestamp);
	if (signed_length < 0 || (size_t)signed_length >= sizeof(signed_text))
		return (false);
	digest_hmac_sha512(
	    secret, strlen(secret), signed_text, (size_t)signed_length, digest);
	base64_encode(digest, sizeof(digest), text);
	return (true);
}

bool
snap_token_signature(EVP_PKEY *key, const char *client_id,
    const char *timestamp, char text[SNAP_SIGNATURE_SIZE])
{
	uint8_t signature[SNAP_SIGNATURE_MAX];
	size_t length = sizeof(signature);
	char input[PROVIDER_PATH_SIZE];
	EVP_MD_CTX *context;
	int input_length;
	bool done;

	input_length =
	    snprintf(input, sizeof(input), "%s|%s", client_id, timestamp);
	if (input_length < 0 || (size_t)input_length >= sizeof(input) ||
	    key == NULL || !EVP_PKEY_is_a(key, "RSA") ||
	    EVP_PKEY_get_size(key) > SNAP_SIGNATURE_MAX)
		return (false);
	context = EVP_MD_CTX_new();
	if (context == NULL)
		return (false);
	done =
	    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(context, signature, &length, (const uint8_t *)input,
		(size_t)input_length) == 1;
	EVP_MD_CTX_free(context);
	if (done)
		base64_encode(signature, length, text);
	return (done);
}

bool
snap_notice_verify(EVP_PKEY *key, const char *method, const char *path,
    const char *body, size_t length, const char *timestamp,
    const char *signature)
{
	char signed_text[SIGNED_TEXT_SIZE], hash[DIGEST_SHA256_HEX_SIZE];
	uint8_t bytes[SNAP_SIGNATURE_MAX];
	size_t bytes_length;
	EVP_MD_CTX *context;
	int signed_length;
	bool valid;

	if (key == NULL || !EVP_PKEY_is_a(key, "RSA") || timestamp == NULL ||
	    signature == NULL ||
	    !base64_decode(signature, strlen(signature), bytes, sizeof(bytes),
		&bytes_length))
		return (false);
	digest_sha256_hex(body, length, hash);
	signed_length = snprintf(signed_text, sizeof(signed_text),
	    "%s:%s:%s:%s", method, path, hash, timestamp);
	if (signed_length < 0 || (size_t)signed_length >= sizeof(signed_text))
		return (false);
	context = EVP_MD_CTX_new();
	if (context == NULL)
		return (false);
	valid =
	    EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(context, bytes, bytes_length,
		(const uint8_t *)signed_text, (size_t)signed_length) == 1;
	EVP_MD_CTX_free(context);
	return (valid);
}

bool
snap_notice_timely(const char *timestamp, int64_t now_s)
{
	int64_t unix_us, age_s;

	if (timestamp == NULL ||
	    !rfc3339_parse(timestamp, strlen(timestamp), &unix_us))
		return (false);
	age_s = now_s - unix_us / RFC3339_US_PER_S;
	return (
	    age_s >= -SNAP_NOTICE_WINDOW_S && age_s <= SNAP_NOTICE_WINDOW_S);
}

/*
 * Requests
 */

bool
snap_token_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	static const char body[] = "{\"grantType\":\"client_credentials\"}";
	char timestamp[RFC3339_SIZE], signature[SNAP_SIGNATURE_SIZE];

	rfc3339_format_jakarta(order->now_s, timestamp);
	if (account->snap_id == NULL ||
	    !snap_token_signature(
		account->snap_key, account->snap_id, timestamp, signature) ||
	    !provider_message_init(message, "POST", TOKEN_PATH) ||
	    !provider_message_header(
		message, "Content-Type", "application/json") ||
	    !provider_message_header(message, "X-TIMESTAMP", timestamp) ||
	    !provider_message_header(
		message, "X-CLIENT-KEY", account->snap_id) ||
	    !provider_message_header(message, "X-SIGNATURE", signature))
		return (false);
	memcpy(message->body, body, sizeof(body));
	message->body_length = sizeof(body) - 1;
	return (true);
}

/* Adds what every call carries, once the body stands: it is signed. */
static bool
finish_call(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	char timestamp[RFC3339_SIZE], signature[SNAP_SIGNATURE_SIZE];

	if (account->snap_id == NULL || account->snap_secret == NULL ||
	    order->token == NULL)
		return (false);
	rfc3339_format_jakarta(order->now_s, timestamp);
	return (snap_signature(account->snap_secret, message->method,
		    message->path, order->token, message->body,
		    message->body_length, timestamp, signature) &&
	    provider_message_header(
		message, "Content-Type", "application/json") &&
	    provider_message_bearer(message, order->token) &&
	    provider_message_header(message, "X-TIMESTAMP", timestamp) &&
	    provider_message_header(message, "X-SIGNATURE", signature) &&
	    provider_message_header(
		message, "X-PARTNER-ID", account->snap_id) &&
	    provider_message_header(
		message, "X-EXTERNAL-ID", order->external_id) &&
	    provider_message_header(message, "CHANNEL-ID", CHANNEL_ID));
}

static bool
reference_fits(const char *reference)
{
	return (reference != NULL && reference[0] != '\0' &&
	    strlen(reference) <= PROVIDER_REFERENCE_MAX);
}

static void
put_amount(struct json_writer *writer, const char *name, int64_t amount_minor)
{
	char text[MONEY_TEXT_SIZE];

	money_format(amount_minor, text);
	json_put_key(writer, name);
	json_put_object_begin(writer);
	json_put_member_string(writer, "value", text);
	json_put_member_string(writer, "currency", "IDR");
	json_put_object_end(writer);
}

/* The body of a repeat must be the same byte for byte: no time in it. */
bool
snap_charge_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	struct json_writer writer;

	if (!reference_fits(order->reference) || order->phone == NULL ||
	    order->amount_minor <= 0 ||
	    !provider_message_init(message, "POST", PAY_PATH))
		return (false);
	json_writer_init(&writer);
	json_put_object_begin(&writer);
	json_put_member_string(&writer, "partnerReferenceNo", order->reference);
	put_amount(&writer, "amount", order->amount_minor);
	json_put_key(&writer, "additionalInfo");
	json_put_object_begin(&writer);
	json_put_member_string(&writer, "phoneNo", order->phone);
	json_put_object_end(&writer);
	json_put_object_end(&writer);
	return (wire_body(message, &writer) &&
	    finish_call(account, order, message));
}

/* Starts a call about a charge that was made before. */
static bool
begin_about(const struct provider_order *order, const char *path,
    struct provider_message *message, struct json_writer *writer)
{
	json_writer_init(writer);
	if (!reference_fits(order->reference) ||
	    !provider_message_init(message, "POST", path))
		return (false);
	json_put_object_begin(writer);
	json_put_member_string(
	    writer, "originalPartnerReferenceNo", order->reference);
	return (true);
}

bool
snap_status_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	struct json_writer writer;

	if (!begin_about(order, STATUS_PATH, message, &writer))
		return (false);
	json_put_member_string(&writer, "serviceCode", "54");
	json_put_object_end(&writer);
	return (wire_body(message, &writer) &&
	    finish_call(account, order, message));
}

bool
snap_cancel_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	struct json_writer writer;

	if (!begin_about(order, CANCEL_PATH, message, &writer))
		return (false);
	json_put_object_end(&writer);
	return (wire_body(message, &writer) &&
	    finish_call(account, order, message));
}

bool
snap_refund_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message)
{
	struct json_writer writer;

	if (!reference_fits(order->refund_reference) ||
	    order->amount_minor <= 0 ||
	    !begin_about(order, REFUND_PATH, message, &writer))
		return (false);
	json_put_member_string(
	    &writer, "partnerRefundNo", order->refund_reference);
	put_amount(&writer, "refundAmount", order->amount_minor);
	json_put_member_string(&writer, "reason",
	    order->reason != NULL ? order->reason : REASON_DEFAULT);
	json_put_object_end(&writer);
	return (wire_body(message, &writer) &&
	    finish_call(account, order, message));
}

/*
 * Answers
 */

/*
 * What the cases of each service mean, the first row that fits. Service NULL:
 * every service; case NULL: every case. What no row fits is UNKNOWN.
 */
static const struct {
	const char *status;
	const char *service;
	const char *case_code;
	enum provider_outcome outcome;
} meanings[] = {
	{ "200", NULL, "00", ANSWER_DONE },
	{ "202", "54", "00", ANSWER_PENDING },
	{ "202", "57", "00", ANSWER_PENDING },
	{ "202", "58", "00", ANSWER_PENDING },
	{ "401", "73", NULL, ANSWER_REFUSED },
	{ "401", NULL, "01", ANSWER_TOKEN_EXPIRED },
	{ "401", NULL, "03", ANSWER_TOKEN_EXPIRED },
	{ "401", NULL, NULL, ANSWER_NOT_TAKEN },
	{ "409", NULL, "00", ANSWER_NOT_TAKEN },
	{ "429", NULL, NULL, ANSWER_NOT_TAKEN },
	{ "404", NULL, "18", ANSWER_UNKNOWN }, /* our reference, other body */
	{ "404", "54", "00", ANSWER_CANCELLED }, /* repeat of a cancelled one */
	{ "404", "55", "01", ANSWER_NOT_FOUND },
	{ "404", "57", "01", ANSWER_NOT_FOUND },
	{ "404", "58", "01", ANSWER_NOT_FOUND },
	{ "400", NULL, NULL, ANSWER_REFUSED },
	{ "402", NULL, NULL, ANSWER_REFUSED },
	{ "403", NULL, NULL, ANSWER_REFUSED },
	{ "404", NULL, NULL, ANSWER_REFUSED },
	{ "405", NULL, NULL, ANSWER_REFUSED },
};

/* What latestTransactionStatus means for the charge. */
static const struct {
	const char *status;
	enum provider_outcome outcome;
} transaction_statuses[] = {
	{ "00", ANSWER_DONE },
	{ "01", ANSWER_PENDING },
	{ "02", ANSWER_PENDING },
	{ "03", ANSWER_PENDING },
	{ "04", ANSWER_CANCELLED }, /* the money went back */
	{ "05", ANSWER_CANCELLED },
	{ "06", ANSWER_REFUSED },
	{ "07", ANSWER_NOT_FOUND },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Three parts of a response code: HTTP status, service, case. */
static enum provider_outcome
meaning_of(const char *code)
{
	for (size_t i = 0; i < COUNT(meanings); i++) {
		if (memcmp(meanings[i].status, code, 3) == 0 &&
		    (meanings[i].service == NULL ||
			memcmp(meanings[i].service, code + 3, 2) == 0) &&
		    (meanings[i].case_code == NULL ||
			memcmp(meanings[i].case_code, code + 5, 2) == 0))
			return (meanings[i].outcome);
	}
	return (ANSWER_UNKNOWN);
}

static bool
outcome_of_status(const char *status, enum provider_outcome *outcome)
{
	for (size_t i = 0; i < COUNT(transaction_statuses); i++) {
		if (strcmp(transaction_statuses[i].status, status) == 0) {
			*outcome = transaction_statuses[i].outcome;
			return (true);
		}
	}
	return (false);
}

/* Whether CODE is seven digits that repeat the HTTP status and name SERVICE:
 * an error inside a 200 does not. */
static bool
code_fits(const char *code, int http_status, const char *service)
{
	char status[CODE_LENGTH + 1];

	if (code == NULL || strlen(code) != CODE_LENGTH ||
	    strspn(code, "0123456789") != CODE_LENGTH)
		return (false);
	if (http_status < 100 || http_status > 599)
		return (false);
	snprintf(status, sizeof(status), "%d", http_status);
	return (
	    memcmp(code, status, 3) == 0 && memcmp(code + 3, service, 2) == 0);
}

/* Parses and judges the code; true when DOCUMENT is there for more. */
static bool
open_answer(int http_status, const char *service, const char *body,
    size_t length, struct json_document *document,
    struct provider_answer *answer)
{
	const char *code;

	provider_answer_set(answer, ANSWER_UNKNOWN, "unreadable_answer");
	if (!wire_parse(body, length, document)) {
		if (http_status == 429)
			provider_answer_set(
			    answer, ANSWER_NOT_TAKEN, "too_many_requests");
		return (false);
	}
	code = wire_text(document, document->nodes, "responseCode");
	if (!code_fits(code, http_status, service)) {
		provider_answer_set(
		    answer, ANSWER_UNKNOWN, "unexpected_answer");
		json_free(document);
		return (false);
	}
	provider_answer_set(answer, meaning_of(code), code);
	answer->insufficient_funds = answer->outcome == ANSWER_REFUSED &&
	    strcmp(code + 3, "5414") == 0 && http_status == 403;
	return (true);
}

static void
make_unknown(struct provider_answer *answer)
{
	provider_answer_set(answer, ANSWER_UNKNOWN, "unexpected_answer");
}

void
snap_token_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;

	(void)order;
	if (!open_answer(http_status, "73", body, length, &document, answer))
		return;
	if (answer->outcome == ANSWER_DONE &&
	    (!wire_copy_token(answer->token,
		 wire_text(&document, document.nodes, "accessToken")) ||
		!wire_integer(
		    json_member(&document, document.nodes, "expiresIn"), 1,
		    PROVIDER_TOKEN_LIFE_MAX_S, &answer->token_life_s)))
		make_unknown(answer);
	json_free(&document);
}

/* A member that, when it is there, must be WANTED. */
static bool
agrees(
    const struct json_document *document, const char *name, const char *wanted)
{
	const struct json_node *node =
	    json_member(document, document->nodes, name);

	return (node == NULL ||
	    (node->type == JSON_STRING && strcmp(node->text, wanted) == 0));
}

/* Pay, cancel and refund: the code says it, their number comes along. */
static void
read_acted(const struct provider_order *order, int http_status,
    const char *service, const char *reference_name, const char *number_name,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;
	char number[PROVIDER_ID_SIZE];

	if (!open_answer(http_status, service, body, length, &document, answer))
		return;
	if ((answer->outcome == ANSWER_DONE ||
		answer->outcome == ANSWER_PENDING)) {
		if (!agrees(&document, reference_name, order->reference))
			make_unknown(answer);
		else if (wire_copy_id(number,
			     wire_text(&document, document.nodes, number_name)))
			memcpy(
			    answer->external_reference, number, sizeof(number));
	}
	json_free(&document);
}

void
snap_charge_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	read_acted(order, http_status, "54", "partnerReferenceNo",
	    "referenceNo", body, length, answer);
}

void
snap_cancel_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	read_acted(order, http_status, "57", "originalPartnerReferenceNo",
	    "originalReferenceNo", body, length, answer);
}

void
snap_refund_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	read_acted(order, http_status, "58", "originalPartnerReferenceNo",
	    "refundNo", body, length, answer);
}

/* The amount {value, currency IDR} under NAME. */
static bool
read_amount(const struct json_document *document, const char *name,
    int64_t *amount_minor)
{
	const struct json_node *amount =
	    json_member(document, document->nodes, name);
	const char *value = wire_text(document, amount, "value");
	const char *currency = wire_text(document, amount, "currency");

	return (value != NULL && currency != NULL &&
	    strcmp(currency, "IDR") == 0 &&
	    money_parse(value, strlen(value), amount_minor));
}

/* The status of the charge, when the answer is about it and its amount. */
static void
read_status(const struct provider_order *order,
    const struct json_document *document, struct provider_answer *answer)
{
	const char *status =
	    wire_text(document, document->nodes, "latestTransactionStatus");
	const char *amount_name =
	    json_member(document, document->nodes, "transAmount") != NULL
	    ? "transAmount"
	    : "amount";
	char number[PROVIDER_ID_SIZE];
	int64_t amount_minor;

	if (status == NULL ||
	    !agrees(document, "originalPartnerReferenceNo", order->reference) ||
	    !outcome_of_status(status, &answer->outcome)) {
		make_unknown(answer);
		return;
	}
	if (order->amount_minor > 0 && answer->outcome == ANSWER_DONE &&
	    (!read_amount(document, amount_name, &amount_minor) ||
		amount_minor != order->amount_minor)) {
		make_unknown(answer);
		return;
	}
	wire_copy_id(answer->code, status);
	if (wire_copy_id(number,
		wire_text(document, document->nodes, "originalReferenceNo")))
		memcpy(answer->external_reference, number, sizeof(number));
}

void
snap_status_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer)
{
	struct json_document document;

	if (!open_answer(http_status, "55", body, length, &document, answer))
		return;
	if (answer->outcome == ANSWER_DONE)
		read_status(order, &document, answer);
	else if (answer->outcome == ANSWER_REFUSED)
		/* The question was refused, not the charge. */
		answer->outcome = ANSWER_UNKNOWN;
	json_free(&document);
}

/*
 * Notifications
 */

static enum snap_notice_result
read_notice(const struct json_document *document, struct snap_notice *notice)
{
	const struct json_node *root = document->nodes;
	const char *status, *number;

	if (json_member(document, root, "originalPartnerReferenceNo") == NULL ||
	    json_member(document, root, "latestTransactionStatus") == NULL ||
	    json_member(document, root, "amount") == NULL)
		return (SNAP_NOTICE_MISSING);
	if (!wire_copy_id(notice->reference,
		wire_text(document, root, "originalPartnerReferenceNo")))
		return (SNAP_NOTICE_BAD_FIELD);
	status = wire_text(document, root, "latestTransactionStatus");
	if (status == NULL || !outcome_of_status(status, &notice->outcome))
		return (SNAP_NOTICE_BAD_FIELD);
	memcpy(notice->status, status, sizeof(notice->status));
	if (!read_amount(document, "amount", &notice->amount_minor))
		return (SNAP_NOTICE_BAD_FIELD);
	number = wire_text(document, root, "originalReferenceNo");
	if (number != NULL && number[0] != '\0' &&
	    !wire_copy_id(notice->external_reference, number))
		return (SNAP_NOTICE_BAD_FIELD);
	return (SNAP_NOTICE_OK);
}

enum snap_notice_result
snap_notice_read(const char *body, size_t length, struct snap_notice *notice)
{
	struct json_document document;
	enum snap_notice_result result;

	memset(notice, 0, sizeof(*notice));
	if (length > SNAP_NOTICE_BODY_MAX ||
	    !wire_parse(body, length, &document))
		return (SNAP_NOTICE_UNREADABLE);
	result = read_notice(&document, notice);
	json_free(&document);
	return (result);
}

static const struct {
	int status;
	const char *code;
	const char *message;
} replies[SNAP_REPLIES] = {
	[SNAP_REPLY_OK] = { 200, "2005600", "Successful" },
	[SNAP_REPLY_BAD_REQUEST] = { 400, "4005600", "Bad Request" },
	[SNAP_REPLY_BAD_FIELD] = { 400, "4005601", "Invalid Field Format" },
	[SNAP_REPLY_MISSING] = { 400, "4005602", "Missing Mandatory Field" },
	[SNAP_REPLY_UNAUTHORIZED] = { 401, "4015600", "Unauthorized" },
	[SNAP_REPLY_NOT_FOUND] = { 404, "4045601", "Transaction Not Found" },
	[SNAP_REPLY_INCONSISTENT] = { 404, "4045618", "Inconsistent Request" },
	[SNAP_REPLY_CONFLICT] = { 409, "4095600", "Conflict" },
	[SNAP_REPLY_INTERNAL] = { 500, "5005600", "General Error" },
};

int
snap_notice_reply(enum snap_reply reply, char body[SNAP_REPLY_SIZE])
{
	if ((unsigned)reply >= SNAP_REPLIES)
		abort();
	snprintf(body, SNAP_REPLY_SIZE,
	    "{\"responseCode\":\"%s\",\"responseMessage\":\"%s\"}",
	    replies[reply].code, replies[reply].message);
	return (replies[reply].status);
}
