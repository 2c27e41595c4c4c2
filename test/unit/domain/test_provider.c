/*
 * Do we speak as the providers want, and never take silence, noise or a
 * half-said thing for a failure?
 */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/rsa.h>

#include "domain/json.h"
#include "domain/provider.h"
#include "domain/shopeepay.h"
#include "domain/snap.h"

#define NOW_S INT64_C(1767236400) /* 2026-01-01T10:00:00+07:00 */

static EVP_PKEY *key, *other_key;

static struct provider_account account = { .id = "client & 1",
	.secret = "s3cret+/=",
	.snap_id = "snap-1",
	.snap_secret = "secret" };

static const struct provider_order order = { .now_s = NOW_S,
	.token = "tok123",
	.phone = "081234567890",
	.reference = "ref-1",
	.external_id = "41807553358950093184162180797837",
	.refund_reference = "refund-1",
	.amount_minor = 1000000 };

static int
make_keys(void **state)
{
	(void)state;
	key = EVP_RSA_gen(2048);
	other_key = EVP_RSA_gen(2048);
	account.snap_key = key;
	return (key != NULL && other_key != NULL ? 0 : -1);
}

static int
free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return (0);
}

static struct provider_message *
build(enum provider provider, enum provider_exchange_kind kind)
{
	static struct provider_message message;

	assert_true(provider_info(provider)->exchanges[kind].build(
	    &account, &order, &message));
	return (&message);
}

static const char *
header(const struct provider_message *message, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; message->headers[i] != NULL; i++) {
		if (strncmp(message->headers[i], name, length) == 0 &&
		    message->headers[i][length] == ':')
			return (message->headers[i] + length + 2);
	}
	return (NULL);
}

static void
the_symmetric_signature_is_the_known_answer(void **state)
{
	static const char body[] =
	    "{\"partnerReferenceNo\":\"2026010100000000000001\",\"amount\":{"
	    "\"value\":\"10000.00\",\"currency\":\"IDR\"}}";
	char text[SNAP_SIGNATURE_SIZE];
	(void)state;

	assert_true(snap_signature("secret", "POST",
	    "/v1.0/debit/payment-host-to-host", "tok123", body,
	    sizeof(body) - 1, "2026-01-01T10:00:00+07:00", text));
	assert_string_equal(text,
	    "z+QEPYKH+AVd5zjzjW82cGcTxjFFtX1/fstFIllZaZosufyrIeTWemoxXqG8vrx8"
	    "7T6GYg6dxSe4ty3lOeT5eg==");
}

static void
gopay_requests_are_as_described(void **state)
{
	struct provider_message *message;
	(void)state;

	message = build(PROVIDER_GOPAY, EXCHANGE_TOKEN);
	assert_string_equal(message->method, "POST");
	assert_string_equal(message->path, "/gopay/auth/token");
	assert_string_equal(message->body,
	    "{\"client_id\":\"client & 1\",\"client_secret\":\"s3cret+/=\","
	    "\"grant_type\":\"client_credentials\","
	    "\"scope\":\"payment:read payment:write\"}");
	assert_int_equal(message->body_length, strlen(message->body));
	message = build(PROVIDER_GOPAY, EXCHANGE_BALANCE);
	assert_string_equal(message->method, "GET");
	assert_string_equal(
	    message->path, "/gopay/wallet/balance?wallet_id=898081234567890");
	assert_string_equal(header(message, "Authorization"), "Bearer tok123");
	assert_int_equal(message->body_length, 0);
	message = build(PROVIDER_GOPAY, EXCHANGE_TOPUP);
	assert_string_equal(message->body,
	    "{\"wallet_id\":\"898081234567890\",\"amount\":10000.00,"
	    "\"payment_method\":\"bank_transfer\",\"reference_id\":\"ref-1\"}");
	assert_string_equal(
	    header(message, "Content-Type"), "application/json");
}

static void
shopeepay_requests_are_as_described(void **state)
{
	struct provider_message *message;
	char signature[DIGEST_SHA256_HEX_SIZE], body[512];
	(void)state;

	shopeepay_signature("m", "k", 1700000000, signature);
	digest_hmac_sha256_hex("k", 1, "m1700000000", 11, body);
	assert_string_equal(signature, body);
	message = build(PROVIDER_SHOPEEPAY, EXCHANGE_TOKEN);
	shopeepay_signature("client & 1", "s3cret+/=", NOW_S, signature);
	snprintf(body, sizeof(body),
	    "merchant_id=client%%20%%26%%201&api_key=s3cret%%2B%%2F%%3D&"
	    "signature=%s&timestamp=1767236400",
	    signature);
	assert_string_equal(message->body, body);
	message = build(PROVIDER_SHOPEEPAY, EXCHANGE_BALANCE);
	assert_string_equal(message->body,
	    "{\"user_id\":\"897081234567890\",\"request_id\":\"ref-1\"}");
	message = build(PROVIDER_SHOPEEPAY, EXCHANGE_TOPUP);
	assert_string_equal(message->body,
	    "{\"user_id\":\"897081234567890\",\"request_id\":\"ref-1\","
	    "\"topup_amount\":10000,\"source_type\":\"BANK_ACCOUNT\","
	    "\"source_details\":{\"bank_code\":\"918\","
	    "\"account_number\":\"client & 1\"}}");
}

static void
direct_debit_requests_are_signed(void **state)
{
	static const struct {
		enum provider_exchange_kind kind;
		const char *path;
		const char *body;
	} cases[] = {
		{ EXCHANGE_CHARGE, "/v1.0/debit/payment-host-to-host",
		    "{\"partnerReferenceNo\":\"ref-1\",\"amount\":{\"value\":"
		    "\"10000.00\",\"currency\":\"IDR\"},\"additionalInfo\":{"
		    "\"phoneNo\":\"081234567890\"}}" },
		{ EXCHANGE_CHARGE_STATUS, "/v1.0/debit/status",
		    "{\"originalPartnerReferenceNo\":\"ref-1\","
		    "\"serviceCode\":\"54\"}" },
		{ EXCHANGE_CHARGE_CANCEL, "/v1.0/debit/cancel",
		    "{\"originalPartnerReferenceNo\":\"ref-1\"}" },
		{ EXCHANGE_CHARGE_REFUND, "/v1.0/debit/refund",
		    "{\"originalPartnerReferenceNo\":\"ref-1\","
		    "\"partnerRefundNo\":\"refund-1\",\"refundAmount\":{"
		    "\"value\":\"10000.00\",\"currency\":\"IDR\"},"
		    "\"reason\":\"refund\"}" },
	};
	struct provider_message *message;
	char signature[SNAP_SIGNATURE_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		message = build(PROVIDER_GOPAY, cases[i].kind);
		assert_string_equal(message->path, cases[i].path);
		assert_string_equal(message->body, cases[i].body);
		assert_true(snap_signature("secret", "POST", cases[i].path,
		    "tok123", message->body, message->body_length,
		    "2026-01-01T10:00:00+07:00", signature));
		assert_string_equal(header(message, "X-SIGNATURE"), signature);
		assert_string_equal(header(message, "X-TIMESTAMP"),
		    "2026-01-01T10:00:00+07:00");
		assert_string_equal(header(message, "X-PARTNER-ID"), "snap-1");
		assert_string_equal(
		    header(message, "X-EXTERNAL-ID"), order.external_id);
		assert_string_equal(header(message, "CHANNEL-ID"), "95221");
	}
	message = build(PROVIDER_SHOPEEPAY, EXCHANGE_SNAP_TOKEN);
	assert_string_equal(message->path, "/v1.0/access-token/b2b");
	assert_string_equal(header(message, "X-CLIENT-KEY"), "snap-1");
	assert_true(snap_token_signature(
	    key, "snap-1", "2026-01-01T10:00:00+07:00", signature));
	assert_string_equal(header(message, "X-SIGNATURE"), signature);
}

static void
what_cannot_be_sent_is_not_built(void **state)
{
	static char long_text[PROVIDER_TOKEN_MAX + 8];
	static struct provider_message message;
	const struct provider_exchange *gopay, *shopeepay;
	struct provider_account nobody = { 0 };
	struct provider_order bad;
	(void)state;

	gopay = provider_info(PROVIDER_GOPAY)->exchanges;
	shopeepay = provider_info(PROVIDER_SHOPEEPAY)->exchanges;
	memset(long_text, 'x', sizeof(long_text) - 1);
	bad = order;
	bad.amount_minor = 999999;
	assert_false(gopay[EXCHANGE_TOPUP].build(&account, &bad, &message));
	assert_false(shopeepay[EXCHANGE_TOPUP].build(&account, &bad, &message));
	bad.amount_minor = 1000001;
	assert_true(gopay[EXCHANGE_TOPUP].build(&account, &bad, &message));
	assert_false(shopeepay[EXCHANGE_TOPUP].build(&account, &bad, &message));
	bad.amount_minor = 0;
	assert_false(gopay[EXCHANGE_CHARGE].build(&account, &bad, &message));
	for (int kind = 0; kind < EXCHANGES; kind++) {
		bad = order;
		bad.token = long_text;
		if (gopay[kind].needs_token) {
			assert_false(
			    gopay[kind].build(&account, &bad, &message));
			bad.token = "a\r\nX-Evil: 1";
			assert_false(
			    gopay[kind].build(&account, &bad, &message));
			bad.token = NULL;
			assert_false(
			    gopay[kind].build(&account, &bad, &message));
			bad.token = "";
			assert_false(
			    shopeepay[kind].build(&account, &bad, &message));
		} else {
			assert_false(
			    gopay[kind].build(&nobody, &order, &message));
			assert_false(
			    shopeepay[kind].build(&nobody, &order, &message));
		}
		if (!gopay[kind].snap)
			continue;
		assert_false(gopay[kind].build(&nobody, &order, &message));
		if (!gopay[kind].needs_token)
			continue;
		bad = order;
		bad.external_id = NULL;
		assert_false(gopay[kind].build(&account, &bad, &message));
		bad = order;
		bad.reference = long_text;
		assert_false(gopay[kind].build(&account, &bad, &message));
	}
	bad = order;
	bad.phone = NULL;
	assert_false(gopay[EXCHANGE_BALANCE].build(&account, &bad, &message));
	assert_false(
	    shopeepay[EXCHANGE_BALANCE].build(&account, &bad, &message));
	assert_false(gopay[EXCHANGE_CHARGE].build(&account, &bad, &message));
}

struct reading {
	enum provider provider;
	enum provider_exchange_kind kind;
	int status;
	const char *body;
	enum provider_outcome outcome;
};

#define GP PROVIDER_GOPAY
#define SP PROVIDER_SHOPEEPAY
#define GP_OK                                                                  \
	"{\"status\":\"success\",\"transaction_id\":\"GP1\",\"wallet_id\":"    \
	"\"898081234567890\",\"amount\":10000.00,\"new_balance\":1.00,"        \
	"\"transaction_time\":\"2026-01-01T03:00:00Z\"}"
#define SP_TOPUP(request, user, amount, status)                                \
	"{\"result\":\"SUCCESS\",\"request_id\":\"" request                    \
	"\",\"topup_details\":{\"transaction_id\":\"SP1\",\"user_id\":\"" user \
	"\",\"amount\":" amount ",\"status\":\"" status "\"}}"
#define SP_ERROR(code)                                                         \
	"{\"success\":false,\"error_code\":\"" code                            \
	"\",\"error_message\":\"x\",\"timestamp\":1}"
#define SNAP(code) "{\"responseCode\":\"" code "\",\"responseMessage\":\"x\"}"
#define SNAP_STATUS(reference, status, amount)                                 \
	"{\"responseCode\":\"2005500\",\"originalPartnerReferenceNo\":"        \
	"\"" reference "\",\"originalReferenceNo\":\"R1\","                    \
	"\"latestTransactionStatus\":\"" status                                \
	"\",\"transAmount\":{\"value\":\"" amount "\",\"currency\":\"IDR\"}}"

static const struct reading readings[] = {
	{ GP, EXCHANGE_TOPUP, 200, GP_OK, ANSWER_DONE },
	{ GP, EXCHANGE_TOPUP, 201, GP_OK, ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 500, GP_OK, ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 400, GP_OK, ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 200, "{\"status\":\"success\"}", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 200,
	    "{\"status\":\"success\",\"transaction_id\":\"GP1\",\"wallet_id\":"
	    "\"898089999999999\",\"amount\":10000.00}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 200,
	    "{\"status\":\"success\",\"transaction_id\":\"GP1\",\"wallet_id\":"
	    "\"898081234567890\",\"amount\":10000.01}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 200,
	    "{\"status\":\"failed\",\"transaction_id\":\"GP1\",\"wallet_id\":"
	    "\"898081234567890\",\"amount\":10000.00}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 200,
	    "{\"error\":\"internal_error\",\"status_code\":500}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 200,
	    "{\"error\":\"insufficient_balance\",\"status_code\":402}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 402, "{\"error\":\"insufficient_balance\"}",
	    ANSWER_REFUSED },
	{ GP, EXCHANGE_TOPUP, 404, "{\"error\":\"wallet_not_found\"}",
	    ANSWER_REFUSED },
	{ GP, EXCHANGE_TOPUP, 400, "{\"error\":\"invalid_amount\"}",
	    ANSWER_REFUSED },
	{ GP, EXCHANGE_TOPUP, 401, "{\"error\":\"invalid_token\"}",
	    ANSWER_TOKEN_EXPIRED },
	{ GP, EXCHANGE_TOPUP, 409, "{\"error\":\"duplicate_reference\"}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 408, "{\"error\":\"timeout\"}", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 429, "{\"error\":\"too_many_requests\"}",
	    ANSWER_NOT_TAKEN },
	{ GP, EXCHANGE_TOPUP, 429, "slow down", ANSWER_NOT_TAKEN },
	{ GP, EXCHANGE_TOPUP, 404, "<html>not found</html>", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 400, "", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 400, "{\"message\":\"no\"}", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 500, "{\"error\":\"internal_error\"}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 503, "{\"error\":\"service_unavailable\"}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 504, "", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 302, "", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOPUP, 0, "", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_BALANCE, 200,
	    "{\"status\":\"success\",\"data\":{\"wallet_id\":"
	    "\"898081234567890\",\"balance\":150000.00,\"currency\":\"IDR\","
	    "\"last_updated\":\"2026-01-01T03:00:00Z\"}}",
	    ANSWER_DONE },
	{ GP, EXCHANGE_BALANCE, 200,
	    "{\"status\":\"success\",\"data\":{\"wallet_id\":"
	    "\"898081234567891\",\"balance\":150000.00,\"currency\":\"IDR\"}}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_BALANCE, 200,
	    "{\"status\":\"success\",\"data\":{\"wallet_id\":"
	    "\"898081234567890\",\"balance\":-1,\"currency\":\"IDR\"}}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_BALANCE, 200,
	    "{\"status\":\"success\",\"data\":{\"wallet_id\":"
	    "\"898081234567890\",\"balance\":1e3,\"currency\":\"IDR\"}}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_BALANCE, 200,
	    "{\"status\":\"success\",\"data\":{\"wallet_id\":"
	    "\"898081234567890\",\"balance\":1,\"currency\":\"USD\"}}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_BALANCE, 401, "{\"error\":\"invalid_token\"}",
	    ANSWER_TOKEN_EXPIRED },
	{ GP, EXCHANGE_TOKEN, 200,
	    "{\"access_token\":\"abc\",\"token_type\":\"Bearer\","
	    "\"expires_in\":3600}",
	    ANSWER_DONE },
	{ GP, EXCHANGE_TOKEN, 200,
	    "{\"access_token\":\"a b\",\"expires_in\":1}", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOKEN, 200, "{\"access_token\":\"\",\"expires_in\":1}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOKEN, 200, "{\"access_token\":\"abc\"}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOKEN, 200,
	    "{\"access_token\":\"abc\",\"expires_in\":0}", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOKEN, 200,
	    "{\"access_token\":\"a\\r\\nb\",\"expires_in\":9}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_TOKEN, 401, "{\"error\":\"invalid_client\"}",
	    ANSWER_REFUSED },

	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-1", "897081234567890", "10000", "SUCCESS"),
	    ANSWER_DONE },
	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-1", "897081234567890", "10000", "PENDING"),
	    ANSWER_PENDING },
	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-1", "897081234567890", "10000", "FAILED"),
	    ANSWER_REFUSED },
	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-1", "897081234567890", "10000", "WHAT"),
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-2", "897081234567890", "10000", "FAILED"),
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-1", "897081234567891", "10000", "SUCCESS"),
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-1", "897081234567890", "10001", "SUCCESS"),
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 200,
	    SP_TOPUP("ref-1", "897081234567890", "10000.00", "SUCCESS"),
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 200, SP_ERROR("SYSTEM_ERROR"), ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 402, SP_ERROR("INSUFFICIENT_BALANCE"),
	    ANSWER_REFUSED },
	{ SP, EXCHANGE_TOPUP, 404, SP_ERROR("USER_NOT_FOUND"), ANSWER_REFUSED },
	{ SP, EXCHANGE_TOPUP, 401, SP_ERROR("TOKEN_EXPIRED"),
	    ANSWER_TOKEN_EXPIRED },
	{ SP, EXCHANGE_TOPUP, 409, SP_ERROR("DUPLICATE_REQUEST"),
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 429, SP_ERROR("TOO_MANY_REQUESTS"),
	    ANSWER_NOT_TAKEN },
	{ SP, EXCHANGE_TOPUP, 500, SP_ERROR("SYSTEM_ERROR"), ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 400, "{\"error_code\":\"X\"}", ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 400, "[]", ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOPUP, 200, "{\"result\":\"SUCCESS\"}", ANSWER_UNKNOWN },
	{ SP, EXCHANGE_BALANCE, 200,
	    "{\"result\":\"SUCCESS\",\"request_id\":\"ref-1\",\"balance_info\":"
	    "{\"user_id\":\"897081234567890\",\"available_balance\":150000,"
	    "\"pending_balance\":0,\"currency_code\":\"IDR\","
	    "\"last_transaction_date\":\"2026-01-01T03:00:00Z\"}}",
	    ANSWER_DONE },
	{ SP, EXCHANGE_BALANCE, 200,
	    "{\"result\":\"SUCCESS\",\"request_id\":\"ref-1\",\"balance_info\":"
	    "{\"user_id\":\"897081234567890\",\"available_balance\":-5,"
	    "\"currency_code\":\"IDR\"}}",
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOKEN, 200,
	    "{\"success\":true,\"token\":\"abc\",\"valid_until\":1767240000}",
	    ANSWER_DONE },
	{ SP, EXCHANGE_TOKEN, 200,
	    "{\"success\":true,\"token\":\"abc\",\"valid_until\":1767236400}",
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOKEN, 200,
	    "{\"success\":false,\"token\":\"abc\",\"valid_until\":1767240000}",
	    ANSWER_UNKNOWN },
	{ SP, EXCHANGE_TOKEN, 401, SP_ERROR("AUTH_FAILED"), ANSWER_REFUSED },

	{ GP, EXCHANGE_SNAP_TOKEN, 200,
	    "{\"responseCode\":\"2007300\",\"accessToken\":\"t\","
	    "\"tokenType\":\"Bearer\",\"expiresIn\":\"900\"}",
	    ANSWER_DONE },
	{ GP, EXCHANGE_SNAP_TOKEN, 200,
	    "{\"responseCode\":\"2007300\",\"accessToken\":\"t\","
	    "\"expiresIn\":900}",
	    ANSWER_DONE },
	{ GP, EXCHANGE_SNAP_TOKEN, 200,
	    "{\"responseCode\":\"2007300\",\"accessToken\":\"t\","
	    "\"expiresIn\":\"-900\"}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_SNAP_TOKEN, 200, SNAP("2007300"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_SNAP_TOKEN, 401, SNAP("4017300"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE, 200, SNAP("2005400"), ANSWER_DONE },
	{ GP, EXCHANGE_CHARGE, 202, SNAP("2025400"), ANSWER_PENDING },
	{ GP, EXCHANGE_CHARGE, 200, SNAP("2025400"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200,
	    "{\"responseCode\":\"2005400\",\"partnerReferenceNo\":\"other\"}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200, SNAP("4035414"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200, SNAP("5005400"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 403, SNAP("4035414"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE, 403, SNAP("4035405"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE, 403, SNAP("4035514"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 404, SNAP("4045400"), ANSWER_CANCELLED },
	{ GP, EXCHANGE_CHARGE, 404, SNAP("4045418"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 404, SNAP("4045408"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE, 400, SNAP("4005402"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE, 401, SNAP("4015401"), ANSWER_TOKEN_EXPIRED },
	{ GP, EXCHANGE_CHARGE, 401, SNAP("4015403"), ANSWER_TOKEN_EXPIRED },
	{ GP, EXCHANGE_CHARGE, 401, SNAP("4015400"), ANSWER_NOT_TAKEN },
	{ GP, EXCHANGE_CHARGE, 409, SNAP("4095400"), ANSWER_NOT_TAKEN },
	{ GP, EXCHANGE_CHARGE, 409, SNAP("4095401"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 429, SNAP("4295400"), ANSWER_NOT_TAKEN },
	{ GP, EXCHANGE_CHARGE, 500, SNAP("5005400"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 504, SNAP("5045400"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200, SNAP("20054000"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200, SNAP("200540"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200, SNAP("2O05400"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200, "{\"responseCode\":2005400}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200, "{}", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 200,
	    "{\"responseCode\":\"2005400\",\"responseCode\":\"2005400\"}",
	    ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE, 403, "<html>", ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "00", "10000.00"), ANSWER_DONE },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "00", "10000.01"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-2", "00", "10000.00"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "01", "10000.00"), ANSWER_PENDING },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "03", "10000.00"), ANSWER_PENDING },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "04", "10000.00"), ANSWER_CANCELLED },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "05", "10000.00"), ANSWER_CANCELLED },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "06", "10000.00"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "07", "10000.00"), ANSWER_NOT_FOUND },
	{ GP, EXCHANGE_CHARGE_STATUS, 200,
	    SNAP_STATUS("ref-1", "99", "10000.00"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE_STATUS, 200, SNAP("2005500"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE_STATUS, 404, SNAP("4045501"), ANSWER_NOT_FOUND },
	{ GP, EXCHANGE_CHARGE_STATUS, 400, SNAP("4005501"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE_STATUS, 403, SNAP("4035514"), ANSWER_UNKNOWN },
	{ GP, EXCHANGE_CHARGE_CANCEL, 200, SNAP("2005700"), ANSWER_DONE },
	{ GP, EXCHANGE_CHARGE_CANCEL, 404, SNAP("4045700"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE_CANCEL, 404, SNAP("4045701"), ANSWER_NOT_FOUND },
	{ GP, EXCHANGE_CHARGE_REFUND, 200, SNAP("2005800"), ANSWER_DONE },
	{ GP, EXCHANGE_CHARGE_REFUND, 404, SNAP("4045813"), ANSWER_REFUSED },
	{ GP, EXCHANGE_CHARGE_REFUND, 404, SNAP("4045818"), ANSWER_UNKNOWN },
};

static void
answers_mean_what_they_say(void **state)
{
	struct provider_answer answer;
	(void)state;

	for (size_t i = 0; i < COUNT(readings); i++) {
		const struct reading *row = &readings[i];
		provider_info(row->provider)
		    ->exchanges[row->kind]
		    .read(&order, row->status, row->body, strlen(row->body),
			&answer);
		if (answer.outcome != row->outcome)
			fail_msg("%d %s: %d, not %d", row->status, row->body,
			    answer.outcome, row->outcome);
		assert_true(answer.code[0] != '\0');
	}
}

/* Cut anywhere, an answer is never a refusal and never a success. */
static void
half_an_answer_says_nothing(void **state)
{
	struct provider_answer answer;
	(void)state;

	for (size_t i = 0; i < COUNT(readings); i++) {
		const struct reading *row = &readings[i];
		if (row->status == 429)
			continue;
		for (size_t length = 0; length < strlen(row->body); length++) {
			provider_info(row->provider)
			    ->exchanges[row->kind]
			    .read(&order, row->status, row->body, length,
				&answer);
			assert_int_equal(answer.outcome, ANSWER_UNKNOWN);
		}
	}
}

static void
huge_and_foreign_answers_say_nothing(void **state)
{
	static const char *noise[] = { "", "null", "true", "[]", "{}", "\"x\"",
		"<html><body>Bad Gateway</body></html>", "\xff\xfe", "{\"a\":1",
		"{\"status\":\"success\",\"status\":\"success\"}" };
	static const int statuses[] = { -1, 0, 100, 200, 202, 204, 301, 400,
		403, 404, 409, 500, 502, 503, 504, 999 };
	struct provider_answer answer;
	size_t size = PROVIDER_ANSWER_MAX + 1;
	char *big = malloc(size);
	(void)state;

	assert_non_null(big);
	memset(big, ' ', size);
	memcpy(big, GP_OK, sizeof(GP_OK) - 1);
	for (int p = 0; p < PROVIDERS; p++) {
		for (int kind = 0; kind < EXCHANGES; kind++) {
			provider_read_fn read = provider_info((enum provider)p)
						    ->exchanges[kind]
						    .read;
			for (size_t i = 0; i < COUNT(noise); i++) {
				for (size_t s = 0; s < COUNT(statuses); s++) {
					read(&order, statuses[s], noise[i],
					    strlen(noise[i]), &answer);
					assert_int_equal(
					    answer.outcome, ANSWER_UNKNOWN);
				}
			}
			read(&order, 200, NULL, 0, &answer);
			assert_int_equal(answer.outcome, ANSWER_UNKNOWN);
			read(&order, 200, big, size, &answer);
			assert_int_equal(answer.outcome, ANSWER_UNKNOWN);
		}
	}
	free(big);
}

static void
what_was_told_is_kept(void **state)
{
	struct provider_answer answer;
	static const char balance[] =
	    "{\"status\":\"success\",\"data\":{\"wallet_id\":"
	    "\"898081234567890\",\"balance\":150000.05,\"currency\":\"IDR\","
	    "\"last_updated\":\"2026-01-01T03:00:00Z\"}}";
	static const char token[] =
	    "{\"success\":true,\"token\":\"abc\",\"valid_until\":1767240000}";
	(void)state;

	provider_info(GP)->exchanges[EXCHANGE_BALANCE].read(
	    &order, 200, balance, sizeof(balance) - 1, &answer);
	assert_int_equal(answer.balance_minor, 15000005);
	assert_string_equal(answer.account_number, "898081234567890");
	assert_true(answer.updated_us == NOW_S * 1000000);
	provider_info(SP)->exchanges[EXCHANGE_TOKEN].read(
	    &order, 200, token, sizeof(token) - 1, &answer);
	assert_string_equal(answer.token, "abc");
	assert_int_equal(answer.token_life_s, 3600);
	provider_info(GP)->exchanges[EXCHANGE_TOPUP].read(
	    &order, 200, GP_OK, strlen(GP_OK), &answer);
	assert_string_equal(answer.external_reference, "GP1");
	provider_info(GP)->exchanges[EXCHANGE_CHARGE].read(
	    &order, 403, SNAP("4035414"), strlen(SNAP("4035414")), &answer);
	assert_true(answer.insufficient_funds);
	assert_string_equal(answer.code, "4035414");
}

static void
only_the_providers_voice_is_believed(void **state)
{
	static const char body[] = "{\"a\":1}";
	static const char when[] = "2026-01-01T10:00:00+07:00";
	static const char path[] = "/api/payment/notifications/gopay";
	static const char input[] =
	    "POST:/api/payment/notifications/gopay:"
	    "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862:"
	    "2026-01-01T10:00:00+07:00";
	uint8_t signature[SNAP_SIGNATURE_MAX];
	char text[SNAP_SIGNATURE_SIZE];
	size_t length = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	(void)state;

	assert_int_equal(
	    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &length,
			     (const uint8_t *)input, strlen(input)),
	    1);
	EVP_MD_CTX_free(context);
	EVP_EncodeBlock((unsigned char *)text, signature, (int)length);
	assert_true(snap_notice_verify(
	    key, "POST", path, body, sizeof(body) - 1, when, text));
	assert_false(snap_notice_verify(
	    other_key, "POST", path, body, sizeof(body) - 1, when, text));
	assert_false(snap_notice_verify(
	    key, "PUT", path, body, sizeof(body) - 1, when, text));
	assert_false(snap_notice_verify(
	    key, "POST", "/x", body, sizeof(body) - 1, when, text));
	assert_false(snap_notice_verify(
	    key, "POST", path, body, sizeof(body), when, text));
	assert_false(snap_notice_verify(key, "POST", path, body,
	    sizeof(body) - 1, "2026-01-01T10:00:01+07:00", text));
	assert_false(snap_notice_verify(
	    NULL, "POST", path, body, sizeof(body) - 1, when, text));
	assert_false(snap_notice_verify(
	    key, "POST", path, body, sizeof(body) - 1, NULL, text));
	assert_false(snap_notice_verify(
	    key, "POST", path, body, sizeof(body) - 1, when, NULL));
	assert_false(snap_notice_verify(
	    key, "POST", path, body, sizeof(body) - 1, when, ""));
	text[5] = text[5] == 'A' ? 'B' : 'A';
	assert_false(snap_notice_verify(
	    key, "POST", path, body, sizeof(body) - 1, when, text));
	assert_true(snap_notice_timely(when, NOW_S + 300));
	assert_true(snap_notice_timely(when, NOW_S - 300));
	assert_false(snap_notice_timely(when, NOW_S + 301));
	assert_false(snap_notice_timely(when, NOW_S - 301));
	assert_false(snap_notice_timely("yesterday", NOW_S));
	assert_false(snap_notice_timely(NULL, NOW_S));
}

#define NOTICE(reference, amount, status)                                      \
	"{\"originalPartnerReferenceNo\":" reference ",\"amount\":" amount     \
	",\"latestTransactionStatus\":" status "}"
#define RUPIAH "{\"value\":\"10000.00\",\"currency\":\"IDR\"}"

static void
notices_are_read_strictly(void **state)
{
	static const struct {
		const char *body;
		enum snap_notice_result result;
		enum provider_outcome outcome;
	} cases[] = {
		{ NOTICE("\"r\"", RUPIAH, "\"00\""), SNAP_NOTICE_OK,
		    ANSWER_DONE },
		{ NOTICE("\"r\"", RUPIAH, "\"06\""), SNAP_NOTICE_OK,
		    ANSWER_REFUSED },
		{ NOTICE("\"r\"", RUPIAH, "\"03\""), SNAP_NOTICE_OK,
		    ANSWER_PENDING },
		{ "", SNAP_NOTICE_UNREADABLE, 0 },
		{ "[]", SNAP_NOTICE_UNREADABLE, 0 },
		{ "null", SNAP_NOTICE_UNREADABLE, 0 },
		{ "{\"a\":1,\"a\":2}", SNAP_NOTICE_UNREADABLE, 0 },
		{ "{}", SNAP_NOTICE_MISSING, 0 },
		{ NOTICE("null", RUPIAH, "\"00\""), SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("5", RUPIAH, "\"00\""), SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"\"", RUPIAH, "\"00\""), SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"r s\"", RUPIAH, "\"00\""), SNAP_NOTICE_BAD_FIELD,
		    0 },
		{ NOTICE("\"r\"", RUPIAH, "\"99\""), SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"r\"", RUPIAH, "0"), SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"r\"", RUPIAH, "null"), SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"r\"", "null", "\"00\""), SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"r\"", "10000", "\"00\""), SNAP_NOTICE_BAD_FIELD,
		    0 },
		{ NOTICE("\"r\"", "{\"value\":10000,\"currency\":\"IDR\"}",
		      "\"00\""),
		    SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"r\"",
		      "{\"value\":\"-10000.00\",\"currency\":\"IDR\"}",
		      "\"00\""),
		    SNAP_NOTICE_BAD_FIELD, 0 },
		{ NOTICE("\"r\"",
		      "{\"value\":\"10000.00\",\"currency\":\"USD\"}",
		      "\"00\""),
		    SNAP_NOTICE_BAD_FIELD, 0 },
	};
	struct snap_notice notice;
	char body[SNAP_REPLY_SIZE];
	(void)state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (snap_notice_read(cases[i].body, strlen(cases[i].body),
			&notice) != cases[i].result)
			fail_msg("notice: %s", cases[i].body);
		if (cases[i].result == SNAP_NOTICE_OK) {
			assert_int_equal(notice.outcome, cases[i].outcome);
			assert_int_equal(notice.amount_minor, 1000000);
			assert_string_equal(notice.reference, "r");
		}
	}
	assert_int_equal(snap_notice_reply(SNAP_REPLY_OK, body), 200);
	assert_string_equal(body,
	    "{\"responseCode\":\"2005600\",\"responseMessage\":"
	    "\"Successful\"}");
	for (int reply = 0; reply < SNAP_REPLIES; reply++) {
		int status = snap_notice_reply((enum snap_reply)reply, body);
		assert_int_equal(strtol(body + 17, NULL, 10) / 10000, status);
	}
}

static void
the_table_knows_its_providers(void **state)
{
	static const char *unknown[] = { "", "GOPAY", "gopay ", "ovo", "dana" };
	enum provider provider;
	(void)state;

	for (int i = 0; i < PROVIDERS; i++) {
		const struct provider_info *info =
		    provider_info((enum provider)i);
		assert_true(provider_by_word(info->word, &provider));
		assert_int_equal((int)provider, i);
		assert_int_equal((int)provider_by_method(info->method), i);
		for (int kind = 0; kind < EXCHANGES; kind++) {
			assert_non_null(info->exchanges[kind].build);
			assert_non_null(info->exchanges[kind].read);
		}
	}
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_false(provider_by_word(unknown[i], &provider));
	assert_false(provider_by_word(NULL, &provider));
	assert_null(provider_amount_problem(GP, true, 1000001));
	assert_null(provider_amount_problem(SP, false, 100));
	assert_non_null(provider_amount_problem(SP, false, 1));
	assert_non_null(provider_amount_problem(SP, true, 1000001));
	assert_non_null(provider_amount_problem(GP, true, 999999));
	assert_non_null(provider_amount_problem(GP, false, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_symmetric_signature_is_the_known_answer),
		cmocka_unit_test(gopay_requests_are_as_described),
		cmocka_unit_test(shopeepay_requests_are_as_described),
		cmocka_unit_test(direct_debit_requests_are_signed),
		cmocka_unit_test(what_cannot_be_sent_is_not_built),
		cmocka_unit_test(answers_mean_what_they_say),
		cmocka_unit_test(half_an_answer_says_nothing),
		cmocka_unit_test(huge_and_foreign_answers_say_nothing),
		cmocka_unit_test(what_was_told_is_kept),
		cmocka_unit_test(only_the_providers_voice_is_believed),
		cmocka_unit_test(notices_are_read_strictly),
		cmocka_unit_test(the_table_knows_its_providers),
	};

	return (cmocka_run_group_tests(tests, make_keys, free_keys));
}
