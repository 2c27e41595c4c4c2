/*
 * Whole numbers as decimal text.
 */
#ifndef ONEGATE_DOMAIN_DECIMAL_H
#define ONEGATE_DOMAIN_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_TEXT_SIZE 21 /* of INT64_MIN, with its NUL */

/* Writes VALUE, NUL-terminated; gives the length. */
size_t decimal_format(int64_t value, char text[DECIMAL_TEXT_SIZE]);

#endif
