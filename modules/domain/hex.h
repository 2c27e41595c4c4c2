/*
 * Bytes as lower-case hexadecimal text, and back.
 */
#ifndef ONEGATE_DOMAIN_HEX_H
#define ONEGATE_DOMAIN_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEX_SIZE(length) (2 * (length) + 1)

/* Writes 2 * LENGTH characters and a NUL into TEXT (HEX_SIZE(LENGTH)). */
void hex_encode(const uint8_t *bytes, size_t length, char *text);

/* Reads exactly 2 * LENGTH digits of either case; false otherwise. */
bool hex_decode(
    const char *text, size_t text_length, uint8_t *bytes, size_t length);

#endif
