/*
 * The claims of an access token. Times are arguments; nothing here asks a
 * clock.
 */
#include "domain/claims.h"

#include <string.h>

/* Far past any true time, far from overflow. */
#define TIME_MAX_S INT64_C(253402300799)

static bool
text_is(const struct json_node *node, const char *text)
{
	return (node != NULL && node->type == JSON_STRING &&
	    node->length == strlen(text) &&
	    memcmp(node->text, text, node->length) == 0);
}

static bool
read_id(const struct json_document *document, const char *name, struct uuid *id)
{
	const struct json_node *node =
	    json_member(document, document->nodes, name);

	return (node != NULL && node->type == JSON_STRING &&
	    uuid_parse(node->text, node->length, id));
}

static bool
read_time(
    const struct json_document *document, const char *name, int64_t *seconds)
{
	return (json_node_integer(json_member(document, document->nodes, name),
	    0, TIME_MAX_S, seconds));
}

/* RFC 7519 4.1.3: a string, or an array of strings. */
static enum claims_result
judge_audience(const struct json_document *document, const char *audience)
{
	const struct json_node *aud, *node;
	bool found = false;

	aud = json_member(document, document->nodes, "aud");
	if (aud == NULL)
		return (CLAIMS_MALFORMED);
	if (aud->type == JSON_STRING)
		return (
		    text_is(aud, audience) ? CLAIMS_OK : CLAIMS_WRONG_AUDIENCE);
	if (aud->type != JSON_ARRAY || aud->length > CLAIMS_AUDIENCES_MAX)
		return (CLAIMS_MALFORMED);
	for (node = json_first(document, aud); node != NULL;
	     node = json_next(document, node)) {
		if (node->type != JSON_STRING)
			return (CLAIMS_MALFORMED);
		found = found || text_is(node, audience);
	}
	return (found ? CLAIMS_OK : CLAIMS_WRONG_AUDIENCE);
}

static enum claims_result
judge_issuer(const struct json_document *document, const char *issuer)
{
	const struct json_node *iss =
	    json_member(document, document->nodes, "iss");

	if (iss == NULL || iss->type != JSON_STRING)
		return (CLAIMS_MALFORMED);
	return (text_is(iss, issuer) ? CLAIMS_OK : CLAIMS_WRONG_ISSUER);
}

static enum claims_result
judge_times(const struct claims *claims, int64_t now_s)
{
	if (now_s >= claims->exp + CLAIMS_SKEW_S)
		return (CLAIMS_EXPIRED);
	if (now_s < claims->nbf - CLAIMS_SKEW_S ||
	    now_s < claims->iat - CLAIMS_SKEW_S)
		return (CLAIMS_NOT_YET);
	return (CLAIMS_OK);
}

static bool
read_members(const struct json_document *document, struct claims *claims)
{
	const struct json_node *username;

	if (!read_id(document, "sub", &claims->sub) ||
	    !read_id(document, "sid", &claims->sid) ||
	    !read_id(document, "jti", &claims->jti) ||
	    !read_time(document, "iat", &claims->iat) ||
	    !read_time(document, "nbf", &claims->nbf) ||
	    !read_time(document, "exp", &claims->exp))
		return (false);
	username = json_member(document, document->nodes, "username");
	if (username == NULL || username->type != JSON_STRING ||
	    username->length < 1 || username->length >= USERNAME_SIZE)
		return (false);
	memcpy(claims->username, username->text, username->length + 1);
	return (true);
}

static enum claims_result
judge(const struct json_document *document, const char *issuer,
    const char *audience, int64_t now_s, struct claims *claims)
{
	enum claims_result result;

	if (document->nodes->type != JSON_OBJECT ||
	    !read_members(document, claims))
		return (CLAIMS_MALFORMED);
	result = judge_issuer(document, issuer);
	if (result == CLAIMS_OK)
		result = judge_audience(document, audience);
	if (result == CLAIMS_OK)
		result = judge_times(claims, now_s);
	return (result);
}

enum claims_result
claims_read(const char *payload, size_t length, const char *issuer,
    const char *audience, int64_t now_s, struct claims *claims)
{
	struct json_document document;
	struct claims read;
	enum claims_result result;

	if (json_parse(payload, length, &document) != JSON_OK)
		return (CLAIMS_MALFORMED);
	result = judge(&document, issuer, audience, now_s, &read);
	json_free(&document);
	if (result == CLAIMS_OK)
		*claims = read;
	return (result);
}

static void
put_id(struct json_writer *writer, const char *name, const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(id, text);
	json_put_member_string(writer, name, text);
}

void
claims_write(struct json_writer *writer, const struct claims *claims,
    const char *issuer, const char *audience)
{
	json_put_object_begin(writer);
	json_put_member_string(writer, "iss", issuer);
	json_put_member_string(writer, "aud", audience);
	put_id(writer, "sub", &claims->sub);
	json_put_member_string(writer, "username", claims->username);
	put_id(writer, "sid", &claims->sid);
	put_id(writer, "jti", &claims->jti);
	json_put_member_int(writer, "iat", claims->iat);
	json_put_member_int(writer, "nbf", claims->nbf);
	json_put_member_int(writer, "exp", claims->exp);
	json_put_object_end(writer);
}
