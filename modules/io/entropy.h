/* Random bytes of the kernel's CSPRNG, and ids made of them. */
#ifndef ONEGATE_IO_ENTROPY_H
#define ONEGATE_IO_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#include "domain/uuid.h"

/* Fills BYTES; a failure of the kernel's source ends the process. */
void entropy_fill(void *bytes, size_t length);

/* A UUIDv7 of now. Ids of one process grow strictly. */
struct uuid entropy_uuid(void);

#endif
