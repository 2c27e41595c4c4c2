/*
 * The answer: one envelope for everything, {"meta":{...},"data":...}.
 * Every answer leaves through here: request id, cache rules, drain, access
 * log and metrics are applied once.
 */
#ifndef ONEGATE_WEB_REPLY_H
#define ONEGATE_WEB_REPLY_H

#include "domain/json.h"
#include "web/request.h"

/*
 * Begins an answer; write exactly one JSON value (the data) to the writer,
 * then reply_end. reply_meta_* may be called at any time between.
 */
struct json_writer *reply_begin(
    struct request *request, int status, const char *message);
void reply_meta_int(struct request *request, const char *key, int64_t value);
/* TEXT NULL writes null. */
void reply_meta_text(
    struct request *request, const char *key, const char *text);
void reply_end(struct request *request);

/* An answer with data:null. */
void reply_message(struct request *request, int status, const char *message);
/* The catalogue's error, with Retry-After where it has one. */
void reply_error(struct request *request, enum error_code code);
void reply_error_retry(
    struct request *request, enum error_code code, unsigned seconds);
/* An answer whose envelope was stored before, byte for byte after meta's
 * request_id: DATA is the JSON of data. */
void reply_stored(struct request *request, int status, const char *message,
    const char *reason, const char *data, size_t length);
/* A plain body without envelope (JWKS, metrics, report files, the provider's
 * own notification shape). */
void reply_plain(struct request *request, int status, const char *content_type,
    const char *body, size_t length);

/* Adds a header before the end of the answer. Control characters in VALUE
 * refuse the header (asserted: ours never have any). Repeats are allowed. */
void reply_header(struct request *request, const char *name, const char *value);
/* Set-Cookie with HttpOnly; Secure; SameSite=None; Path=/ and Max-Age. */
void reply_cookie(struct request *request, const char *name, const char *value,
    unsigned max_age_seconds);

/* The status that will be or was answered, 0 before. For before_send. */
int reply_status(const struct request *request);

/*
 * HOOK runs when an answer is ready, before it leaves, and must call
 * reply_release once it may leave (after the access row was written).
 */
void reply_before_send(struct request *request, step_fn hook);
void reply_release(struct request *request);
/* Inside the hook: the ready answer is dropped for the catalogue's error. */
void reply_replace(struct request *request, enum error_code code);

#endif
