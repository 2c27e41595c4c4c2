/*
 * UUIDs (RFC 9562) as 16 bytes. Time and entropy are arguments.
 */
#include "domain/uuid.h"

#include <string.h>

#define UNIX_MS_BYTES 6

static void
put_unix_ms(struct uuid *id, uint64_t unix_ms)
{
	for (int i = 0; i < UNIX_MS_BYTES; i++)
		id->bytes[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
}

struct uuid
uuid_v7(uint64_t unix_ms, const uint8_t entropy[10])
{
	struct uuid id;

	put_unix_ms(&id, unix_ms);
	memcpy(id.bytes + UNIX_MS_BYTES, entropy, 10);
	id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0f));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return (id);
}

struct uuid
uuid_v7_floor(uint64_t unix_ms)
{
	static const uint8_t zeros[10];

	return (uuid_v7(unix_ms, zeros));
}

uint64_t
uuid_v7_unix_ms(const struct uuid *id)
{
	uint64_t unix_ms = 0;

	for (int i = 0; i < UNIX_MS_BYTES; i++)
		unix_ms = unix_ms << 8 | id->bytes[i];
	return (unix_ms);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

static bool
is_dash_position(size_t at)
{
	return (at == 8 || at == 13 || at == 18 || at == 23);
}

bool
uuid_parse(const char *text, size_t length, struct uuid *id)
{
	struct uuid result;
	size_t byte = 0, at = 0;
	int high, low;

	if (text == NULL || length != UUID_TEXT_LENGTH)
		return (false);
	while (at < UUID_TEXT_LENGTH) {
		if (is_dash_position(at)) {
			if (text[at] != '-')
				return (false);
			at++;
			continue;
		}
		high = hex_value(text[at]);
		low = hex_value(text[at + 1]);
		if (high < 0 || low < 0)
			return (false);
		result.bytes[byte++] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	*id = result;
	return (true);
}

void
uuid_format(const struct uuid *id, char text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t byte = 0; byte < sizeof(id->bytes); byte++) {
		if (is_dash_position(at))
			text[at++] = '-';
		text[at++] = digits[id->bytes[byte] >> 4];
		text[at++] = digits[id->bytes[byte] & 0x0f];
	}
	text[at] = '\0';
}

bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return (memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0);
}

int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return (memcmp(a->bytes, b->bytes, sizeof(a->bytes)));
}

bool
uuid_is_zero(const struct uuid *id)
{
	static const struct uuid zero;

	return (uuid_equal(id, &zero));
}
