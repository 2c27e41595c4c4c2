/*
 * E-mail addresses. Whether anybody reads one is not for syntax to say.
 */
#include "domain/email.h"

#include <stdbool.h>
#include <string.h>

#include "domain/text.h"
#include "domain/utf8.h"

#define LABEL_MAX 63

static bool
is_alphanumeric(char c)
{
	return ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9'));
}

/* RFC 5322 atext; beyond ASCII every visible character but spaces. */
static bool
local_part_valid(const char *text, size_t length)
{
	if (length == 0 || text[0] == '.' || text[length - 1] == '.')
		return (false);
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if ((uint8_t)c >= 0x80 || is_alphanumeric(c))
			continue;
		if (c == '.' && text[i + 1] != '.')
			continue;
		if (c == '\0' || c == '.' ||
		    strchr("!#$%&'*+-/=?^_`{|}~", c) == NULL)
			return (false);
	}
	return (true);
}

static bool
label_valid(const char *label, size_t length)
{
	if (length < 1 || length > LABEL_MAX || label[0] == '-' ||
	    label[length - 1] == '-')
		return (false);
	for (size_t i = 0; i < length; i++) {
		if ((uint8_t)label[i] < 0x80 && !is_alphanumeric(label[i]) &&
		    label[i] != '-')
			return (false);
	}
	return (true);
}

static bool
all_digits(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return (false);
	}
	return (true);
}

static bool
domain_valid(const char *text, size_t length)
{
	size_t start = 0, labels = 0;

	for (size_t at = 0; at <= length; at++) {
		if (at < length && text[at] != '.')
			continue;
		if (!label_valid(text + start, at - start))
			return (false);
		labels++;
		if (at == length)
			break;
		start = at + 1;
	}
	return (labels >= 2 && !all_digits(text + start, length - start));
}

static bool
characters_valid(const char *text, size_t length)
{
	size_t at = 0, step;
	uint32_t code_point;

	while (at < length) {
		step = utf8_sequence(
		    (const uint8_t *)text + at, length - at, &code_point);
		if (step == 0 || code_point == ' ' ||
		    !text_character_visible(code_point))
			return (false);
		at += step;
	}
	return (true);
}

enum email_result
email_parse(const char *text, size_t length, char address[EMAIL_SIZE],
    char key[EMAIL_KEY_SIZE])
{
	char folded[EMAIL_KEY_SIZE];
	const char *at;

	if (text == NULL || length == 0)
		return (EMAIL_EMPTY);
	if (length > EMAIL_BYTES_MAX)
		return (EMAIL_TOO_LONG);
	if (!characters_valid(text, length))
		return (EMAIL_MALFORMED);
	at = memchr(text, '@', length);
	if (at == NULL || !local_part_valid(text, (size_t)(at - text)) ||
	    !domain_valid(at + 1, (size_t)(text + length - at - 1)))
		return (EMAIL_MALFORMED);
	if (!text_fold(text, length, folded, sizeof(folded)))
		return (EMAIL_TOO_LONG);
	/* A compatibility form must not turn into a second '@' or a blank. */
	if (strchr(folded, '@') != strrchr(folded, '@') ||
	    strchr(folded, ' ') != NULL)
		return (EMAIL_MALFORMED);
	memcpy(address, text, length);
	address[length] = '\0';
	memcpy(key, folded, strlen(folded) + 1);
	return (EMAIL_OK);
}

const char *
email_problem(enum email_result result)
{
	switch (result) {
	case EMAIL_OK:
		return (NULL);
	case EMAIL_EMPTY:
		return ("is required");
	case EMAIL_TOO_LONG:
		return ("must be at most 255 bytes");
	case EMAIL_MALFORMED:
		return ("must be an e-mail address");
	}
	return ("is not valid");
}
