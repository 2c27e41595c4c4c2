/*
 * Which passwords may be chosen (OWASP ASVS 2.1): long enough, not one of the
 * most common, not one of the person's own names. Hashing lives elsewhere.
 */
#ifndef ONEGATE_DOMAIN_PASSWORD_H
#define ONEGATE_DOMAIN_PASSWORD_H

#include <stddef.h>

#define PASSWORD_BYTES_MIN 8
#define PASSWORD_BYTES_MAX 255

enum password_result {
	PASSWORD_OK,
	PASSWORD_TOO_SHORT,
	PASSWORD_TOO_LONG,
	PASSWORD_NOT_UTF8, /* or a NUL in it */
	PASSWORD_COMMON,
	PASSWORD_PERSONAL
};

/* Whose password it will be; NULL members are not compared. */
struct password_owner {
	const char *username;
	const char *email;
	const char *phone; /* canonical, 08... */
};

/*
 * Judges PASSWORD for OWNER. Compared without regard to case: the shipped
 * list (password_common.def), the user name, the address, its part before the
 * '@', and the phone in its three forms.
 */
enum password_result password_judge(
    const char *password, size_t length, const struct password_owner *owner);

/* Words for a validation message of RESULT, NULL for PASSWORD_OK. */
const char *password_problem(enum password_result result);

#endif
