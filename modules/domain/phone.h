/*
 * Indonesian mobile numbers. One person has one canonical form, "08..."; all
 * other ways of writing it are read into that.
 */
#ifndef ONEGATE_DOMAIN_PHONE_H
#define ONEGATE_DOMAIN_PHONE_H

#include <stdbool.h>
#include <stddef.h>

#define PHONE_REGISTERED_MIN 10 /* "08" and 8 digits */
#define PHONE_REGISTERED_MAX 13 /* "08" and 11 digits */
#define PHONE_WALLET_MIN 10 /* digits of a top-up's phone_number as written */
#define PHONE_WALLET_MAX 15
#define PHONE_SIZE 16 /* the longest canonical form and a NUL */
#define PHONE_WALLET_NUMBER_SIZE 19 /* wallet prefix and phone and a NUL */

/* Which wallet's own number was written, if one was. */
enum phone_wallet {
	PHONE_NO_WALLET,
	PHONE_GOPAY, /* 898 before the phone */
	PHONE_SHOPEEPAY /* 897 before the phone */
};

/*
 * The number a person registers with: `08` and 8 to 11 digits, or the same
 * with `+62` or `62` for the leading 0. False for anything else, blanks and
 * dashes too; CANONICAL is then left alone.
 */
bool phone_parse(const char *text, size_t length, char canonical[PHONE_SIZE]);

/*
 * The `phone_number` of a top-up or a charge: 10 to 15 digits in all, as
 * `08...`, `628...`, `+628...`, or `898` / `897` before one of the digit
 * forms (then more than 15 when the phone is one to register with). Gives the phone without the wallet's prefix, and the wallet.
 */
bool phone_parse_wallet(const char *text, size_t length,
    char canonical[PHONE_SIZE], enum phone_wallet *wallet);

#endif
