/*
 * See account_memo.h. Each hash has two places: who is new takes the one that
 * was found longer ago, so that two who share a hash live side by side.
 */
#include "payment/account_memo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"

#define SETS 65536u /* a power of two; 10 MB in all */
#define WAYS 2u
#define REMEMBER_MS UINT64_C(600000)
#define NAME_MAX_LENGTH 47

struct memo {
	struct uuid account;
	uint64_t until_ms;
	unsigned char name[NAME_MAX_LENGTH];
	unsigned char tag; /* kind and length of the name */
};

_Static_assert(NAME_MAX_LENGTH < 64, "the tag has six bits for the length");

static struct memo (*memos)[WAYS];

bool
account_memo_init(void)
{
	if (memos == NULL)
		memos = calloc(SETS, sizeof(*memos));
	return memos != NULL;
}

void
account_memo_done(void)
{
	free(memos);
	memos = NULL;
}

/* FNV-1a. */
static uint64_t
hash_of(const unsigned char *bytes, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	return hash ^ (hash >> 29);
}

static struct memo *
set_of(const void *name, size_t length)
{
	return memos[hash_of(name, length) & (SETS - 1)];
}

static unsigned char
tag_of(enum account_memo_kind kind, size_t length)
{
	return (unsigned char)((unsigned)kind << 6 | length);
}

const struct uuid *
account_memo_find(enum account_memo_kind kind, const void *name, size_t length)
{
	const struct memo *set;
	uint64_t now_ms = clock_monotonic_ms();

	if (length > NAME_MAX_LENGTH)
		return NULL;
	set = set_of(name, length);
	for (unsigned way = 0; way < WAYS; way++)
		if (set[way].tag == tag_of(kind, length) &&
		    set[way].until_ms > now_ms &&
		    memcmp(set[way].name, name, length) == 0)
			return &set[way].account;
	return NULL;
}

void
account_memo_put(enum account_memo_kind kind, const void *name, size_t length,
    const struct uuid *account)
{
	struct memo *set, *memo;

	if (length > NAME_MAX_LENGTH)
		return;
	set = set_of(name, length);
	memo = set[0].until_ms <= set[1].until_ms ? &set[0] : &set[1];
	memo->account = *account;
	memo->until_ms = clock_monotonic_ms() + REMEMBER_MS;
	memo->tag = tag_of(kind, length);
	memcpy(memo->name, name, length);
}
