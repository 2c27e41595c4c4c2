/*
 * What the unit tests of the core share: cmocka with the headers it wants.
 */
#ifndef ONEGATE_TEST_CASES_H
#define ONEGATE_TEST_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Text with NUL bytes in it: pointer and length. */
#define TEXT(literal) (literal), sizeof(literal) - 1

#endif
