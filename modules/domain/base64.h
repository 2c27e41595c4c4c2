/*
 * Base64 (RFC 4648): the standard alphabet with padding and the URL one
 * without. Decoding is strict and canonical: one text for each byte string,
 * so no blanks, no wrong padding, no stray bits in the last character.
 */
#ifndef ONEGATE_DOMAIN_BASE64_H
#define ONEGATE_DOMAIN_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for LENGTH bytes as text (either alphabet) and its NUL. */
#define BASE64_SIZE(length) (((length) + 2) / 3 * 4 + 1)

/* Write the text of BYTES and a NUL into TEXT, which has room for
 * BASE64_SIZE(length); give the length without the NUL. */
size_t base64_encode(const uint8_t *bytes, size_t length, char *text);
size_t base64url_encode(const uint8_t *bytes, size_t length, char *text);

/*
 * Read TEXT into BYTES (room for SIZE) and set *DECODED to the count. False
 * when the text is not canonical or does not fit; BYTES is then undefined.
 * The empty text is zero bytes.
 */
bool base64_decode(const char *text, size_t length, uint8_t *bytes, size_t size,
    size_t *decoded);
bool base64url_decode(const char *text, size_t length, uint8_t *bytes,
    size_t size, size_t *decoded);

#endif
