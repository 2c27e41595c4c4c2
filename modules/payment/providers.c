/* See providers.h. */
#include "payment/providers.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "io/clock.h"
#include "io/config.h"
#include "io/entropy.h"
#include "io/http_client.h"
#include "io/log.h"
#include "io/metrics.h"

#define FAILURES_TO_OPEN 8
#define OPEN_MS 2000
#define CONNECT_TIMEOUT_MS 2000
#define RENEW_PART 5 /* a token is renewed in the last fifth of its life */

struct call;

/* One base URL of a provider, with the token that opens it. */
struct gate {
	enum provider provider;
	bool snap;
	struct http_upstream *upstream;
	char token[PROVIDER_TOKEN_SIZE];
	uint64_t token_number; /* counts tokens, 0: none yet */
	uint64_t renew_ms, until_ms; /* monotonic */
	bool renewing;
	struct call *waiting; /* for the token on its way */
};

struct call {
	struct provider_call what;
	const struct provider_exchange *exchange;
	struct gate *gate;
	provider_done_fn done;
	void *owner;
	uint64_t token_number; /* of the token it was sent with */
	bool again; /* a 401 was answered with a new token */
	struct call *next;
};

/* Which settings make up a provider's account. */
struct provider_settings {
	enum config_id url, snap_url, id, secret, snap_id, snap_secret,
	    snap_private_key, snap_public_key;
	const char *name, *snap_name;
};

static const struct provider_settings settings[PROVIDERS] = {
	[PROVIDER_GOPAY] = { CONFIG_GOPAY_URL, CONFIG_GOPAY_SNAP_URL,
	    CONFIG_GOPAY_CLIENT_ID, CONFIG_GOPAY_CLIENT_SECRET,
	    CONFIG_GOPAY_SNAP_CLIENT_ID, CONFIG_GOPAY_SNAP_CLIENT_SECRET,
	    CONFIG_GOPAY_SNAP_PRIVATE_KEY_FILE,
	    CONFIG_GOPAY_SNAP_PUBLIC_KEY_FILE, "gopay", "gopay_snap" },
	[PROVIDER_SHOPEEPAY] = { CONFIG_SHOPEEPAY_URL,
	    CONFIG_SHOPEEPAY_SNAP_URL, CONFIG_SHOPEEPAY_MERCHANT_ID,
	    CONFIG_SHOPEEPAY_API_KEY, CONFIG_SHOPEEPAY_SNAP_CLIENT_ID,
	    CONFIG_SHOPEEPAY_SNAP_CLIENT_SECRET,
	    CONFIG_SHOPEEPAY_SNAP_PRIVATE_KEY_FILE,
	    CONFIG_SHOPEEPAY_SNAP_PUBLIC_KEY_FILE, "shopeepay",
	    "shopeepay_snap" },
};

static struct provider_account accounts[PROVIDERS];
static EVP_PKEY *notice_keys[PROVIDERS];
static struct gate gates[PROVIDERS][2];
static bool ready;

/* -- calls ---------------------------------------------------------------- */

static void call_send(struct call *call);
static void call_with_token(struct call *call);

static void
call_end(struct call *call, const struct provider_answer *answer)
{
	call->done(call->owner, answer);
	free(call);
}

static void
call_end_as(struct call *call, enum provider_outcome outcome, const char *code)
{
	struct provider_answer *answer = calloc(1, sizeof(*answer));

	if (answer == NULL)
		abort();
	provider_answer_set(answer, outcome, code);
	call_end(call, answer);
	free(answer);
}

/*
 * "This request was not taken" says nothing when it moves money: curl sends a
 * request again by itself when a kept connection breaks before an answer, so
 * this may be the answer to a second copy (409: the X-EXTERNAL-ID was seen)
 * while the first has acted. Only what never left here was surely not taken.
 */
static enum provider_outcome
outcome_of_call(const struct call *call, enum provider_outcome outcome)
{
	bool moves = call->what.kind == EXCHANGE_TOPUP ||
	    call->what.kind == EXCHANGE_CHARGE;

	if (outcome != ANSWER_TOKEN_EXPIRED && outcome != ANSWER_NOT_TAKEN)
		return outcome;
	return moves ? ANSWER_UNKNOWN : ANSWER_NOT_TAKEN;
}

static void
call_answered(void *owner, const struct http_answer *http)
{
	struct call *call = owner;
	struct provider_order order = { .now_s =
					    (int64_t)(clock_unix_ms() / 1000),
		.phone = call->what.phone,
		.reference = call->what.reference,
		.amount_minor = call->what.amount_minor };
	struct provider_answer *answer;

	if (http->outcome == HTTP_NOT_SENT) {
		call_end_as(call, ANSWER_NOT_TAKEN, "not_sent");
		return;
	}
	if (http->outcome == HTTP_LOST) {
		call_end_as(call, ANSWER_UNKNOWN, "lost");
		return;
	}
	answer = calloc(1, sizeof(*answer));
	if (answer == NULL)
		abort();
	call->exchange->read(
	    &order, http->status, http->body, http->body_length, answer);
	if (answer->outcome == ANSWER_TOKEN_EXPIRED && !call->again) {
		call->again = true;
		if (call->gate->token_number == call->token_number)
			call->gate->until_ms = 0;
		call_with_token(call);
	} else {
		answer->outcome = outcome_of_call(call, answer->outcome);
		call_end(call, answer);
	}
	free(answer);
}

/* Sends MESSAGE of EXCHANGE to GATE. */
static void
message_send(struct gate *gate, const struct provider_message *message,
    http_done_fn done, void *owner)
{
	struct http_call http = { .method = message->method,
		.path = message->path,
		.body = message->body_length > 0 ? message->body : NULL,
		.body_length = message->body_length };

	for (size_t i = 0; i < message->header_count; i++)
		http.headers[i] = message->headers[i];
	http_send(gate->upstream, &http, done, owner);
}

static void
call_send(struct call *call)
{
	struct uuid external = entropy_uuid();
	char external_text[UUID_TEXT_SIZE];
	struct provider_order order = {
		.now_s = (int64_t)(clock_unix_ms() / 1000),
		.token = call->gate->token,
		.phone = call->what.phone,
		.reference = call->what.reference,
		.external_id = external_text,
		.amount_minor = call->what.amount_minor,
	};
	struct provider_message *message = malloc(sizeof(*message));

	if (message == NULL)
		abort();
	uuid_format(&external, external_text);
	call->token_number = call->gate->token_number;
	if (call->exchange->build(
		&accounts[call->what.provider], &order, message)) {
		message_send(call->gate, message, call_answered, call);
	} else {
		log_event(LOG_LEVEL_ERROR, "provider: no message to send",
		    LOG_TEXT("provider", provider_word(call->what.provider)),
		    LOG_NUMBER("exchange", call->what.kind));
		call_end_as(call, ANSWER_NOT_TAKEN, "no_message");
	}
	OPENSSL_cleanse(message, sizeof(*message));
	free(message);
}

/* -- tokens --------------------------------------------------------------- */

/* Lets all who wait go on: with the token, or without hope. */
static void
waiting_go(struct gate *gate, bool have_token)
{
	struct call *call = gate->waiting;

	gate->waiting = NULL;
	while (call != NULL) {
		struct call *next = call->next;

		if (have_token)
			call_send(call);
		else
			call_end_as(call, ANSWER_NOT_TAKEN, "no_token");
		call = next;
	}
}

static void
token_keep(struct gate *gate, const struct provider_answer *answer)
{
	uint64_t life_ms = (uint64_t)answer->token_life_s * 1000;
	uint64_t now_ms = clock_monotonic_ms();

	memcpy(gate->token, answer->token, sizeof(gate->token));
	gate->token_number++;
	gate->until_ms = now_ms + life_ms;
	gate->renew_ms = gate->until_ms - life_ms / RENEW_PART;
}

static const struct provider_exchange *
token_exchange(const struct gate *gate)
{
	return &provider_info(gate->provider)
		    ->exchanges[gate->snap ? EXCHANGE_SNAP_TOKEN
					   : EXCHANGE_TOKEN];
}

static void
token_answered(void *owner, const struct http_answer *http)
{
	struct gate *gate = owner;
	struct provider_order order = { .now_s =
					    (int64_t)(clock_unix_ms() / 1000) };
	struct provider_answer *answer = calloc(1, sizeof(*answer));
	bool good;

	if (answer == NULL)
		abort();
	gate->renewing = false;
	if (http->outcome == HTTP_ANSWERED)
		token_exchange(gate)->read(&order, http->status, http->body,
		    http->body_length, answer);
	else
		provider_answer_set(answer, ANSWER_NOT_TAKEN, "no_answer");
	good = answer->outcome == ANSWER_DONE && answer->token[0] != '\0';
	if (good)
		token_keep(gate, answer);
	else
		log_event(LOG_LEVEL_WARNING, "provider: no token",
		    LOG_TEXT("provider", provider_word(gate->provider)),
		    LOG_TEXT("code", answer->code),
		    LOG_NUMBER("http_status", http->status));
	metric_add(METRIC_PROVIDER_TOKENS, good ? 0 : 1, 1);
	OPENSSL_cleanse(answer, sizeof(*answer));
	free(answer);
	waiting_go(gate, good);
}

static void
token_renew(struct gate *gate)
{
	struct uuid external = entropy_uuid();
	char external_text[UUID_TEXT_SIZE];
	struct provider_order order = {
		.now_s = (int64_t)(clock_unix_ms() / 1000),
		.external_id = external_text,
	};
	struct provider_message *message;

	if (gate->renewing)
		return;
	message = malloc(sizeof(*message));
	if (message == NULL)
		abort();
	uuid_format(&external, external_text);
	gate->renewing = token_exchange(gate)->build(
	    &accounts[gate->provider], &order, message);
	if (gate->renewing) {
		message_send(gate, message, token_answered, gate);
	} else {
		log_event(LOG_LEVEL_ERROR, "provider: no token message",
		    LOG_TEXT("provider", provider_word(gate->provider)));
		waiting_go(gate, false);
	}
	OPENSSL_cleanse(message, sizeof(*message));
	free(message);
}

static void
call_with_token(struct call *call)
{
	struct gate *gate = call->gate;
	uint64_t now_ms = clock_monotonic_ms();

	if (gate->token_number > 0 && now_ms < gate->until_ms) {
		call_send(call);
		if (now_ms >= gate->renew_ms)
			token_renew(gate);
		return;
	}
	call->next = gate->waiting;
	gate->waiting = call;
	token_renew(gate);
}

void
providers_call(
    const struct provider_call *what, provider_done_fn done, void *owner)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		abort();
	call->what = *what;
	call->exchange = &provider_info(what->provider)->exchanges[what->kind];
	assert(call->exchange->build != NULL && call->exchange->needs_token);
	call->gate = &gates[what->provider][call->exchange->snap];
	call->done = done;
	call->owner = owner;
	call_with_token(call);
}

EVP_PKEY *
providers_notice_key(enum provider provider)
{
	return notice_keys[provider];
}

/* -- life ----------------------------------------------------------------- */

static EVP_PKEY *
key_read(enum config_id id, bool private_key)
{
	FILE *file = fopen(config_text(id), "re");
	EVP_PKEY *key = NULL;

	if (file != NULL) {
		key = private_key ? PEM_read_PrivateKey(file, NULL, NULL, NULL)
				  : PEM_read_PUBKEY(file, NULL, NULL, NULL);
		(void)fclose(file);
	}
	if (key == NULL)
		log_event(LOG_LEVEL_ERROR, "provider: a key cannot be read",
		    LOG_TEXT("file", config_text(id)));
	return key;
}

static bool
gate_open(enum provider provider, bool snap)
{
	const struct provider_settings *own = &settings[provider];
	struct gate *gate = &gates[provider][snap];
	const struct http_upstream_options options = {
		.name = snap ? own->snap_name : own->name,
		.base_url = config_text(snap ? own->snap_url : own->url),
		.concurrent = (int)config_number(CONFIG_PROVIDER_CONCURRENT),
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.timeout_ms =
		    (uint32_t)config_number(CONFIG_PROVIDER_TIMEOUT_MS),
		.failures_to_open = FAILURES_TO_OPEN,
		.open_ms = OPEN_MS,
	};

	gate->provider = provider;
	gate->snap = snap;
	gate->upstream = http_upstream_new(&options);
	return gate->upstream != NULL;
}

static bool
provider_open(enum provider provider)
{
	const struct provider_settings *own = &settings[provider];
	struct provider_account *account = &accounts[provider];

	account->id = config_text(own->id);
	account->secret = config_text(own->secret);
	account->snap_id = config_text(own->snap_id);
	account->snap_secret = config_text(own->snap_secret);
	account->snap_key = key_read(own->snap_private_key, true);
	notice_keys[provider] = key_read(own->snap_public_key, false);
	return account->snap_key != NULL && notice_keys[provider] != NULL &&
	    gate_open(provider, false) && gate_open(provider, true);
}

bool
providers_init(void)
{
	if (ready)
		return true;
	ready = true;
	for (int i = 0; i < PROVIDERS; i++)
		ready = provider_open((enum provider)i) && ready;
	return ready;
}

void
providers_done(void)
{
	for (int i = 0; i < PROVIDERS; i++) {
		OPENSSL_cleanse(gates[i][0].token, sizeof(gates[i][0].token));
		OPENSSL_cleanse(gates[i][1].token, sizeof(gates[i][1].token));
		EVP_PKEY_free(accounts[i].snap_key);
		EVP_PKEY_free(notice_keys[i]);
		accounts[i].snap_key = notice_keys[i] = NULL;
	}
	ready = false;
}
