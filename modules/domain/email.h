/*
 * E-mail addresses (RFC 5321 and 6531, without quoted local parts, comments
 * and address literals): kept as written, unique without regard to case.
 */
#ifndef ONEGATE_DOMAIN_EMAIL_H
#define ONEGATE_DOMAIN_EMAIL_H

#include <stddef.h>

#define EMAIL_BYTES_MAX 255
#define EMAIL_SIZE (EMAIL_BYTES_MAX + 1)
#define EMAIL_KEY_SIZE 1025 /* folding can make an address longer */

enum email_result { EMAIL_OK, EMAIL_EMPTY, EMAIL_TOO_LONG, EMAIL_MALFORMED };

/*
 * Reads TEXT into ADDRESS (as written) and KEY (what is unique and looked
 * up). Both are NUL-terminated and only written on EMAIL_OK. The local part
 * has no limit of its own below EMAIL_BYTES_MAX; the domain has at least two
 * labels of 1 to 63 letters, digits and inner hyphens, the last not a number.
 */
enum email_result email_parse(const char *text, size_t length,
    char address[EMAIL_SIZE], char key[EMAIL_KEY_SIZE]);

/* Words for a validation message of RESULT, NULL for EMAIL_OK. */
const char *email_problem(enum email_result result);

#endif
