/*
 * Base64 in both alphabets of RFC 4648, strict and canonical.
 */
#include "domain/base64.h"

static const char standard_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t
encode(const uint8_t *bytes, size_t length, char *text, const char *alphabet,
    bool padded)
{
	size_t written = 0, left;
	uint32_t group;

	for (size_t at = 0; at < length; at += 3) {
		left = length - at;
		group = (uint32_t)bytes[at] << 16;
		if (left > 1)
			group |= (uint32_t)bytes[at + 1] << 8;
		if (left > 2)
			group |= bytes[at + 2];
		text[written++] = alphabet[group >> 18];
		text[written++] = alphabet[group >> 12 & 63];
		if (left > 1)
			text[written++] = alphabet[group >> 6 & 63];
		else if (padded)
			text[written++] = '=';
		if (left > 2)
			text[written++] = alphabet[group & 63];
		else if (padded)
			text[written++] = '=';
	}
	text[written] = '\0';
	return (written);
}

static int
value_of(char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	if (c == alphabet[62])
		return (62);
	if (c == alphabet[63])
		return (63);
	return (-1);
}

/* TEXT without its padding. */
static bool
decode(const char *text, size_t length, uint8_t *bytes, size_t size,
    size_t *decoded, const char *alphabet)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t count = 0;
	int value;

	if (length % 4 == 1)
		return (false);
	for (size_t at = 0; at < length; at++) {
		value = value_of(text[at], alphabet);
		if (value < 0)
			return (false);
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (count == size)
			return (false);
		bytes[count++] = (uint8_t)(bits >> held);
		bits &= (1u << held) - 1;
	}
	if (bits != 0)
		return (false);
	*decoded = count;
	return (true);
}

size_t
base64_encode(const uint8_t *bytes, size_t length, char *text)
{
	return (encode(bytes, length, text, standard_alphabet, true));
}

size_t
base64url_encode(const uint8_t *bytes, size_t length, char *text)
{
	return (encode(bytes, length, text, url_alphabet, false));
}

bool
base64_decode(const char *text, size_t length, uint8_t *bytes, size_t size,
    size_t *decoded)
{
	if (length % 4 != 0)
		return (false);
	if (length > 0 && text[length - 1] == '=') {
		length--;
		if (text[length - 1] == '=')
			length--;
	}
	return (decode(text, length, bytes, size, decoded, standard_alphabet));
}

bool
base64url_decode(const char *text, size_t length, uint8_t *bytes, size_t size,
    size_t *decoded)
{
	return (decode(text, length, bytes, size, decoded, url_alphabet));
}
