/*
 * User names. What looks the same to a person must be the same name.
 */
#include "domain/username.h"

#include <string.h>

#include "domain/phone.h"
#include "domain/text.h"
#include "domain/utf8.h"
#include "domain/uuid.h"

/* Longest input worth normalising: NFC never shortens below a third. */
#define INPUT_BYTES_MAX (3 * USERNAME_BYTES_MAX)

static enum username_result
judge(const char *name, size_t length)
{
	const uint8_t *bytes = (const uint8_t *)name;
	size_t at = 0, characters = 0;
	uint32_t code_point, previous = ' ';

	while (at < length) {
		at += utf8_sequence(bytes + at, length - at, &code_point);
		if (!text_character_visible(code_point))
			return (USERNAME_BAD_CHARACTER);
		if (code_point == ' ' && previous == ' ')
			return (USERNAME_BAD_SPACE);
		previous = code_point;
		if (++characters > USERNAME_CHARACTERS_MAX)
			return (USERNAME_TOO_LONG);
	}
	return (previous == ' ' ? USERNAME_BAD_SPACE : USERNAME_OK);
}

enum username_result
username_parse(const char *text, size_t length, char name[USERNAME_SIZE],
    char key[USERNAME_KEY_SIZE])
{
	char normal[USERNAME_SIZE], folded[USERNAME_KEY_SIZE];
	enum username_result result;

	if (text == NULL || length == 0)
		return (USERNAME_EMPTY);
	if (length > INPUT_BYTES_MAX)
		return (USERNAME_TOO_LONG);
	if (!utf8_valid(text, length))
		return (USERNAME_NOT_UTF8);
	if (memchr(text, '\0', length) != NULL)
		return (USERNAME_BAD_CHARACTER);
	if (!text_nfc(text, length, normal, sizeof(normal)))
		return (USERNAME_TOO_LONG);
	result = judge(normal, strlen(normal));
	if (result != USERNAME_OK)
		return (result);
	if (!text_fold(normal, strlen(normal), folded, sizeof(folded)))
		return (USERNAME_TOO_LONG);
	if (folded[0] == '\0')
		return (USERNAME_BAD_CHARACTER);
	memcpy(name, normal, strlen(normal) + 1);
	memcpy(key, folded, strlen(folded) + 1);
	return (USERNAME_OK);
}

const char *
username_problem(enum username_result result)
{
	switch (result) {
	case USERNAME_OK:
		return (NULL);
	case USERNAME_EMPTY:
		return ("is required");
	case USERNAME_TOO_LONG:
		return ("must be 1 to 255 characters");
	case USERNAME_NOT_UTF8:
		return ("must be valid text");
	case USERNAME_BAD_CHARACTER:
		return ("must not contain control, invisible or look-alike "
			"space characters");
	case USERNAME_BAD_SPACE:
		return ("must not begin or end with a space or have two in a "
			"row");
	}
	return ("is not valid");
}

bool
username_is_ambiguous(const char *key)
{
	char phone[PHONE_SIZE];
	struct uuid id;
	size_t length = strlen(key);

	return (strchr(key, '@') != NULL || phone_parse(key, length, phone) ||
	    uuid_parse(key, length, &id));
}
