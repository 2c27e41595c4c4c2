/*
 * Unicode text that people choose: which characters may be shown to others,
 * and the forms under which two texts are the same (UAX #15, UTS #39).
 */
#ifndef ONEGATE_DOMAIN_TEXT_H
#define ONEGATE_DOMAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether CODE_POINT has a visible shape of its own or is U+0020: no control,
 * format, bidi, private, surrogate, unassigned, filler, nor any other space. */
bool text_character_visible(uint32_t code_point);

/*
 * Writes TEXT (well-formed UTF-8) in form NFC, NUL-terminated, into OUT of
 * SIZE bytes. False when it does not fit or TEXT is broken.
 */
bool text_nfc(const char *text, size_t length, char *out, size_t size);

/* The same with NFKC and case folding, invisible characters dropped. */
bool text_fold(const char *text, size_t length, char *out, size_t size);

#endif
