/*
 * GET /api/payment/wallet?ewallet=gopay|shopeepay: what stands in the signed-in
 * user's own wallet at a provider. What was heard is kept for a short time;
 * when the provider is slow or away, an older answer is given with its age.
 * Nothing here is money of ours: no decision may ever rest on it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "payment/accounts.h"
#include "payment/operations.h"
#include "payment/payment.h"
#include "payment/providers.h"
#include "payment/reply_transaction.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#define SLOTS 4096u /* a power of two */
#define FRESH_MS 500 /* answered without asking, when nothing moved */
#define STALE_MS 600000 /* good enough when the provider is away */

struct wallet {
	struct uuid user;
	enum provider provider;
	uint64_t heard_ms; /* monotonic; 0: empty */
	uint64_t decided; /* operations_decided when it was asked */
	int64_t balance_minor;
	int64_t updated_ms; /* Unix ms */
	char account_number[PROVIDER_ID_SIZE];
};

struct wallet_request {
	struct account_lookup lookup; /* first */
	const char *ewallet;
	struct provider_call call;
	enum provider_outcome outcome;
	struct wallet found;
};

static struct wallet *slots;

static const struct input_field wallet_fields[] = {
	{ "ewallet", INPUT_TEXT, true, offsetof(struct wallet_request, ewallet),
	    1, 32 },
};

static struct wallet *
slot_of(const struct uuid *user, enum provider provider)
{
	uint32_t hash;

	if (slots == NULL)
		slots = calloc(SLOTS, sizeof(*slots));
	if (slots == NULL)
		abort();
	/* The end of a UUIDv7 is random. */
	memcpy(&hash, user->bytes + 12, sizeof(hash));
	return &slots[(hash * 2 + (uint32_t)provider) & (SLOTS - 1)];
}

/* What was heard at most AGE_MS ago, or NULL. */
static const struct wallet *
wallet_heard(const struct uuid *user, enum provider provider, uint64_t age_ms)
{
	const struct wallet *slot = slot_of(user, provider);

	if (slot->heard_ms == 0 || slot->provider != provider ||
	    !uuid_equal(&slot->user, user) ||
	    clock_monotonic_ms() - slot->heard_ms > age_ms)
		return NULL;
	return slot;
}

/* Heard just now, and nothing that we know of has moved since. */
static const struct wallet *
wallet_fresh(const struct uuid *user, enum provider provider)
{
	const struct wallet *heard = wallet_heard(user, provider, FRESH_MS);

	return heard != NULL && heard->decided == operations_decided(provider)
	    ? heard
	    : NULL;
}

static void
wallet_show(struct request *request, const struct wallet *wallet)
{
	uint64_t age_ms = clock_monotonic_ms() - wallet->heard_ms;
	struct json_writer *writer = reply_begin(request, 200, "Your wallet");

	json_put_object_begin(writer);
	json_put_member_string(
	    writer, "provider", provider_word(wallet->provider));
	json_put_member_money(writer, "balance", wallet->balance_minor);
	json_put_member_string(writer, "currency", "IDR");
	json_put_member_string(
	    writer, "account_number", wallet->account_number);
	reply_member_time(writer, "last_updated", wallet->updated_ms);
	json_put_object_end(writer);
	reply_meta_int(request, "age_seconds", (int64_t)(age_ms / 1000));
	reply_end(request);
}

static void
wallet_answer(struct request *request)
{
	const struct wallet_request *in = request->state;
	const struct wallet *heard;

	if (in->outcome == ANSWER_DONE) {
		wallet_show(request, &in->found);
		return;
	}
	if (in->outcome == ANSWER_NOT_FOUND) {
		reply_error(request, ERROR_WALLET_NOT_LINKED);
		return;
	}
	heard =
	    wallet_heard(&request->user.user_id, in->call.provider, STALE_MS);
	if (heard != NULL)
		wallet_show(request, heard);
	else
		reply_error(request, ERROR_PROVIDER_UNAVAILABLE);
}

static void
wallet_heard_now(void *owner, const struct provider_answer *answer)
{
	struct request *request = owner;
	struct wallet_request *in = request->state;
	struct wallet *found = &in->found;

	in->outcome = answer->outcome;
	if (answer->outcome == ANSWER_DONE) {
		found->user = request->user.user_id;
		found->provider = in->call.provider;
		found->heard_ms = clock_monotonic_ms();
		found->balance_minor = answer->balance_minor;
		found->updated_ms = answer->updated_us != 0
		    ? answer->updated_us / 1000
		    : (int64_t)clock_unix_ms();
		memcpy(found->account_number, answer->account_number,
		    sizeof(found->account_number));
		*slot_of(&found->user, found->provider) = *found;
	}
	request_release(request, wallet_answer);
}

static void
wallet_ask(struct request *request, const struct pg_answer *answer)
{
	struct wallet_request *in = request->state;
	struct uuid id = entropy_uuid();

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0 || pg_is_null(answer->rows, 0, 0)) {
		reply_error(request, ERROR_WALLET_NOT_LINKED);
		return;
	}
	(void)snprintf(in->call.phone, sizeof(in->call.phone), "%s",
	    pg_text(answer->rows, 0, 0));
	uuid_format(&id, in->call.reference);
	in->call.kind = EXCHANGE_BALANCE;
	in->found.decided = operations_decided(in->call.provider);
	request_hold(request);
	providers_call(&in->call, wallet_heard_now, request);
}

/* By way of the account: a person whom we have not met yet is met now. */
static void
wallet_of(struct request *request, const struct uuid *account)
{
	struct pg_params params;

	(void)account;
	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	payment_read(request, STATEMENT_OWN_PHONE, &params, wallet_ask);
}

static void
wallet_get(struct request *request)
{
	struct wallet_request *in = request_alloc(request, sizeof(*in));
	const struct wallet *heard;

	request->state = in;
	if (!input_query(
		request, wallet_fields, INPUT_COUNT(wallet_fields), in))
		return;
	if (in->ewallet != NULL &&
	    !provider_by_word(in->ewallet, &in->call.provider))
		input_refuse(request, "ewallet", "must be gopay or shopeepay");
	if (!input_valid(request))
		return;
	heard = wallet_fresh(&request->user.user_id, in->call.provider);
	if (heard != NULL) {
		wallet_show(request, heard);
		return;
	}
	accounts_own(request, wallet_of);
}

ENDPOINT(payment_wallet, { "GET", wallet_get, ACCESS_USER })
