/*
 * Reading and writing the text form of an Argon2id hash. It must never be
 * lenient: what it reads decides how a password is checked.
 */
#include "domain/phc.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MEMORY_LOWEST 8u
#define MEMORY_HIGHEST 1048576u
#define PASSES_HIGHEST 64u
#define LANES_HIGHEST 16u

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool
cost_in_range(const struct phc_cost *cost)
{
	return (cost->memory_kib >= MEMORY_LOWEST &&
	    cost->memory_kib <= MEMORY_HIGHEST && cost->passes >= 1 &&
	    cost->passes <= PASSES_HIGHEST && cost->lanes >= 1 &&
	    cost->lanes <= LANES_HIGHEST);
}

/* Writes LENGTH bytes as base64 without padding; gives the end. */
static char *
base64_put(char *out, const uint8_t *bytes, size_t length)
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < length; i++) {
		bits = (bits << 8) | bytes[i];
		for (held += 8; held >= 6; held -= 6)
			*out++ = alphabet[(bits >> (held - 6)) & 63];
	}
	if (held > 0)
		*out++ = alphabet[(bits << (6 - held)) & 63];
	return (out);
}

void
phc_format(const struct phc *phc, char text[PHC_TEXT_SIZE])
{
	char *end;
	int length;

	assert(cost_in_range(&phc->cost));
	length = snprintf(text, PHC_TEXT_SIZE, "$argon2id$v=19$m=%u,t=%u,p=%u$",
	    phc->cost.memory_kib, phc->cost.passes, phc->cost.lanes);
	assert(length > 0 && length < PHC_TEXT_SIZE - 70);
	end = base64_put(text + length, phc->salt, PHC_SALT_LENGTH);
	*end++ = '$';
	end = base64_put(end, phc->hash, PHC_HASH_LENGTH);
	*end = '\0';
}

/* True when *AT begins with WORD; then *AT is after it. */
static bool
take(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return (false);
	*at += length;
	return (true);
}

static bool
take_number(const char **at, uint32_t *value)
{
	uint32_t number = 0;
	unsigned digits = 0;

	if (**at == '0')
		return (false);
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		if (++digits > 8)
			return (false);
		number = number * 10 + (uint32_t)(**at - '0');
	}
	*value = number;
	return (digits > 0);
}

/* Exactly LENGTH bytes; the spare bits of the last character must be zero. */
static bool
take_base64(const char **at, uint8_t *bytes, size_t length)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t done = 0, characters = (length * 8 + 5) / 6;

	for (size_t i = 0; i < characters; i++, (*at)++) {
		const char *found =
		    **at == '\0' ? NULL : strchr(alphabet, **at);
		if (found == NULL)
			return (false);
		bits = (bits << 6) | (uint32_t)(found - alphabet);
		held += 6;
		if (held >= 8) {
			held -= 8;
			bytes[done++] = (uint8_t)(bits >> held);
		}
	}
	return ((bits & ((1u << held) - 1)) == 0);
}

bool
phc_parse(const char *text, struct phc *phc)
{
	const char *at = text;

	return (take(&at, "$argon2id$v=19$m=") &&
	    take_number(&at, &phc->cost.memory_kib) && take(&at, ",t=") &&
	    take_number(&at, &phc->cost.passes) && take(&at, ",p=") &&
	    take_number(&at, &phc->cost.lanes) && cost_in_range(&phc->cost) &&
	    take(&at, "$") && take_base64(&at, phc->salt, PHC_SALT_LENGTH) &&
	    take(&at, "$") && take_base64(&at, phc->hash, PHC_HASH_LENGTH) &&
	    *at == '\0');
}

bool
phc_cost_below(const struct phc_cost *cost, const struct phc_cost *wanted)
{
	return (cost->memory_kib < wanted->memory_kib ||
	    cost->passes < wanted->passes || cost->lanes < wanted->lanes);
}
