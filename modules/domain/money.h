/*
 * Rupiah in minor units (sen, 1/100), exact. Money never passes a float.
 */
#ifndef ONEGATE_DOMAIN_MONEY_H
#define ONEGATE_DOMAIN_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONEY_MAX_MINOR INT64_C(999999999999999) /* 9,999,999,999,999.99 */
#define MONEY_TEXT_SIZE 24 /* sign, digits, point, NUL */

/*
 * Reads an amount from its text: digits, or digits '.' one or two digits.
 * Takes 0.01 .. 9999999999999.99; refuses signs, exponents, blanks, leading
 * zeros ("01"), ".5", "5.", zero, and anything past MONEY_MAX_MINOR.
 * False leaves *AMOUNT_MINOR alone.
 */
bool money_parse(const char *text, size_t length, int64_t *amount_minor);

/*
 * Writes AMOUNT_MINOR with exactly two decimals ("150000.00", "-0.05") and a
 * NUL; any int64_t. Gives the length without NUL.
 */
size_t money_format(int64_t amount_minor, char text[MONEY_TEXT_SIZE]);

/* *SUM = A + B; false on overflow of int64_t. */
bool money_add(int64_t a, int64_t b, int64_t *sum);

/* *DIFFERENCE = A - B; false on overflow of int64_t. */
bool money_subtract(int64_t a, int64_t b, int64_t *difference);

#endif
