/*
 * Which payment PINs may be chosen: 6 digits that are not among the first a
 * thief would try.
 */
#ifndef ONEGATE_DOMAIN_PIN_H
#define ONEGATE_DOMAIN_PIN_H

#include <stdbool.h>
#include <stddef.h>

#define PIN_LENGTH 6

enum pin_result {
	PIN_OK,
	PIN_MALFORMED, /* not exactly 6 ASCII digits */
	PIN_WEAK
};

/* Whether TEXT has the form of a PIN; a PIN that is checked needs no more. */
bool pin_well_formed(const char *text, size_t length);

/*
 * Judges a PIN that is being chosen. Weak: equal steps from digit to digit
 * (123456, 654321, 890123, 135791, 111111), at most two different digits,
 * a repeated half or pair (123123, 121212), and dates as DDMMYY, MMDDYY or
 * YYMMDD. All weak ones get one answer and every rule is always evaluated,
 * so neither the answer nor the time tells which rule met.
 */
enum pin_result pin_judge(const char *text, size_t length);

/* Words for a validation message of RESULT, NULL for PIN_OK. */
const char *pin_problem(enum pin_result result);

#endif
