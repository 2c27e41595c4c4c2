/*
 * Which passwords may be chosen. Nothing here keeps, copies out or names the
 * password.
 */
#include "domain/password.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "domain/text.h"
#include "domain/utf8.h"

#define FOLDED_SIZE 4097 /* room for most foldings of 255 bytes or a name */

/* Sorted by strcmp, lower case; a unit test holds it to that. */
static const char *const common[] = {
#define COMMON(text) text,
#include "password_common.def"
#undef COMMON
};

static int
compare_text(const void *key, const void *row)
{
	return (strcmp(key, *(const char *const *)row));
}

static bool
is_common(const char *folded)
{
	return (bsearch(folded, common, sizeof(common) / sizeof(common[0]),
		    sizeof(common[0]), compare_text) != NULL);
}

static bool
folds_to(const char *text, size_t length, const char *folded)
{
	char own[FOLDED_SIZE];

	return (text_fold(text, length, own, sizeof(own)) &&
	    strcmp(own, folded) == 0);
}

/* The phone as 08..., 8..., 628... or +628... */
static bool
is_phone(const char *phone, const char *folded)
{
	if (phone[0] != '0')
		return (strcmp(phone, folded) == 0);
	if (folded[0] == '+')
		folded++;
	if (strncmp(folded, "62", 2) == 0)
		folded += 2;
	else if (folded[0] == '0')
		folded++;
	return (strcmp(phone + 1, folded) == 0);
}

static bool
is_personal(const char *folded, const struct password_owner *owner)
{
	const char *at;

	if (owner->username != NULL &&
	    folds_to(owner->username, strlen(owner->username), folded))
		return (true);
	if (owner->email != NULL) {
		at = strchr(owner->email, '@');
		if (folds_to(owner->email, strlen(owner->email), folded))
			return (true);
		if (at != NULL &&
		    folds_to(owner->email, (size_t)(at - owner->email), folded))
			return (true);
	}
	return (owner->phone != NULL && is_phone(owner->phone, folded));
}

enum password_result
password_judge(
    const char *password, size_t length, const struct password_owner *owner)
{
	char folded[FOLDED_SIZE];
	enum password_result result = PASSWORD_OK;

	if (password == NULL || length < PASSWORD_BYTES_MIN)
		return (PASSWORD_TOO_SHORT);
	if (length > PASSWORD_BYTES_MAX)
		return (PASSWORD_TOO_LONG);
	if (!utf8_valid(password, length) ||
	    memchr(password, '\0', length) != NULL)
		return (PASSWORD_NOT_UTF8);
	/* What does not fit when folded is neither common nor a name. */
	if (!text_fold(password, length, folded, sizeof(folded)))
		folded[0] = '\0';
	if (is_common(folded))
		result = PASSWORD_COMMON;
	else if (owner != NULL && is_personal(folded, owner))
		result = PASSWORD_PERSONAL;
	OPENSSL_cleanse(folded, sizeof(folded));
	return (result);
}

const char *
password_problem(enum password_result result)
{
	switch (result) {
	case PASSWORD_OK:
		return (NULL);
	case PASSWORD_TOO_SHORT:
		return ("must be at least 8 bytes");
	case PASSWORD_TOO_LONG:
		return ("must be at most 255 bytes");
	case PASSWORD_NOT_UTF8:
		return ("must be valid text");
	case PASSWORD_COMMON:
		return ("is one of the most common passwords");
	case PASSWORD_PERSONAL:
		return ("must differ from your user name, e-mail and phone");
	}
	return ("is not valid");
}
