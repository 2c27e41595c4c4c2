/*
 * See accounts.h. Two direct-mapped tables of fixed size: a new name simply
 * takes the place of the old one with the same hash.
 */
#include "payment/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "domain/phone.h"
#include "domain/username.h"
#include "io/clock.h"
#include "io/config.h"
#include "io/log.h"
#include "io/loop.h"
#include "payment/payment.h"
#include "web/reply.h"

#define OWN_SLOTS 32768u /* powers of two */
#define RECEIVER_SLOTS 65536u
#define REMEMBER_MS UINT64_C(600000)
#define NAME_REMEMBERED 48 /* longer names are looked up each time */
#define OPEN_EVERY_MS 500
#define OPEN_DEADLINE_MS 5000

struct own_slot {
	struct uuid user, account;
	uint64_t until_ms;
};

struct receiver_slot {
	struct uuid account;
	uint64_t until_ms;
	char kind; /* 'n' name, 'p' phone */
	char name[NAME_REMEMBERED];
};

static struct own_slot *own_slots;
static struct receiver_slot *receiver_slots;
static struct loop_timer open_timer;

static uint64_t
hash_of(const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ p[i]) * UINT64_C(1099511628211);
	return hash ^ (hash >> 29);
}

/* Follows auth's events now and then, so that a person can receive money
 * before ever having called this module. */
static void open_again(void *owner, const struct pg_answer *answer);

static void
open_params(struct pg_params *params)
{
	pg_params_init(params);
	pg_put_text(params, config_text(CONFIG_DEFAULT_TIER));
}

static void
open_due(struct loop_timer *timer, void *owner)
{
	(void)timer;
	(void)owner;
	struct pg_params params;

	open_params(&params);
	pg_call(payment_writes(), STATEMENT_OPEN_ACCOUNTS, &params, false,
	    OPEN_DEADLINE_MS, open_again, NULL);
}

static void
open_again(void *owner, const struct pg_answer *answer)
{
	(void)owner;
	if (answer->status == PG_REFUSED)
		log_event(LOG_LEVEL_ERROR, "accounts: not opened",
		    LOG_TEXT("sqlstate", answer->sqlstate),
		    LOG_TEXT("message", answer->message));
	loop_timer_set(&open_timer, OPEN_EVERY_MS, open_due, NULL);
}

bool
accounts_init(void)
{
	if (own_slots != NULL)
		return true;
	own_slots = calloc(OWN_SLOTS, sizeof(*own_slots));
	receiver_slots = calloc(RECEIVER_SLOTS, sizeof(*receiver_slots));
	if (own_slots == NULL || receiver_slots == NULL)
		return false;
	loop_timer_set(&open_timer, 0, open_due, NULL);
	return true;
}

void
accounts_done(void)
{
	loop_timer_clear(&open_timer);
	free(own_slots);
	free(receiver_slots);
	own_slots = NULL;
	receiver_slots = NULL;
}

/* -- one's own ------------------------------------------------------------ */

static struct own_slot *
own_slot_of(const struct uuid *user)
{
	return &own_slots[hash_of(user, sizeof(*user)) & (OWN_SLOTS - 1)];
}

static void own_query(struct request *request);
static void receiver_query(struct request *request);

/* Runs open_accounts once, then the look-up again. */
static void
opened(struct request *request, const struct pg_answer *answer)
{
	struct account_lookup *lookup = request->state;

	if (!request_sql_ok(request, answer))
		return;
	lookup->opened = true;
	if (lookup->statement == STATEMENT_OWN_ACCOUNT)
		own_query(request);
	else
		receiver_query(request);
}

static void
open_first(struct request *request)
{
	struct pg_params params;

	open_params(&params);
	payment_write(request, STATEMENT_OPEN_ACCOUNTS, &params, opened);
}

static void
own_found(struct request *request, const struct pg_answer *answer)
{
	struct account_lookup *lookup = request->state;
	struct own_slot *slot = own_slot_of(&request->user.user_id);

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		if (lookup->opened)
			reply_error(request, ERROR_UNAVAILABLE);
		else
			open_first(request);
		return;
	}
	slot->user = request->user.user_id;
	slot->account = pg_binary_uuid(answer->rows, 0, 0);
	slot->until_ms = clock_monotonic_ms() + REMEMBER_MS;
	lookup->next(request, &slot->account);
}

static void
own_query(struct request *request)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	request_sql(request, payment_reads(), STATEMENT_OWN_ACCOUNT, &params,
	    true, own_found);
}

void
accounts_own(struct request *request, account_step_fn next)
{
	struct account_lookup *lookup = request->state;
	const struct own_slot *slot = own_slot_of(&request->user.user_id);

	if (slot->until_ms > clock_monotonic_ms() &&
	    uuid_equal(&slot->user, &request->user.user_id)) {
		next(request, &slot->account);
		return;
	}
	lookup->next = next;
	lookup->opened = false;
	lookup->statement = STATEMENT_OWN_ACCOUNT;
	own_query(request);
}

/* -- somebody else's ------------------------------------------------------ */

static struct receiver_slot *
receiver_slot_of(const struct account_lookup *lookup)
{
	return &receiver_slots[lookup->hash & (RECEIVER_SLOTS - 1)];
}

static char
kind_of(const struct account_lookup *lookup)
{
	return lookup->statement == STATEMENT_ACCOUNT_BY_PHONE ? 'p' : 'n';
}

static void
receiver_remember(
    const struct account_lookup *lookup, const struct uuid *account)
{
	struct receiver_slot *slot = receiver_slot_of(lookup);
	size_t length = strlen(lookup->name);

	if (length >= NAME_REMEMBERED)
		return;
	slot->account = *account;
	slot->kind = kind_of(lookup);
	slot->until_ms = clock_monotonic_ms() + REMEMBER_MS;
	memcpy(slot->name, lookup->name, length + 1);
}

static void
receiver_found(struct request *request, const struct pg_answer *answer)
{
	struct account_lookup *lookup = request->state;
	struct uuid account;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		if (lookup->opened)
			lookup->next(request, NULL);
		else
			open_first(request);
		return;
	}
	account = pg_binary_uuid(answer->rows, 0, 0);
	receiver_remember(lookup, &account);
	lookup->next(request, &account);
}

static void
receiver_query(struct request *request)
{
	struct account_lookup *lookup = request->state;
	struct pg_params params;

	pg_params_init(&params);
	pg_put_text(&params, lookup->name);
	request_sql(request, payment_reads(), lookup->statement, &params, true,
	    receiver_found);
}

/* A phone before a name: nobody can take over what a phone means by choosing
 * it as user name. False: no person can be called so. */
static bool
receiver_name(
    struct request *request, struct account_lookup *lookup, const char *to)
{
	char shown[USERNAME_SIZE], key[USERNAME_KEY_SIZE];
	size_t length = strlen(to);

	if (phone_parse(to, length, key)) {
		lookup->statement = STATEMENT_ACCOUNT_BY_PHONE;
	} else if (username_parse(to, length, shown, key) == USERNAME_OK) {
		lookup->statement = STATEMENT_ACCOUNT_BY_NAME;
	} else {
		return false;
	}
	lookup->name = request_copy(request, key, strlen(key));
	lookup->hash = hash_of(key, strlen(key));
	return true;
}

void
accounts_receiver(struct request *request, const char *to, account_step_fn next)
{
	struct account_lookup *lookup = request->state;
	const struct receiver_slot *slot;
	struct uuid id;

	if (uuid_parse(to, strlen(to), &id)) {
		next(request, &id); /* payment.post knows whether it is one */
		return;
	}
	lookup->next = next;
	lookup->opened = false;
	if (!receiver_name(request, lookup, to)) {
		next(request, NULL);
		return;
	}
	slot = receiver_slot_of(lookup);
	if (slot->until_ms > clock_monotonic_ms() &&
	    slot->kind == kind_of(lookup) &&
	    strcmp(slot->name, lookup->name) == 0) {
		next(request, &slot->account);
		return;
	}
	receiver_query(request);
}
