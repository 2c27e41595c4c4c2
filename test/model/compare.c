/*
 * The model of the ledger and the real one, side by side: random operations,
 * always the same ones for the same seed, and after each step every answer,
 * balance, hold, sequence and month's sum compared.
 *
 *   ledger-compare CONNINFO [operations [seed]]
 *
 * CONNINFO names a fresh, migrated database and a role that may do anything
 * in it. Status 0: no difference; 1: the first one is on stderr with the seed
 * that repeats it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "ledger_model.h"

#define OPERATIONS_DEFAULT 100000
#define BATCH_MAX 64
#define HOUSE 6
#define PERSONS 20
#define MERCHANTS 5
#define NOBODIES 2
#define FIRST_PERSON HOUSE
#define FIRST_MERCHANT (FIRST_PERSON + PERSONS)
#define FIRST_NOBODY (FIRST_MERCHANT + MERCHANTS)
#define ACCOUNTS (FIRST_NOBODY + NOBODIES)
#define FEE 3
#define SUSPENSE 4
#define CAPITAL 5
#define CLOSED_MAX 3
#define RECENT_KEYS 100
#define RECENT_PAYMENTS 120
#define RECENT_OPERATIONS 60
#define PARAMETERS_MAX 14
#define TEXT_SIZE 32768

/* Keys of one space never meet those of another: its number is the scope. */
enum space {
	SPACE_POST,
	SPACE_TOPUP,
	SPACE_CHARGE,
	SPACE_CREATE,
	SPACE_CANCEL,
	SPACE_STEP,
	SPACES
};

struct text {
	char bytes[TEXT_SIZE];
	size_t length;
};

struct key_use {
	int number; /* MODEL_NONE: no key */
	int fingerprint;
};

static uint64_t chance_seed, chance_state;
static long done_count;
static PGconn *db;
static struct model model;
static struct uuid *payment_ids, *operation_ids;
static int payment_id_room, operation_id_room;
static int space_keys[SPACES]; /* keys made so far */
static int closed_count;
static long refusals_seen[32];

static _Noreturn void
differ(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr,
	    "seed %llu, operation %ld: ", (unsigned long long)chance_seed,
	    done_count);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	exit(1);
}

static uint64_t
next_random(void)
{
	/* splitmix64 */
	uint64_t z = (chance_state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31));
}

static int
chance(int below)
{
	return ((int)(next_random() % (uint64_t)below));
}

static struct uuid
new_id(void)
{
	uint8_t entropy[10];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < sizeof(entropy); i++)
		entropy[i] = (uint8_t)next_random();
	return (uuid_v7((uint64_t)now.tv_sec * 1000, entropy));
}

/* House accounts have the ids of the migrations; the others are ours. */
static struct uuid
account_id(int account)
{
	struct uuid id = { { 0 } };

	id.bytes[6] = 0x70;
	id.bytes[8] = 0x80;
	id.bytes[15] = (uint8_t)(account + 1);
	if (account >= HOUSE)
		id.bytes[0] = 0x10;
	return (id);
}

static void __attribute__((format(printf, 2, 3)))
put(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->bytes + text->length,
	    sizeof(text->bytes) - text->length, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(text->bytes) - text->length)
		abort();
	text->length += (size_t)length;
}

/* An element of an array literal: starts with '{' or ','. */
static void
put_separator(struct text *text)
{
	put(text, text->length == 0 ? "{" : ",");
}

static void
put_id(struct text *text, const struct uuid *id)
{
	char written[UUID_TEXT_SIZE];

	uuid_format(id, written);
	put(text, "%s", written);
}

/*
 * The database
 */

static PGresult *
query(const char *sql, int count, const char *const *values)
{
	PGresult *result =
	    PQexecParams(db, sql, count, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
	    PQresultStatus(result) != PGRES_COMMAND_OK)
		differ("%s: %s", sql, PQerrorMessage(db));
	return (result);
}

static int64_t
number_at(const PGresult *result, int row, int column)
{
	return (strtoll(PQgetvalue(result, row, column), NULL, 10));
}

static void
same_number(const char *what, int64_t expected, int64_t found)
{
	if (expected != found)
		differ("%s: the model says %lld, the ledger %lld", what,
		    (long long)expected, (long long)found);
}

static void
same_id(const char *what, const struct uuid *expected, const char *found)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(expected, text);
	if (strcmp(text, found) != 0)
		differ(
		    "%s: the model says %s, the ledger %s", what, text, found);
}

static bool
is_true(const PGresult *result, int row, int column)
{
	return (PQgetvalue(result, row, column)[0] == 't');
}

static void
compare_accounts(void)
{
	PGresult *result = query(
	    "select balance, held, sequence, incoming from payment.accounts "
	    "where id <= '20000000-0000-7000-8000-000000000000' order by id",
	    0, NULL);

	same_number("accounts", FIRST_NOBODY, PQntuples(result));
	for (int i = 0; i < FIRST_NOBODY; i++) {
		const struct model_account *account = &model.accounts[i];
		char what[64];

		snprintf(what, sizeof(what), "account %d", i);
		same_number(what, account->balance, number_at(result, i, 0));
		same_number(what, account->held, number_at(result, i, 1));
		same_number(what, account->sequence, number_at(result, i, 2));
		if (i >= FIRST_PERSON)
			same_number(
			    what, account->incoming, number_at(result, i, 3));
	}
	PQclear(result);
}

/*
 * Chance
 */

static int
any_person(void)
{
	return (FIRST_PERSON + chance(PERSONS));
}

static int
any_merchant(void)
{
	return (FIRST_MERCHANT + chance(MERCHANTS));
}

static int
any_account(void)
{
	return (chance(ACCOUNTS));
}

/* Mostly small; now and then an edge of what PAYER has or a rule allows. */
static int64_t
any_amount(int payer)
{
	const struct model_account *account = &model.accounts[payer];
	int64_t available = account->balance - account->held;

	switch (chance(24)) {
	case 0:
		return (available);
	case 1:
		return (available + 1);
	case 2:
		return (chance(3) - 1);
	case 3:
		return (chance(8) == 0 ? MODEL_AMOUNT_MAX + chance(2)
				       : model.balance_cap[chance(2)] -
			    account->balance + chance(2));
	case 4:
	case 5:
		return (1 + chance(200000000));
	default:
		return (1 + chance(5000000));
	}
}

static struct key_use
any_key(enum space space)
{
	struct key_use use = { MODEL_NONE, 0 };
	int made = space_keys[space], back;

	if (chance(10) < 4)
		return (use);
	if (made > 0 && chance(6) == 0) {
		back = chance(made < RECENT_KEYS ? made : RECENT_KEYS);
		use.number = (made - 1 - back) * SPACES + (int)space;
		use.fingerprint = chance(5) == 0 ? 1 : 0;
		return (use);
	}
	use.number = space_keys[space]++ * SPACES + (int)space;
	return (use);
}

/* Scope, key and fingerprint as three parameters, NULL without a key. */
static void
key_parameters(struct key_use use, const char *values[3], char texts[3][80])
{
	values[0] = values[1] = values[2] = NULL;
	if (use.number == MODEL_NONE)
		return;
	snprintf(texts[0], 80, "scope-%d", use.number % SPACES);
	snprintf(texts[1], 80, "key-%d", use.number / SPACES);
	snprintf(texts[2], 80, "\\x%064d", use.fingerprint);
	for (int i = 0; i < 3; i++)
		values[i] = texts[i];
}

/*
 * Batches through payment.post
 */

static void
choose_transfer(struct model_item *item)
{
	item->kind = MODEL_TRANSFER;
	item->debit = chance(30) == 0 ? any_account() : any_person();
	item->credit = chance(5) == 0 ? any_account() : any_person();
	item->amount = any_amount(item->debit);
}

static void
choose_fee(struct model_item *item)
{
	item->kind = MODEL_FEE;
	item->debit = chance(10) == 0 ? any_account() : any_person();
	item->credit = chance(10) == 0 ? any_account() : FEE;
	/* What lies in suspense must have come from an operation. */
	if (item->credit == SUSPENSE)
		item->credit = FEE;
	item->amount = any_amount(item->debit);
}

/* Pays or refunds one of the newer payments, by the right ones mostly. */
static void
choose_payment(struct model_item *item)
{
	int newest = model.payment_count < RECENT_PAYMENTS ? model.payment_count
							   : RECENT_PAYMENTS;
	const struct model_payment *payment;

	item->kind = chance(2) ? MODEL_PAYMENT : MODEL_REFUND;
	item->debit = any_person();
	item->credit = any_merchant();
	item->amount = any_amount(item->debit);
	if (newest == 0 || chance(20) == 0)
		return;
	item->payment = model.payment_count - 1 - chance(newest);
	payment = &model.payments[item->payment];
	if (chance(12) != 0) {
		item->debit = payment->payer;
		item->credit = payment->merchant;
	}
	if (item->kind == MODEL_REFUND) {
		int payer = item->debit;
		item->debit = item->credit;
		item->credit = payer;
	}
	if (chance(3) != 0)
		item->amount = 0;
	else if (chance(2))
		item->amount = payment->amount / (1 + chance(4));
}

static void
choose_item(struct model_item *item)
{
	struct key_use use = any_key(SPACE_POST);

	*item = (struct model_item){ .id = new_id(),
		.payment = MODEL_NONE,
		.operation = MODEL_NONE,
		.leads_to = MODEL_NONE,
		.key = use.number,
		.fingerprint = use.fingerprint };
	if (chance(3) == 0)
		choose_payment(item);
	else if (chance(6) == 0)
		choose_fee(item);
	else
		choose_transfer(item);
	if (chance(50) == 0)
		item->refuse_with = CODE_UNKNOWN_RECEIVER;
}

/* The parameters of payment.post, in its order. */
enum column {
	COLUMN_ACCOUNTS,
	COLUMN_IDS,
	COLUMN_KINDS,
	COLUMN_DEBITS,
	COLUMN_CREDITS,
	COLUMN_AMOUNTS,
	COLUMN_OPERATIONS,
	COLUMN_SCOPES,
	COLUMN_KEYS,
	COLUMN_FINGERPRINTS,
	COLUMN_REFUSALS,
	COLUMN_LOST,
	COLUMNS
};

static void
put_item(struct text columns[COLUMNS], const struct model_item *item,
    const int places[ACCOUNTS])
{
	const char *keyed[3];
	char texts[3][80];
	struct uuid subject = new_id();

	for (int i = COLUMN_IDS; i <= COLUMN_REFUSALS; i++)
		put_separator(&columns[i]);
	put_id(&columns[COLUMN_IDS], &item->id);
	put(&columns[COLUMN_KINDS], "%d", (int)item->kind);
	put(&columns[COLUMN_DEBITS], "%d", places[item->debit]);
	put(&columns[COLUMN_CREDITS], "%d", places[item->credit]);
	put(&columns[COLUMN_AMOUNTS], "%lld", (long long)item->amount);
	if (item->payment != MODEL_NONE)
		subject = payment_ids[item->payment];
	if (item->kind == MODEL_PAYMENT || item->kind == MODEL_REFUND)
		put_id(&columns[COLUMN_OPERATIONS], &subject);
	else
		put(&columns[COLUMN_OPERATIONS], "NULL");
	key_parameters(
	    (struct key_use){ item->key, item->fingerprint }, keyed, texts);
	put(&columns[COLUMN_SCOPES], "%s", keyed[0] ? keyed[0] : "NULL");
	put(&columns[COLUMN_KEYS], "%s", keyed[1] ? keyed[1] : "NULL");
	if (keyed[2] != NULL)
		put(&columns[COLUMN_FINGERPRINTS], "\"\\%s\"", keyed[2]);
	else
		put(&columns[COLUMN_FINGERPRINTS], "NULL");
	put(&columns[COLUMN_REFUSALS], "%d", (int)item->refuse_with);
}

/* The accounts of the items, once each in order; where each one stands. */
static void
put_accounts(struct text *text, const struct model_item *items, int count,
    int places[ACCOUNTS])
{
	int place = 0;

	memset(places, 0, ACCOUNTS * sizeof(*places));
	for (int i = 0; i < count; i++) {
		places[items[i].debit] = 1;
		places[items[i].credit] = 1;
	}
	for (int account = 0; account < ACCOUNTS; account++) {
		struct uuid id = account_id(account);
		if (places[account] == 0)
			continue;
		places[account] = ++place;
		put_separator(text);
		put_id(text, &id);
	}
}

static PGresult *
send_batch(const struct model_item *items, int count, bool is_lost)
{
	static struct text columns[COLUMNS];
	const char *values[COLUMNS];
	int places[ACCOUNTS];

	for (int i = 0; i < COLUMNS; i++)
		columns[i].length = 0;
	put_accounts(&columns[COLUMN_ACCOUNTS], items, count, places);
	for (int i = 0; i < count; i++)
		put_item(columns, &items[i], places);
	for (int i = 0; i < COLUMN_LOST; i++)
		put(&columns[i], "}");
	put(&columns[COLUMN_LOST], is_lost ? "t" : "f");
	for (int i = 0; i < COLUMNS; i++)
		values[i] = columns[i].bytes;
	return (query(
	    "select p.code, p.replayed, p.row_id, p.amount, p.debit_balance, "
	    "p.debit_held, p.debit_sequence, p.credit_balance, p.credit_held, "
	    "p.credit_sequence, p.item from payment.post($1::uuid[], "
	    "$2::uuid[], $3::int2[], $4::int4[], $5::int4[], $6::int8[], "
	    "$7::uuid[], array_fill(null::text, "
	    "array[cardinality($2::uuid[])]), "
	    "$8::text[], $9::text[], $10::bytea[], $11::int2[], $12::boolean) "
	    "p",
	    COLUMNS, values));
}

static void
compare_side(const char *what, const struct model_side *side,
    const PGresult *result, int row, int column)
{
	if (side->is_touched == (PQgetisnull(result, row, column) == 1))
		differ("%s: touched by only one of the two", what);
	if (!side->is_touched)
		return;
	same_number(what, side->balance, number_at(result, row, column));
	same_number(what, side->held, number_at(result, row, column + 1));
	same_number(what, side->sequence, number_at(result, row, column + 2));
}

static void
compare_item(const struct model_item *item, const struct model_answer *answer,
    const PGresult *result, int row)
{
	char what[160];

	snprintf(what, sizeof(what),
	    "item %d (kind %d, %d to %d, amount %lld, key %d)", row,
	    (int)item->kind, item->debit, item->credit, (long long)item->amount,
	    item->key);
	same_number(what, row + 1, number_at(result, row, 10));
	same_number(what, (int64_t)answer->code, number_at(result, row, 0));
	same_number(what, answer->is_replayed, is_true(result, row, 1));
	same_id(what, &answer->row, PQgetvalue(result, row, 2));
	refusals_seen[answer->code]++;
	if (answer->code != CODE_DONE)
		return;
	same_number(what, answer->amount, number_at(result, row, 3));
	compare_side(what, &answer->debit, result, row, 4);
	compare_side(what, &answer->credit, result, row, 7);
}

static void
post_batch(const struct model_item *items, int count, bool is_lost)
{
	struct model_answer answer;
	PGresult *result = send_batch(items, count, is_lost);

	same_number("answers", count, PQntuples(result));
	for (int i = 0; i < count; i++) {
		model_post(&model, &items[i], is_lost, &answer);
		compare_item(&items[i], &answer, result, i);
	}
	PQclear(result);
}

static void
step_batch(void)
{
	struct model_item items[BATCH_MAX];
	int count = 1 + chance(BATCH_MAX);

	for (int i = 0; i < count; i++)
		choose_item(&items[i]);
	post_batch(items, count, false);
	done_count += count;
	if (chance(20) == 0) {
		/* The answer was lost: the worker sends the batch again. */
		post_batch(items, count, true);
		done_count += count;
	}
}

/*
 * Operations and payments through their functions
 */

static void
push_id(struct uuid **ids, int *room, int count, const struct uuid *id)
{
	if (count >= *room) {
		*room = *room == 0 ? 1024 : *room * 2;
		*ids = realloc(*ids, (size_t)*room * sizeof(**ids));
		if (*ids == NULL)
			abort();
	}
	(*ids)[count] = *id;
}

static void
step_begin(void)
{
	bool is_out = chance(2) == 0;
	int account = any_person(), provider = chance(2);
	int64_t amount = any_amount(account);
	struct key_use use = any_key(is_out ? SPACE_TOPUP : SPACE_CHARGE);
	bool is_taken = model.operation_count > 0 && chance(40) == 0;
	int before = model.operation_count;
	struct uuid id = new_id(), person = account_id(account), row = id;
	struct model_answer answer;
	char id_text[UUID_TEXT_SIZE], account_text[UUID_TEXT_SIZE];
	char amount_text[24], reference[UUID_TEXT_SIZE], texts[3][80];
	const char *values[8];
	PGresult *result;

	/* Charges that just fit now and may not when they are decided. */
	if (!is_out && chance(4) == 0)
		amount = model.balance_cap[1] -
		    model.accounts[account].balance - chance(3) + 1;
	else if (!is_out && chance(4) == 0)
		amount = model.month_cap[1] - model.accounts[account].incoming -
		    chance(3) + 1;
	uuid_format(&id, id_text);
	uuid_format(&person, account_text);
	uuid_format(is_taken ? &operation_ids[chance(before)] : &id, reference);
	snprintf(amount_text, sizeof(amount_text), "%lld", (long long)amount);
	values[0] = id_text;
	values[1] = account_text;
	values[2] = provider == 0 ? "GOPAY" : "SHOPEE_PAY";
	values[3] = amount_text;
	values[4] = reference;
	key_parameters(use, values + 5, texts);
	result = query(is_out
		? "select o.code, o.replayed, o.id, o.state from "
		  "payment.topup_begin($1, $2, $3, '081234567890', $4, $5, "
		  "null, null, 30, $6, $7, $8::bytea) o"
		: "select o.code, o.replayed, o.id, o.state from "
		  "payment.charge_begin($1, $2, $3, '081234567890', $4, $5, "
		  "null, null, 30, $6, $7, $8::bytea) o",
	    8, values);
	model_operation_begin(&model, is_out, account, provider, amount,
	    use.number, use.fingerprint, is_taken, &row, &answer);
	if (model.operation_count > before)
		push_id(&operation_ids, &operation_id_room, before, &id);
	same_number("begin", (int64_t)answer.code, number_at(result, 0, 0));
	same_number(
	    "begin: replayed", answer.is_replayed, is_true(result, 0, 1));
	refusals_seen[answer.code]++;
	if (answer.code == CODE_DONE || answer.code == CODE_KEY_IN_PROGRESS)
		same_id("begin", &operation_ids[answer.operation],
		    PQgetvalue(result, 0, 2));
	PQclear(result);
	done_count++;
}

static int
recent_operation(void)
{
	int newest = model.operation_count < RECENT_OPERATIONS
	    ? model.operation_count
	    : RECENT_OPERATIONS;

	return (model.operation_count - 1 - chance(newest));
}

static void
step_decide(void)
{
	static const char *const calls[2][2] = {
		{ "select o.code, o.state from payment.charge_fail($1, $2, "
		  "'model') o",
		    "select o.code, o.state from payment.charge_credit($1, $2) "
		    "o" },
		{ "select o.code, o.state from payment.topup_release($1, $2, "
		  "'model') o",
		    "select o.code, o.state from payment.topup_settle($1, $2) "
		    "o" },
	};
	enum transaction_status outcome =
	    (enum transaction_status)(TRANSACTION_SUCCESS + chance(3));
	char id_text[UUID_TEXT_SIZE];
	const char *values[2] = { id_text, transaction_status_name(outcome) };
	enum model_code code;
	PGresult *result;
	int number;

	if (model.operation_count == 0)
		return;
	number = recent_operation();
	uuid_format(&operation_ids[number], id_text);
	result = query(calls[model.operations[number].is_out]
			    [outcome == TRANSACTION_SUCCESS],
	    2, values);
	code = model_operation_decide(&model, number, outcome);
	same_number("decide", (int64_t)code, number_at(result, 0, 0));
	if (strcmp(transaction_status_name(model.operations[number].state),
		PQgetvalue(result, 0, 1)) != 0)
		differ("decide: the ledger says %s", PQgetvalue(result, 0, 1));
	refusals_seen[code]++;
	PQclear(result);
	done_count++;
}

static void
step_escalate(void)
{
	char id_text[UUID_TEXT_SIZE];
	const char *values[1] = { id_text };
	enum model_code code;
	PGresult *result;
	int number;

	if (model.operation_count == 0)
		return;
	number = recent_operation();
	uuid_format(&operation_ids[number], id_text);
	result = query("select o.code, o.escalated from "
		       "payment.operation_escalate($1, 'model') o",
	    1, values);
	code = model_operation_escalate(&model, number);
	same_number("escalate", (int64_t)code, number_at(result, 0, 0));
	same_number("escalate: escalated",
	    model.operations[number].is_escalated, is_true(result, 0, 1));
	PQclear(result);
	done_count++;
}

static void
step_create(void)
{
	int payer = any_person(), before = model.payment_count;
	int merchant = any_merchant();
	int64_t amount = any_amount(payer);
	bool is_qris = chance(4) == 0, is_expired = chance(10) == 0;
	struct key_use use = any_key(SPACE_CREATE);
	struct uuid id = new_id(), payer_id = account_id(payer);
	struct uuid merchant_id = account_id(merchant), row = id;
	struct model_answer answer;
	char id_text[UUID_TEXT_SIZE], payer_text[UUID_TEXT_SIZE];
	char merchant_text[UUID_TEXT_SIZE], amount_text[24], texts[3][80];
	const char *values[9];
	PGresult *result;

	uuid_format(&id, id_text);
	uuid_format(&payer_id, payer_text);
	uuid_format(&merchant_id, merchant_text);
	snprintf(amount_text, sizeof(amount_text), "%lld", (long long)amount);
	values[0] = id_text;
	values[1] = payer_text;
	values[2] = merchant_text;
	values[3] = amount_text;
	values[4] = is_expired ? "-1" : "86400";
	values[5] = is_qris ? "t" : "f";
	key_parameters(use, values + 6, texts);
	result = query("select p.code, p.replayed, p.id from "
		       "payment.payment_create($1, $2, $3, $4, null, null, "
		       "null, $5, $6, $7, $8, $9::bytea) p",
	    9, values);
	model_payment_create(&model, payer, merchant, amount, is_qris,
	    is_expired, use.number, use.fingerprint, &row, &answer);
	if (model.payment_count > before)
		push_id(&payment_ids, &payment_id_room, before, &id);
	same_number("create", (int64_t)answer.code, number_at(result, 0, 0));
	same_number(
	    "create: replayed", answer.is_replayed, is_true(result, 0, 1));
	if (answer.code == CODE_DONE)
		same_id("create", &payment_ids[answer.payment],
		    PQgetvalue(result, 0, 2));
	refusals_seen[answer.code]++;
	PQclear(result);
	done_count++;
}

/* A payment's cancel, process or refund through its own function. */
static void
step_payment(void)
{
	static const char *const calls[] = {
		"select p.code, p.replayed, p.row_amount from "
		"payment.payment_cancel($1, $2, $3, $4, $5::bytea) p",
		"select p.code, p.replayed, p.row_amount from "
		"payment.payment_process($1, $2, $6, $3, $4, $5::bytea) p",
		"select p.code, p.replayed, p.row_amount from "
		"payment.payment_refund($1, $2, $6, $7, null, $3, $4, "
		"$5::bytea) p",
	};
	char id_text[UUID_TEXT_SIZE], payer_text[UUID_TEXT_SIZE];
	char row_text[UUID_TEXT_SIZE], amount_text[24], texts[3][80];
	const char *values[7];
	int which = chance(3), newest, number, payer;
	struct model_payment *payment;
	struct model_answer answer = { .code = CODE_PAYMENT_NOT_FOUND };
	struct uuid row = new_id(), payer_id;
	struct key_use use;
	PGresult *result;
	int64_t amount;

	if (model.payment_count == 0)
		return;
	use = any_key(which == 0 ? SPACE_CANCEL : SPACE_STEP);
	newest = model.payment_count < RECENT_PAYMENTS ? model.payment_count
						       : RECENT_PAYMENTS;
	number = model.payment_count - 1 - chance(newest);
	payment = &model.payments[number];
	payer = chance(15) == 0 ? any_person() : payment->payer;
	amount = chance(2) ? 0 : payment->amount / (1 + chance(4));
	payer_id = account_id(payer);
	uuid_format(&payment_ids[number], id_text);
	uuid_format(&payer_id, payer_text);
	uuid_format(&row, row_text);
	snprintf(amount_text, sizeof(amount_text), "%lld", (long long)amount);
	values[0] = id_text;
	values[1] = payer_text;
	key_parameters(use, values + 2, texts);
	values[5] = row_text;
	values[6] = amount_text;
	result = query(calls[which], 5 + which, values);
	if (which == 0)
		model_payment_cancel(&model, number, payer, use.number,
		    use.fingerprint, &row, &answer);
	else if (payment->payer == payer) {
		bool pays = which == 1;
		struct model_item item = {
			.kind = pays ? MODEL_PAYMENT : MODEL_REFUND,
			.id = row,
			.debit = pays ? payer : payment->merchant,
			.credit = pays ? payment->merchant : payer,
			.amount = pays ? 0 : amount,
			.payment = number,
			.operation = MODEL_NONE,
			.key = use.number,
			.fingerprint = use.fingerprint,
			.leads_to = MODEL_NONE,
		};
		model_post(&model, &item, false, &answer);
	}
	same_number("payment", (int64_t)answer.code, number_at(result, 0, 0));
	same_number(
	    "payment: replayed", answer.is_replayed, is_true(result, 0, 1));
	if (answer.code == CODE_DONE)
		same_number(
		    "payment: amount", answer.amount, number_at(result, 0, 2));
	refusals_seen[answer.code]++;
	PQclear(result);
	done_count++;
}

static void
step_expire(void)
{
	int64_t ended = 0, now;

	do {
		PGresult *result =
		    query("select payment.payments_expire(200)", 0, NULL);
		now = number_at(result, 0, 0);
		ended += now;
		PQclear(result);
	} while (now > 0);
	same_number("expired", model_payments_expire(&model), ended);
	done_count++;
}

/*
 * Operators
 */

static void
adjust(int account, int64_t amount)
{
	struct uuid id = account_id(account);
	char id_text[UUID_TEXT_SIZE], amount_text[24];
	const char *values[2] = { id_text, amount_text };
	PGresult *result;

	uuid_format(&id, id_text);
	snprintf(amount_text, sizeof(amount_text), "%lld", (long long)amount);
	result =
	    query("select payment.adjust($1, $2, 'model', 'model')", 2, values);
	same_number("adjust",
	    (int64_t)model_adjust(&model, CAPITAL, account, amount),
	    number_at(result, 0, 0));
	PQclear(result);
	done_count++;
}

static void
set_status(int account, enum model_status status)
{
	static const char *const names[] = { "ACTIVE", "SUSPENDED", "CLOSED" };
	struct uuid id = account_id(account);
	char id_text[UUID_TEXT_SIZE];
	const char *values[2] = { id_text, names[status] };

	uuid_format(&id, id_text);
	PQclear(query("select payment.account_status_set($1, $2, 'model', "
		      "'model')",
	    2, values));
	model.accounts[account].status = status;
	done_count++;
}

static void
step_status(void)
{
	int account = chance(4) == 0 ? any_merchant() : any_person();
	const struct model_account *now = &model.accounts[account];

	if (now->status == STATUS_CLOSED)
		return;
	if (closed_count < CLOSED_MAX && account < FIRST_MERCHANT &&
	    now->held == 0 && chance(10) == 0) {
		if (now->balance > 0)
			adjust(account, -now->balance);
		set_status(account, STATUS_CLOSED);
		closed_count++;
		return;
	}
	/* Most of the time most are active. */
	set_status(account,
	    now->status == STATUS_SUSPENDED || chance(4) != 0
		? STATUS_ACTIVE
		: STATUS_SUSPENDED);
}

static void
step_tier(void)
{
	int account = any_person();
	bool is_registered = chance(5) != 0;
	struct uuid id = account_id(account);
	char id_text[UUID_TEXT_SIZE];
	const char *values[2] = { id_text,
		is_registered ? "registered" : "unregistered" };

	uuid_format(&id, id_text);
	PQclear(
	    query("select payment.account_tier_set($1, $2, 'model', 'model')",
		2, values));
	model.accounts[account].class =
	    is_registered ? CLASS_REGISTERED : CLASS_UNREGISTERED;
	done_count++;
}

/* A new rule from now on: the month's cap is near what somebody has received,
 * or far away, so that it is met and money flows on. */
static void
step_rule(void)
{
	int tier = chance(2);
	int64_t room = chance(3) == 0 ? 2000000000 : 1 + chance(10000000);
	char amount_text[24];
	const char *values[2] = { tier ? "registered" : "unregistered",
		amount_text };

	model.month_cap[tier] = model.accounts[any_person()].incoming + room;
	snprintf(amount_text, sizeof(amount_text), "%lld",
	    (long long)model.month_cap[tier]);
	PQclear(query("insert into payment.limit_rules values ($1, "
		      "'monthly_incoming', $2, clock_timestamp(), 'model')",
	    2, values));
	done_count++;
}

static void
step_adjust(void)
{
	int account = chance(4) == 0 ? any_merchant() : any_person();

	adjust(account,
	    chance(4) == 0 ? -(int64_t)(1 + chance(50000000))
			   : 1 + chance(100000000));
}

/*
 * The run
 */

static const struct {
	void (*step)(void);
	int weight;
} steps[] = {
	{ step_batch, 20 },
	{ step_begin, 14 },
	{ step_decide, 14 },
	{ step_escalate, 2 },
	{ step_create, 16 },
	{ step_payment, 10 },
	{ step_expire, 1 },
	{ step_adjust, 10 },
	{ step_status, 6 },
	{ step_tier, 2 },
	{ step_rule, 2 },
};

#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

static void
step(void)
{
	int total = 0, at = 0, left;

	for (int i = 0; i < STEPS; i++)
		total += steps[i].weight;
	left = chance(total);
	while (left >= steps[at].weight)
		left -= steps[at++].weight;
	steps[at].step();
	compare_accounts();
}

static int64_t
cap(const char *tier, const char *rule)
{
	const char *values[2] = { tier, rule };
	PGresult *result =
	    query("select amount from payment.limit_rules where tier = $1 and "
		  "rule = $2 and effective_from <= now() order by "
		  "effective_from desc limit 1",
		2, values);
	int64_t amount = number_at(result, 0, 0);

	PQclear(result);
	return (amount);
}

static void
open_account(int account)
{
	bool is_merchant = account >= FIRST_MERCHANT;
	struct uuid id = account_id(account);
	char id_text[UUID_TEXT_SIZE];
	const char *values[1] = { id_text };

	uuid_format(&id, id_text);
	if (!is_merchant) {
		PQclear(query("insert into payment.accounts (id, user_id, "
			      "kind) values ($1, $1, 'user')",
		    1, values));
		return;
	}
	PQclear(query("insert into payment.accounts (id, kind, name) values "
		      "($1, 'merchant', 'model')",
	    1, values));
	PQclear(query("insert into payment.merchants (id, account_id, name, "
		      "category, city) values ($1, $1, 'model', '5411', "
		      "'Jakarta')",
	    1, values));
}

static void
prepare(void)
{
	PGresult *result =
	    query("select count(*) from payment.transfers", 0, NULL);

	same_number("a fresh database's journal", 0, number_at(result, 0, 0));
	PQclear(result);
	model_init(&model);
	for (int i = 0; i < ACCOUNTS; i++) {
		model_account_add(&model,
		    i < FIRST_PERSON         ? CLASS_HOUSE
			: i < FIRST_MERCHANT ? CLASS_REGISTERED
			: i < FIRST_NOBODY   ? CLASS_MERCHANT
					     : CLASS_NOBODY);
		if (i >= FIRST_PERSON && i < FIRST_NOBODY)
			open_account(i);
	}
	model.suspense = SUSPENSE;
	model.balance_cap[0] = cap("unregistered", "balance");
	model.balance_cap[1] = cap("registered", "balance");
	model.month_cap[0] = cap("unregistered", "monthly_incoming");
	model.month_cap[1] = cap("registered", "monthly_incoming");
	model.qris_cap = cap("any", "qris_payment");
	for (int i = FIRST_PERSON; i < FIRST_MERCHANT; i++)
		adjust(i, 100000000);
}

/* All that changes over time, and the ledger's own proof of its books. */
static void
compare_end(void)
{
	PGresult *result;

	for (int i = 0; i < model.payment_count; i++) {
		char id[UUID_TEXT_SIZE];
		const char *values[1] = { id };

		uuid_format(&payment_ids[i], id);
		result = query("select state, refunded from "
			       "payment.payment_intents where id = $1",
		    1, values);
		if (strcmp(transaction_status_name(model.payments[i].state),
			PQgetvalue(result, 0, 0)) != 0)
			differ("payment %d is %s", i, PQgetvalue(result, 0, 0));
		same_number("refunded", model.payments[i].refunded,
		    number_at(result, 0, 1));
		PQclear(result);
	}
	for (int i = 0; i < model.operation_count; i++) {
		char id[UUID_TEXT_SIZE];
		const char *values[1] = { id };

		uuid_format(&operation_ids[i], id);
		result = query("select state from "
			       "payment.provider_operations where id = $1",
		    1, values);
		if (strcmp(transaction_status_name(model.operations[i].state),
			PQgetvalue(result, 0, 0)) != 0)
			differ(
			    "operation %d is %s", i, PQgetvalue(result, 0, 0));
		PQclear(result);
	}
	result = query("select count(*) from payment.transfers", 0, NULL);
	same_number("rows", model.row_count, number_at(result, 0, 0));
	PQclear(result);
	result = query("select * from payment.audit()", 0, NULL);
	if (PQntuples(result) > 0)
		differ("the audit: %s %s", PQgetvalue(result, 0, 0),
		    PQgetvalue(result, 0, 1));
	PQclear(result);
}

int
main(int argc, char **argv)
{
	long wanted = OPERATIONS_DEFAULT;

	if (argc < 2) {
		fprintf(
		    stderr, "ledger-compare CONNINFO [operations [seed]]\n");
		return (2);
	}
	if (argc > 2)
		wanted = strtol(argv[2], NULL, 10);
	chance_seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
	if (argc > 3)
		chance_seed = strtoull(argv[3], NULL, 10);
	chance_state = chance_seed;
	printf("seed %llu\n", (unsigned long long)chance_seed);
	fflush(stdout);
	db = PQconnectdb(argv[1]);
	if (PQstatus(db) != CONNECTION_OK)
		differ("%s", PQerrorMessage(db));
	prepare();
	while (done_count < wanted)
		step();
	compare_end();
	printf("%ld operations, %d rows, %d payments, %d provider operations, "
	       "no difference; by code:",
	    done_count, model.row_count, model.payment_count,
	    model.operation_count);
	for (size_t i = 0; i < sizeof(refusals_seen) / sizeof(refusals_seen[0]);
	     i++) {
		if (refusals_seen[i] > 0)
			printf(" %zu:%ld", i, refusals_seen[i]);
	}
	printf("\n");
	PQfinish(db);
	model_done(&model);
	free(payment_ids);
	free(operation_ids);
	return (0);
}
