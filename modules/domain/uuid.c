/*
 * UUIDs (RFC 9562) as 16 bytes. Time and entropy are arguments.
 */
#include "domain/uuid.h"

#include <string.h>

#include "domain/hex.h"

#define UNIX_MS_BYTES 6
#define UUID_GROUPS 5

/* 8-4-4-4-12 digits. */
static const size_t group_bytes[UUID_GROUPS] = { 4, 2, 2, 2, 6 };

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

bool
uuid_parse(const char *text, size_t length, struct uuid *id)
{
	struct uuid result;
	size_t at = 0, byte = 0;

	if (text == NULL || length != UUID_TEXT_LENGTH)
		return (false);
	for (size_t i = 0; i < UUID_GROUPS; i++) {
		if (i > 0 && text[at++] != '-')
			return (false);
		if (!hex_decode(text + at, 2 * group_bytes[i],
			result.bytes + byte, group_bytes[i]))
			return (false);
		at += 2 * group_bytes[i];
		byte += group_bytes[i];
	}
	*id = result;
	return (true);
}

void
uuid_format(const struct uuid *id, char text[UUID_TEXT_SIZE])
{
	size_t at = 0, byte = 0;

	for (size_t i = 0; i < UUID_GROUPS; i++) {
		if (i > 0)
			text[at++] = '-';
		hex_encode(id->bytes + byte, group_bytes[i], text + at);
		at += 2 * group_bytes[i];
		byte += group_bytes[i];
	}
}

struct uuid
uuid_other_side(const struct uuid *id)
{
	struct uuid other = *id;

	other.bytes[sizeof(other.bytes) - 1] ^= 1;
	return other;
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
