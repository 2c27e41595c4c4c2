/*
 * See owners.h. Each account has two places, by the random end of its id (the
 * end of a version 7 UUID): the newest comes first, so that two who share them
 * live side by side.
 */
#include "payment/owners.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/memory.h"

#define SETS 65536u /* a power of two */
#define WAYS 2u

struct owner {
	struct uuid account; /* zero: a free place */
	struct uuid user;
};

struct owners {
	struct owner sets[SETS][WAYS];
};

struct owners *
owners_new(void)
{
	return memory_new(1, sizeof(struct owners));
}

void
owners_free(struct owners *owners)
{
	free(owners);
}

static uint32_t
set_of(const struct uuid *account)
{
	uint32_t end;

	memcpy(&end, account->bytes + sizeof(account->bytes) - sizeof(end),
	    sizeof(end));
	return end & (SETS - 1);
}

const struct uuid *
owners_find(const struct owners *owners, const struct uuid *account)
{
	const struct owner *set = owners->sets[set_of(account)];

	for (unsigned way = 0; way < WAYS; way++)
		if (uuid_equal(&set[way].account, account))
			return &set[way].user;
	return NULL;
}

void
owners_put(
    struct owners *owners, const struct uuid *account, const struct uuid *user)
{
	struct owner *set = owners->sets[set_of(account)];

	set[1] = set[0];
	set[0] = (struct owner){ .account = *account, .user = *user };
}
