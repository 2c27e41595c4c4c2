/*
 * The providers as a table, and what their adapters share.
 */
#include "domain/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/gopay.h"
#include "domain/shopeepay.h"
#include "domain/snap.h"

#define TOPUP_MIN_MINOR INT64_C(1000000) /* 10,000 rupiah, both */
#define SEN_PER_RUPIAH 100

#define SNAP_EXCHANGES                                                         \
	[EXCHANGE_SNAP_TOKEN] = { true, false, snap_token_build,               \
		snap_token_read },                                             \
	[EXCHANGE_CHARGE] = { true, true, snap_charge_build,                   \
		snap_charge_read },                                            \
	[EXCHANGE_CHARGE_STATUS] = { true, true, snap_status_build,            \
		snap_status_read },                                            \
	[EXCHANGE_CHARGE_CANCEL] = { true, true, snap_cancel_build,            \
		snap_cancel_read },                                            \
	[EXCHANGE_CHARGE_REFUND] = { true, true, snap_refund_build,            \
		snap_refund_read }

static const struct provider_info providers[PROVIDERS] = {
	[PROVIDER_GOPAY] = {
		.word = "gopay",
		.method = PAYMENT_METHOD_GOPAY,
		.suffix = TRX_ID_GOPAY,
		.wallet_prefix = "898",
		.topup_min_minor = TOPUP_MIN_MINOR,
		.whole_rupiah = false,
		.exchanges = {
			[EXCHANGE_TOKEN] = { false, false, gopay_token_build,
				gopay_token_read },
			[EXCHANGE_BALANCE] = { false, true,
				gopay_balance_build, gopay_balance_read },
			[EXCHANGE_TOPUP] = { false, true, gopay_topup_build,
				gopay_topup_read },
			SNAP_EXCHANGES,
		},
	},
	[PROVIDER_SHOPEEPAY] = {
		.word = "shopeepay",
		.method = PAYMENT_METHOD_SHOPEE_PAY,
		.suffix = TRX_ID_SHOPEEPAY,
		.wallet_prefix = "897",
		.topup_min_minor = TOPUP_MIN_MINOR,
		.whole_rupiah = true,
		.exchanges = {
			[EXCHANGE_TOKEN] = { false, false,
				shopeepay_token_build, shopeepay_token_read },
			[EXCHANGE_BALANCE] = { false, true,
				shopeepay_balance_build,
				shopeepay_balance_read },
			[EXCHANGE_TOPUP] = { false, true,
				shopeepay_topup_build, shopeepay_topup_read },
			SNAP_EXCHANGES,
		},
	},
};

const struct provider_info *
provider_info(enum provider provider)
{
	if ((unsigned)provider >= PROVIDERS)
		abort();
	return (&providers[provider]);
}

const char *
provider_word(enum provider provider)
{
	return (provider_info(provider)->word);
}

bool
provider_by_word(const char *word, enum provider *provider)
{
	if (word == NULL)
		return (false);
	for (int i = 0; i < PROVIDERS; i++) {
		if (strcmp(providers[i].word, word) == 0) {
			*provider = (enum provider)i;
			return (true);
		}
	}
	return (false);
}

enum provider
provider_by_method(enum payment_method method)
{
	for (int i = 0; i < PROVIDERS; i++) {
		if (providers[i].method == method)
			return ((enum provider)i);
	}
	abort();
}

const char *
provider_amount_problem(enum provider provider, bool out, int64_t amount_minor)
{
	const struct provider_info *info = provider_info(provider);

	if (amount_minor <= 0)
		return ("must be more than zero");
	if (info->whole_rupiah && amount_minor % SEN_PER_RUPIAH != 0)
		return ("must be whole rupiah for this wallet");
	if (out && amount_minor < info->topup_min_minor)
		return ("must be at least 10000 for this wallet");
	return (NULL);
}

static bool
one_line(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return (false);
	}
	return (true);
}

bool
provider_message_init(
    struct provider_message *message, const char *method, const char *path)
{
	message->method = method;
	message->header_count = 0;
	message->header_used = 0;
	message->headers[0] = NULL;
	message->body_length = 0;
	message->body[0] = '\0';
	if (strlen(path) >= sizeof(message->path) || !one_line(path))
		return (false);
	memcpy(message->path, path, strlen(path) + 1);
	return (true);
}

bool
provider_message_header(
    struct provider_message *message, const char *name, const char *value)
{
	char *line = message->header_bytes + message->header_used;
	size_t room = sizeof(message->header_bytes) - message->header_used;
	int length;

	if (value == NULL || value[0] == '\0' || !one_line(value) ||
	    message->header_count == PROVIDER_HEADERS_MAX)
		return (false);
	length = snprintf(line, room, "%s: %s", name, value);
	if (length < 0 || (size_t)length >= room)
		return (false);
	message->header_used += (size_t)length + 1;
	message->headers[message->header_count++] = line;
	message->headers[message->header_count] = NULL;
	return (true);
}

bool
provider_message_bearer(struct provider_message *message, const char *token)
{
	char value[PROVIDER_TOKEN_SIZE + sizeof("Bearer ")];
	int length;

	if (token == NULL || token[0] == '\0')
		return (false);
	length = snprintf(value, sizeof(value), "Bearer %s", token);
	if (length < 0 || (size_t)length >= sizeof(value))
		return (false);
	return (provider_message_header(message, "Authorization", value));
}

void
provider_answer_set(struct provider_answer *answer,
    enum provider_outcome outcome, const char *code)
{
	memset(answer, 0, sizeof(*answer));
	answer->outcome = outcome;
	snprintf(answer->code, sizeof(answer->code), "%s", code);
}
