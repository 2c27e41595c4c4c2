/*
 * SNAP direct debit, Indonesia's national open API standard, the same for
 * both providers: token (service 73), pay (54), status (55), cancel (57),
 * refund (58), and their notification to us (56). provider.h says what the
 * exchange functions take and give.
 */
#ifndef ONEGATE_DOMAIN_SNAP_H
#define ONEGATE_DOMAIN_SNAP_H

#include "domain/provider.h"

#define SNAP_SIGNATURE_MAX 512 /* bytes: an RSA key of 4096 bits */
#define SNAP_SIGNATURE_SIZE 689 /* its base64 and a NUL */
#define SNAP_NOTICE_WINDOW_S 300 /* how far X-TIMESTAMP may be from now */
#define SNAP_NOTICE_BODY_MAX (16u * 1024u)
#define SNAP_REPLY_SIZE 128

bool snap_token_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void snap_token_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

bool snap_charge_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void snap_charge_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

bool snap_status_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void snap_status_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

bool snap_cancel_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void snap_cancel_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

bool snap_refund_build(const struct provider_account *account,
    const struct provider_order *order, struct provider_message *message);
void snap_refund_read(const struct provider_order *order, int http_status,
    const char *body, size_t length, struct provider_answer *answer);

/*
 * The symmetric signature of a call: base64(HMAC-SHA512(secret,
 * METHOD:path:token:hex(SHA256(body)):timestamp)). BODY is minified already.
 * False when a part is too long.
 */
bool snap_signature(const char *secret, const char *method, const char *path,
    const char *token, const char *body, size_t length, const char *timestamp,
    char text[SNAP_SIGNATURE_SIZE]);

/* base64(SHA256withRSA(KEY, client id | timestamp)), of the token call. */
bool snap_token_signature(EVP_PKEY *key, const char *client_id,
    const char *timestamp, char text[SNAP_SIGNATURE_SIZE]);

/*
 * Whether SIGNATURE (base64) over METHOD:path:hex(SHA256(body)):timestamp is
 * that of the provider's public KEY. BODY is the raw bytes as they came.
 */
bool snap_notice_verify(EVP_PKEY *key, const char *method, const char *path,
    const char *body, size_t length, const char *timestamp,
    const char *signature);

/* Whether TIMESTAMP is RFC 3339 and within SNAP_NOTICE_WINDOW_S of NOW_S. */
bool snap_notice_timely(const char *timestamp, int64_t now_s);

/* A notification, whose signature is verified. */
struct snap_notice {
	char reference[PROVIDER_ID_SIZE]; /* ours: the charge */
	char external_reference[PROVIDER_ID_SIZE]; /* theirs, may be empty */
	int64_t amount_minor;
	enum provider_outcome outcome; /* DONE, PENDING, REFUSED, CANCELLED,
					  NOT_FOUND */
	char status[3]; /* latestTransactionStatus */
};

enum snap_notice_result {
	SNAP_NOTICE_OK,
	SNAP_NOTICE_UNREADABLE, /* not a JSON object */
	SNAP_NOTICE_BAD_FIELD, /* a field of the wrong form */
	SNAP_NOTICE_MISSING /* a mandatory field is not there */
};

enum snap_notice_result snap_notice_read(
    const char *body, size_t length, struct snap_notice *notice);

/* How we answer a notification. */
enum snap_reply {
	SNAP_REPLY_OK, /* 200, 2005600 */
	SNAP_REPLY_BAD_REQUEST, /* 400, 4005600 */
	SNAP_REPLY_BAD_FIELD, /* 400, 4005601 */
	SNAP_REPLY_MISSING, /* 400, 4005602 */
	SNAP_REPLY_UNAUTHORIZED, /* 401, 4015600 */
	SNAP_REPLY_NOT_FOUND, /* 404, 4045601 */
	SNAP_REPLY_INCONSISTENT, /* 404, 4045618 */
	SNAP_REPLY_CONFLICT, /* 409, 4095600: X-EXTERNAL-ID seen today */
	SNAP_REPLY_INTERNAL, /* 500, 5005600 */
	SNAP_REPLIES
};

/* Writes the JSON of REPLY and a NUL, gives the HTTP status. */
int snap_notice_reply(enum snap_reply reply, char body[SNAP_REPLY_SIZE]);

#endif
