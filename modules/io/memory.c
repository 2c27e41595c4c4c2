/* Allocation that keeps a promise or ends the process. Keeps no state. */
#include "io/memory.h"

#include <stdlib.h>
#include <string.h>

#include "io/log.h"

static void
memory_out(void)
{
	log_event(LOG_LEVEL_ERROR, "memory: none left");
	abort();
}

void *
memory_new(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		memory_out();
	return memory;
}

char *
memory_text(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		memory_out();
	return copy;
}
