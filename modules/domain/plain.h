/*
 * Plain text: what a JSON string holds as it is, printable ASCII without quote
 * and backslash. Nearly all text is plain, so that this is asked of all.
 */
#ifndef ONEGATE_DOMAIN_PLAIN_H
#define ONEGATE_DOMAIN_PLAIN_H

#include <stddef.h>

/* How many of the LENGTH bytes are plain before the first that is not. */
size_t plain_length(const void *bytes, size_t length);

#endif
