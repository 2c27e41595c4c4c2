/* What cmocka.h wants included before it. */
#ifndef ONEGATE_TEST_CMOCKA_ALL_H
#define ONEGATE_TEST_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
