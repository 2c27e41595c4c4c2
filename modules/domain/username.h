/*
 * User names: kept as written (in Unicode's form NFC), unique without regard
 * to case or compatibility forms.
 */
#ifndef ONEGATE_DOMAIN_USERNAME_H
#define ONEGATE_DOMAIN_USERNAME_H

#include <stdbool.h>
#include <stddef.h>

#define USERNAME_CHARACTERS_MAX 255 /* code points after NFC */
#define USERNAME_BYTES_MAX (4 * USERNAME_CHARACTERS_MAX)
#define USERNAME_SIZE (USERNAME_BYTES_MAX + 1)
#define USERNAME_KEY_SIZE 2049 /* folding can make a name longer */

enum username_result {
	USERNAME_OK,
	USERNAME_EMPTY,
	USERNAME_TOO_LONG,
	USERNAME_NOT_UTF8,
	USERNAME_BAD_CHARACTER, /* control, format, bidi, private, unassigned,
				   invisible, or a space that is not U+0020 */
	USERNAME_BAD_SPACE /* at an end, or two in a row */
};

/*
 * Reads TEXT into NAME (NFC, as shown to people) and KEY (what is unique and
 * looked up). Both are NUL-terminated and only written on USERNAME_OK.
 */
enum username_result username_parse(const char *text, size_t length,
    char name[USERNAME_SIZE], char key[USERNAME_KEY_SIZE]);

/* Words for a validation message of RESULT, NULL for USERNAME_OK. */
const char *username_problem(enum username_result result);

/*
 * Whether KEY could also be read as something else that names a person where
 * a user name is taken: a phone number, an e-mail address or a uuid. Such a
 * name would let its owner stand in for another and is to be refused.
 */
bool username_is_ambiguous(const char *key);

#endif
