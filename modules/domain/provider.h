/*
 * GoPay and ShopeePay as tables and messages: for each thing that can be
 * asked, one function that builds the request and one that reads the answer.
 * Sending, tokens' lives and deadlines belong to others; time, tokens, ids
 * and keys are arguments.
 *
 * What an answer means is judged with one rule above all: only what the
 * provider plainly says has not happened counts as not happened. HTML, half a
 * body, an error inside a 200, a 5xx, another one's reference: UNKNOWN.
 */
#ifndef ONEGATE_DOMAIN_PROVIDER_H
#define ONEGATE_DOMAIN_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "domain/transaction.h"
#include "domain/trx_id.h"

#define PROVIDER_TOKEN_MAX 2048 /* bytes of a bearer token */
#define PROVIDER_TOKEN_SIZE (PROVIDER_TOKEN_MAX + 1)
#define PROVIDER_ID_MAX 128 /* bytes of an id or code that they give */
#define PROVIDER_ID_SIZE (PROVIDER_ID_MAX + 1)
#define PROVIDER_REFERENCE_MAX 64 /* bytes of a reference that we give */
#define PROVIDER_PATH_SIZE 256
#define PROVIDER_HEADERS_MAX 10
#define PROVIDER_HEADER_BYTES 6144 /* all header lines with their NULs */
#define PROVIDER_BODY_SIZE 4096
#define PROVIDER_ANSWER_MAX (256u * 1024u) /* more is not read: UNKNOWN */
#define PROVIDER_TOKEN_LIFE_MAX_S 86400 /* a longer life is not believed */

enum provider { PROVIDER_GOPAY, PROVIDER_SHOPEEPAY, PROVIDERS };

/* What can be exchanged with a provider. */
enum provider_exchange_kind {
	EXCHANGE_TOKEN, /* of the wallet interface */
	EXCHANGE_BALANCE, /* of a person's wallet */
	EXCHANGE_TOPUP, /* money into a person's wallet; repeat = status */
	EXCHANGE_SNAP_TOKEN, /* of direct debit (service 73) */
	EXCHANGE_CHARGE, /* money out of a person's wallet (54) */
	EXCHANGE_CHARGE_STATUS, /* (55) */
	EXCHANGE_CHARGE_CANCEL, /* the whole of it back (57) */
	EXCHANGE_CHARGE_REFUND, /* part of it back (58) */
	EXCHANGES
};

/* Who we are to a provider. Borrowed, NUL-terminated, never NULL where the
 * exchange needs it. */
struct provider_account {
	const char *id; /* GoPay client id, ShopeePay merchant id */
	const char *secret; /* GoPay client secret, ShopeePay API key */
	const char *snap_id; /* direct debit: client id and partner id */
	const char *snap_secret;
	EVP_PKEY *snap_key; /* our private RSA key */
	const char *source_bank_code; /* ShopeePay's source_details; NULL: */
	const char *source_account; /* the defaults of shopeepay.h */
};

/* What one exchange is about. Borrowed texts. */
struct provider_order {
	int64_t now_s; /* Unix time, for stamps and signatures */
	const char *token; /* bearer, for all but the token exchanges */
	const char *phone; /* canonical 08..., whose wallet */
	const char *reference; /* ours, <= PROVIDER_REFERENCE_MAX; the same in
				  every repeat: their idempotency key. Of
				  status, cancel, refund: the charge's */
	const char *external_id; /* SNAP X-EXTERNAL-ID, 1-36 characters, new in
				    every request of a day */
	const char *refund_reference; /* EXCHANGE_CHARGE_REFUND only */
	const char *reason; /* EXCHANGE_CHARGE_REFUND only, may be NULL */
	int64_t amount_minor; /* charge, top-up, refund; 0 where none */
};

/* A request ready to send. Not to be copied: `headers` point inside. */
struct provider_message {
	const char *method; /* GET or POST */
	char path[PROVIDER_PATH_SIZE]; /* to append to the base URL */
	const char *headers[PROVIDER_HEADERS_MAX + 1]; /* "Name: value", NULL
							  ends */
	size_t header_count;
	size_t header_used;
	size_t body_length;
	char header_bytes[PROVIDER_HEADER_BYTES];
	char body[PROVIDER_BODY_SIZE]; /* NUL-terminated; empty: no body */
};

enum provider_outcome {
	ANSWER_UNKNOWN, /* nobody can say what happened */
	ANSWER_DONE, /* it has happened */
	ANSWER_PENDING, /* accepted, not decided yet */
	ANSWER_REFUSED, /* it has not happened and, repeated, will not */
	ANSWER_CANCELLED, /* the charge was cancelled or given back */
	ANSWER_NOT_FOUND, /* the reference is not known to them */
	ANSWER_NOT_TAKEN, /* this request was not acted on (429, our
			     credentials, X-EXTERNAL-ID used): it says nothing
			     of earlier ones with the same reference */
	ANSWER_TOKEN_EXPIRED /* as NOT_TAKEN, and a new token may help */
};

/* What an answer said. Texts are NUL-terminated, empty where not told. */
struct provider_answer {
	enum provider_outcome outcome;
	char code[PROVIDER_ID_SIZE]; /* their error code or a word of ours for
					the log and the operation; printable,
					nothing personal, never empty */
	bool insufficient_funds; /* of the person's wallet; with REFUSED */
	char external_reference[PROVIDER_ID_SIZE]; /* their id of it */
	char token[PROVIDER_TOKEN_SIZE]; /* token exchanges */
	int64_t token_life_s; /* 1..PROVIDER_TOKEN_LIFE_MAX_S */
	int64_t balance_minor; /* EXCHANGE_BALANCE */
	int64_t updated_us; /* EXCHANGE_BALANCE, 0: not told */
	char account_number[PROVIDER_ID_SIZE]; /* EXCHANGE_BALANCE */
};

/* Builds MESSAGE; false when something does not fit, an amount is not one the
 * provider takes, a text has control characters, or the key cannot sign. */
typedef bool (*provider_build_fn)(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);

/* Reads an answer to ORDER. BODY may be anything. Always fills ANSWER. */
typedef void (*provider_read_fn)(const struct provider_order *order,
    int http_status, const char *body, size_t length,
    struct provider_answer *answer);

struct provider_exchange {
	bool snap; /* direct debit's base URL and token, else the wallet's */
	bool needs_token;
	provider_build_fn build;
	provider_read_fn read;
};

struct provider_info {
	const char *word; /* gopay: in URLs and configuration */
	enum payment_method method;
	enum trx_id_suffix suffix;
	const char *wallet_prefix; /* before the phone: the wallet's number */
	int64_t topup_min_minor;
	bool whole_rupiah; /* amounts with sen are refused */
	struct provider_exchange exchanges[EXCHANGES];
};

/* The row of PROVIDER, which must be one. */
const struct provider_info *provider_info(enum provider provider);

/* "gopay" or "shopeepay"; the provider of such a word (exactly). */
const char *provider_word(enum provider provider);
bool provider_by_word(const char *word, enum provider *provider);

/* The provider behind a payment method. */
enum provider provider_by_method(enum payment_method method);

/* Why AMOUNT_MINOR cannot be moved at PROVIDER (out: into a wallet; else a
 * charge), in words for a validation message, or NULL when it can. */
const char *provider_amount_problem(
    enum provider provider, bool out, int64_t amount_minor);

/*
 * For the adapters: messages and answers in parts.
 */

/* Starts MESSAGE with METHOD and PATH; false when PATH does not fit. */
bool provider_message_init(
    struct provider_message *message, const char *method, const char *path);

/* Adds "NAME: VALUE"; false when it does not fit or VALUE has a control
 * character (a header must stay one line). */
bool provider_message_header(
    struct provider_message *message, const char *name, const char *value);

/* Adds "Authorization: Bearer TOKEN"; false for a NULL or empty one. */
bool provider_message_bearer(
    struct provider_message *message, const char *token);

/* Sets ANSWER to OUTCOME with CODE, all else empty. */
void provider_answer_set(struct provider_answer *answer,
    enum provider_outcome outcome, const char *code);

#endif
