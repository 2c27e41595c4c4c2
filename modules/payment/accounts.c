/* See accounts.h. */
#include "payment/accounts.h"

#include <string.h>

#include "domain/phone.h"
#include "domain/username.h"
#include "io/config.h"
#include "io/log.h"
#include "io/loop.h"
#include "payment/account_memo.h"
#include "payment/payment.h"
#include "web/reply.h"

#define OPEN_EVERY_MS 500
#define OPEN_DEADLINE_MS 5000

static struct loop_timer open_timer;
static bool started;

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
	if (started)
		return true;
	started = account_memo_init();
	if (started)
		loop_timer_set(&open_timer, 0, open_due, NULL);
	return started;
}

void
accounts_done(void)
{
	loop_timer_clear(&open_timer);
	account_memo_done();
	started = false;
}

/* -- one's own ------------------------------------------------------------ */

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
	struct uuid account;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0) {
		if (lookup->opened)
			reply_error(request, ERROR_UNAVAILABLE);
		else
			open_first(request);
		return;
	}
	account = pg_binary_uuid(answer->rows, 0, 0);
	account_memo_put(ACCOUNT_OF_USER, &request->user.user_id,
	    sizeof(request->user.user_id), &account);
	lookup->next(request, &account);
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
	const struct uuid *account = account_memo_find(ACCOUNT_OF_USER,
	    &request->user.user_id, sizeof(request->user.user_id));

	if (account != NULL) {
		next(request, account);
		return;
	}
	lookup->next = next;
	lookup->opened = false;
	lookup->statement = STATEMENT_OWN_ACCOUNT;
	own_query(request);
}

/* -- somebody else's ------------------------------------------------------ */

static enum account_memo_kind
kind_of(const struct account_lookup *lookup)
{
	return lookup->statement == STATEMENT_ACCOUNT_BY_PHONE
	    ? ACCOUNT_OF_PHONE
	    : ACCOUNT_OF_NAME;
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
	account_memo_put(
	    kind_of(lookup), lookup->name, strlen(lookup->name), &account);
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
	return true;
}

void
accounts_receiver(struct request *request, const char *to, account_step_fn next)
{
	struct account_lookup *lookup = request->state;
	const struct uuid *account;
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
	account = account_memo_find(
	    kind_of(lookup), lookup->name, strlen(lookup->name));
	if (account != NULL) {
		next(request, account);
		return;
	}
	receiver_query(request);
}
