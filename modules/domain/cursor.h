/*
 * Cursors of lists: where the next page starts, as one opaque text. A cursor
 * holds the order's key (a time and an id) and nothing secret; it carries no
 * right, so it is checked for form only. Every cursor has exactly one text.
 */
#ifndef ONEGATE_DOMAIN_CURSOR_H
#define ONEGATE_DOMAIN_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/uuid.h"

#define CURSOR_TEXT_LENGTH 39
#define CURSOR_TEXT_SIZE (CURSOR_TEXT_LENGTH + 1)

/* Writes the cursor after the row of POSITION_US (>= 0) and ID, and a NUL. */
void cursor_write(
    int64_t position_us, const struct uuid *id, char text[CURSOR_TEXT_SIZE]);

/*
 * Reads what cursor_write made; false for all other text: another length,
 * version, check sum, or a text that is not canonical.
 */
bool cursor_read(
    const char *text, size_t length, int64_t *position_us, struct uuid *id);

#endif
