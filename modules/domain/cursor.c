/*
 * Cursors: version, position, id and a check sum, 29 bytes as base64url. The
 * sum finds a mangled cursor before it quietly shows the wrong page.
 */
#include "domain/cursor.h"

#include <string.h>

#include "domain/base64.h"
#include "domain/digest.h"

#define VERSION 1
#define POSITION_AT 1
#define ID_AT 9
#define SUM_AT 25
#define SUM_LENGTH 4
#define BYTES (SUM_AT + SUM_LENGTH)

static void
put_sum(uint8_t bytes[BYTES])
{
	uint8_t digest[DIGEST_SHA256_SIZE];

	digest_sha256(bytes, SUM_AT, digest);
	memcpy(bytes + SUM_AT, digest, SUM_LENGTH);
}

void
cursor_write(
    int64_t position_us, const struct uuid *id, char text[CURSOR_TEXT_SIZE])
{
	uint8_t bytes[BYTES];

	bytes[0] = VERSION;
	for (int i = 0; i < 8; i++)
		bytes[POSITION_AT + i] =
		    (uint8_t)((uint64_t)position_us >> (56 - 8 * i));
	memcpy(bytes + ID_AT, id->bytes, sizeof(id->bytes));
	put_sum(bytes);
	base64url_encode(bytes, sizeof(bytes), text);
}

bool
cursor_read(
    const char *text, size_t length, int64_t *position_us, struct uuid *id)
{
	uint8_t bytes[BYTES], again[BYTES];
	uint64_t position = 0;
	size_t decoded;

	if (text == NULL || length != CURSOR_TEXT_LENGTH ||
	    !base64url_decode(text, length, bytes, sizeof(bytes), &decoded) ||
	    decoded != BYTES || bytes[0] != VERSION)
		return (false);
	memcpy(again, bytes, sizeof(again));
	put_sum(again);
	if (memcmp(again, bytes, sizeof(bytes)) != 0)
		return (false);
	for (int i = 0; i < 8; i++)
		position = position << 8 | bytes[POSITION_AT + i];
	if (position > INT64_MAX)
		return (false);
	*position_us = (int64_t)position;
	memcpy(id->bytes, bytes + ID_AT, sizeof(id->bytes));
	return (true);
}
