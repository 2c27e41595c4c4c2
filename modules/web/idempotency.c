/*
 * See idempotency.h. The fingerprint covers method and path too: the same key
 * on another payment's address is another request, never a replay.
 */
#include "web/idempotency.h"

#include <string.h>

#include "domain/digest.h"
#include "web/edge.h"
#include "web/input.h"
#include "web/reply.h"

#define KEY_LENGTH_MAX 255u
#define FIELD "Idempotency-Key"

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* What is wrong with KEY, or NULL. */
static const char *
key_wrong(const struct request *request, const char *key)
{
	size_t length = strlen(key);

	if (head_times(request->head, "idempotency-key") > 1)
		return "must be given once";
	if (length == 0 || length > KEY_LENGTH_MAX || !is_printable(key))
		return "must have 1 to 255 printable ASCII characters";
	return NULL;
}

bool
idempotency_read(struct request *request, struct idempotency *out)
{
	uint8_t body[DIGEST_SHA256_SIZE];
	const char *key = request_header(request, "idempotency-key"), *wrong;
	char *text;

	memset(out, 0, sizeof(*out));
	if (key == NULL)
		return true;
	wrong = key_wrong(request, key);
	if (wrong != NULL) {
		input_refuse(request, FIELD, wrong);
		(void)input_valid(request);
		return false;
	}
	out->key = key;
	out->key_length = strlen(key);
	input_fingerprint(request, body);
	text = request_format(request, "%s %s\n%*s", request->method,
	    request->path, (int)sizeof(body), "");
	memcpy(text + strlen(text) - sizeof(body), body, sizeof(body));
	digest_sha256(text,
	    strlen(request->method) + strlen(request->path) + 2 + sizeof(body),
	    out->fingerprint);
	return true;
}

void
idempotency_replayed(struct request *request)
{
	reply_header(request, "idempotent-replayed", "true");
}
