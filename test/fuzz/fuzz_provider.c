/* Answers and notifications of providers: what happened is never guessed. */
#include "fuzz.h"

#include <string.h>

#include "domain/provider.h"
#include "domain/snap.h"

const char *const fuzz_seeds[] = {
	"{\"status\":\"success\",\"transaction_id\":\"GP1\",\"wallet_id\":"
	"\"898081234567890\",\"amount\":10000.00,\"new_balance\":1.00}",
	"{\"status\":\"success\",\"data\":{\"wallet_id\":\"898081234567890\","
	"\"balance\":150000.00,\"currency\":\"IDR\"}}",
	"{\"error\":\"invalid_token\",\"status_code\":401}",
	"{\"success\":false,\"error_code\":\"AUTH_FAILED\"}",
	"{\"result\":\"SUCCESS\",\"request_id\":\"ref-1\",\"topup_details\":{"
	"\"transaction_id\":\"SP1\",\"user_id\":\"897081234567890\","
	"\"amount\":10000,\"status\":\"PENDING\"}}",
	"{\"responseCode\":\"2005400\",\"referenceNo\":\"R\"}",
	"{\"responseCode\":\"4035414\"}",
	"{\"responseCode\":\"2005500\",\"originalPartnerReferenceNo\":\"ref-"
	"1\","
	"\"latestTransactionStatus\":\"00\",\"transAmount\":{\"value\":"
	"\"10000.00\",\"currency\":\"IDR\"}}",
	"{\"originalPartnerReferenceNo\":\"r\",\"amount\":{\"value\":"
	"\"10000.00\",\"currency\":\"IDR\"},\"latestTransactionStatus\":"
	"\"00\"}",
	"{\"access_token\":\"abc\",\"expires_in\":3600}", NULL
};

const char *const fuzz_words[] = { "\"error\":\"x\"", "\"status\":\"success\"",
	"null", "{", "}", "\"00\"", "\"06\"", "-1", "1e9", "<html>",
	"\"responseCode\":", NULL };

static const struct provider_order order = { .now_s = 1767236400,
	.token = "t",
	.phone = "081234567890",
	.reference = "ref-1",
	.external_id = "1",
	.amount_minor = 1000000 };

static void
try_exchange(const struct provider_exchange *exchange, int status,
    const char *body, size_t size)
{
	struct provider_answer answer;

	exchange->read(&order, status, body, size, &answer);
	PROMISE(answer.code[0] != '\0');
	PROMISE(strlen(answer.code) <= PROVIDER_ID_MAX);
	if (answer.outcome == ANSWER_DONE)
		PROMISE(status == 200);
	if (status >= 500)
		PROMISE(answer.outcome == ANSWER_UNKNOWN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 200, 202, 400, 401, 403, 404, 409,
		429, 500, 504 };
	const char *body = (const char *)data;
	struct snap_notice notice;
	/* Any of them, and the same one for the same input. */
	int status = statuses[size % (sizeof(statuses) / sizeof(statuses[0]))];

	for (int p = 0; p < PROVIDERS; p++) {
		for (int kind = 0; kind < EXCHANGES; kind++)
			try_exchange(
			    &provider_info((enum provider)p)->exchanges[kind],
			    status, body, size);
	}
	if (snap_notice_read(body, size, &notice) == SNAP_NOTICE_OK)
		PROMISE(notice.amount_minor > 0 && notice.reference[0] != '\0');
	return (0);
}
