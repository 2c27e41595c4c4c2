/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past
 * U+10FFFF. For bytes that came from outside.
 */
#ifndef ONEGATE_DOMAIN_UTF8_H
#define ONEGATE_DOMAIN_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The length in bytes (1-4) of the well-formed sequence at BYTES, with its
 * code point in *CODE_POINT (may be NULL); 0 when it is broken, cut off, or
 * LENGTH is 0.
 */
size_t utf8_sequence(const uint8_t *bytes, size_t length, uint32_t *code_point);

/* Whether all of BYTES is well-formed; the empty text is. */
bool utf8_valid(const char *bytes, size_t length);

#endif
