/*
 * GET /.well-known/jwks.json: the public keys, for the gateway and the other
 * modules (RFC 7517). A plain key set, without the envelope. It must never
 * write a private member.
 */
#include "domain/json.h"
#include "domain/jwk.h"
#include "web/endpoint.h"
#include "web/key_set.h"
#include "web/reply.h"
#include "web/session.h"

/* A new key is announced this long before it signs (docs/KEYS.md). */
#define CACHE_CONTROL "public, max-age=300"

static bool
keys_write(struct json_writer *out, const struct key_set *keys)
{
	bool good = true;

	json_put_object_begin(out);
	json_put_key(out, "keys");
	json_put_array_begin(out);
	for (unsigned i = 0; i < keys->count; i++) {
		const struct key *key = &keys->keys[i];
		good = good && jwk_write(out, key->verifies, key->kid);
	}
	json_put_array_end(out);
	json_put_object_end(out);
	return (good && !json_writer_failed(out));
}

static void
jwks_begin(struct request *request)
{
	struct json_writer out;

	json_writer_init(&out);
	if (keys_write(&out, session_keys())) {
		reply_header(request, "cache-control", CACHE_CONTROL);
		reply_plain(
		    request, 200, "application/json", out.bytes, out.length);
	} else {
		reply_error(request, ERROR_INTERNAL);
	}
	json_writer_free(&out);
}

ENDPOINT(auth_jwks, { "GET", jwks_begin, ACCESS_PUBLIC })
