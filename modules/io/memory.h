/*
 * Small allocations of the io layer that carry a promise ("the callback comes
 * exactly once"): without them the promise cannot be kept, so running out of
 * memory ends the process, and the parent starts another. Never for anything
 * whose size a client chooses.
 */
#ifndef ONEGATE_IO_MEMORY_H
#define ONEGATE_IO_MEMORY_H

#include <stddef.h>

/* COUNT zeroed items of SIZE bytes, for free(). */
void *memory_new(size_t count, size_t size);

/* A copy of TEXT, for free(). */
char *memory_text(const char *text);

#endif
