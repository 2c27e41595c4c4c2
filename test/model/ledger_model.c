/*
 * The ledger's rules in plain C. Read beside sql/README.md.
 */
#include "ledger_model.h"

#include <stdlib.h>
#include <string.h>

/* A batch that may have been lost is looked for among the newest rows. */
#define LOST_ROWS_MAX 1024

/* What each kind does, by its number. */
static const struct {
	bool moves; /* amount from debit's to credit's balance */
	int holds; /* times amount onto what debit holds */
	bool comes_in; /* counts as incoming of credit */
	enum transaction_status leads_to;
} effects[] = {
	[MODEL_CHARGE] = { true, 0, true, TRANSACTION_SUCCESS },
	[MODEL_TOPUP_HOLD] = { false, 1, false, TRANSACTION_PENDING },
	[MODEL_TOPUP_SETTLE] = { true, -1, false, TRANSACTION_SUCCESS },
	[MODEL_TOPUP_RELEASE] = { false, -1, false, TRANSACTION_FAILED },
	[MODEL_TRANSFER] = { true, 0, true, TRANSACTION_SUCCESS },
	[MODEL_PAYMENT] = { true, 0, false, TRANSACTION_SUCCESS },
	[MODEL_REFUND] = { true, 0, false, TRANSACTION_SUCCESS },
	[MODEL_FEE] = { true, 0, false, TRANSACTION_SUCCESS },
	[MODEL_ADJUSTMENT] = { true, 0, false, TRANSACTION_SUCCESS },
	[MODEL_CHARGE_OPENED] = { false, 0, false, TRANSACTION_PENDING },
	[MODEL_PAYMENT_OPENED] = { false, 0, false, TRANSACTION_PENDING },
	[MODEL_ENDED] = { false, 0, false, TRANSACTION_FAILED },
};

static void *
grow(void *array, int count, int *room, size_t size)
{
	if (count < *room)
		return (array);
	*room = *room == 0 ? 1024 : *room * 2;
	array = realloc(array, (size_t)*room * size);
	if (array == NULL)
		abort();
	return (array);
}

void
model_init(struct model *model)
{
	memset(model, 0, sizeof(*model));
}

void
model_done(struct model *model)
{
	free(model->payments);
	free(model->operations);
	free(model->keys);
	free(model->rows);
	memset(model, 0, sizeof(*model));
}

int
model_account_add(struct model *model, enum model_class class)
{
	if (model->account_count == MODEL_ACCOUNTS_MAX)
		abort();
	model->accounts[model->account_count] =
	    (struct model_account){ .class = class };
	return (model->account_count++);
}

static bool
is_person(const struct model_account *account)
{
	return (account->class == CLASS_UNREGISTERED ||
	    account->class == CLASS_REGISTERED);
}

/*
 * What an item refers to
 */

static enum model_code
refer_to_payment(
    const struct model *model, const struct model_item *item, int64_t *amount)
{
	const struct model_payment *payment;
	bool pays = item->kind == MODEL_PAYMENT;
	int64_t left;

	if (item->payment == MODEL_NONE)
		return (CODE_PAYMENT_NOT_FOUND);
	payment = &model->payments[item->payment];
	if (payment->payer != (pays ? item->debit : item->credit) ||
	    payment->merchant != (pays ? item->credit : item->debit))
		return (CODE_PAYMENT_NOT_FOUND);
	left = payment->amount - payment->refunded;
	if (*amount == 0)
		*amount = pays ? payment->amount : left;
	if (pays) {
		if (payment->state != TRANSACTION_PENDING)
			return (CODE_PAYMENT_NOT_PENDING);
		if (payment->is_expired)
			return (CODE_PAYMENT_EXPIRED);
		return (*amount == payment->amount ? CODE_DONE
						   : CODE_AMOUNT_OUT_OF_RANGE);
	}
	if (payment->state != TRANSACTION_SUCCESS)
		return (CODE_PAYMENT_NOT_REFUNDABLE);
	return (*amount == 0 || *amount > left ? CODE_REFUND_EXCEEDS_PAYMENT
					       : CODE_DONE);
}

static enum model_code
refer_to_operation(
    const struct model *model, const struct model_item *item, int64_t amount)
{
	const struct model_operation *operation;

	if (item->operation == MODEL_NONE)
		return (CODE_OPERATION_NOT_FOUND);
	operation = &model->operations[item->operation];
	if (operation->state != TRANSACTION_PENDING)
		return (CODE_OPERATION_NOT_PENDING);
	return (
	    amount == operation->amount ? CODE_DONE : CODE_AMOUNT_OUT_OF_RANGE);
}

static enum model_code
refer_to_ended_payment(const struct model *model, const struct model_item *item)
{
	const struct model_payment *payment;

	if (item->payment == MODEL_NONE)
		return (CODE_PAYMENT_NOT_FOUND);
	payment = &model->payments[item->payment];
	if (payment->payer != item->debit)
		return (CODE_PAYMENT_NOT_FOUND);
	return (payment->state == TRANSACTION_PENDING
		? CODE_DONE
		: CODE_PAYMENT_NOT_PENDING);
}

static enum model_code
refer(const struct model *model, const struct model_item *item, int64_t *amount)
{
	switch (item->kind) {
	case MODEL_PAYMENT:
	case MODEL_REFUND:
		return (refer_to_payment(model, item, amount));
	case MODEL_CHARGE:
	case MODEL_TOPUP_SETTLE:
	case MODEL_TOPUP_RELEASE:
		return (refer_to_operation(model, item, *amount));
	case MODEL_ADJUSTMENT:
		return (item->operation == MODEL_NONE
			? CODE_DONE
			: refer_to_operation(model, item, *amount));
	case MODEL_ENDED:
		return (item->operation == MODEL_NONE
			? refer_to_ended_payment(model, item)
			: refer_to_operation(model, item, *amount));
	case MODEL_TOPUP_HOLD:
	case MODEL_TRANSFER:
	case MODEL_FEE:
	case MODEL_CHARGE_OPENED:
	case MODEL_PAYMENT_OPENED:
		return (CODE_DONE);
	}
	abort();
}

/*
 * Who the accounts are, whether they may, whether it is there
 */

static enum model_code
judge_payer(const struct model_item *item, const struct model_account *payer)
{
	switch (item->kind) {
	case MODEL_TOPUP_HOLD:
	case MODEL_TRANSFER:
	case MODEL_PAYMENT:
	case MODEL_FEE:
	case MODEL_PAYMENT_OPENED:
		if (payer->status == STATUS_SUSPENDED)
			return (CODE_ACCOUNT_SUSPENDED);
		if (payer->status == STATUS_CLOSED)
			return (CODE_ACCOUNT_CLOSED);
		return (CODE_DONE);
	case MODEL_CHARGE:
	case MODEL_TOPUP_SETTLE:
	case MODEL_TOPUP_RELEASE:
	case MODEL_REFUND:
	case MODEL_ADJUSTMENT:
	case MODEL_CHARGE_OPENED:
	case MODEL_ENDED:
		return (CODE_DONE);
	}
	abort();
}

static enum model_code
judge_receiver(
    const struct model_item *item, const struct model_account *receiver)
{
	bool is_active = receiver->status == STATUS_ACTIVE;

	if (item->kind == MODEL_CHARGE_OPENED && !is_active)
		return (receiver->status == STATUS_SUSPENDED
			? CODE_ACCOUNT_SUSPENDED
			: CODE_ACCOUNT_CLOSED);
	if ((item->kind == MODEL_TRANSFER || item->kind == MODEL_PAYMENT) &&
	    !is_active)
		return (CODE_RECEIVER_UNAVAILABLE);
	if ((item->kind == MODEL_CHARGE || item->kind == MODEL_REFUND) &&
	    receiver->status == STATUS_CLOSED)
		return (CODE_RECEIVER_UNAVAILABLE);
	return (CODE_DONE);
}

static enum model_code
judge_funds(const struct model_item *item, const struct model_account *payer,
    int64_t amount)
{
	bool is_short = payer->balance - payer->held < amount;

	switch (item->kind) {
	case MODEL_TOPUP_HOLD:
	case MODEL_TRANSFER:
	case MODEL_PAYMENT:
	case MODEL_FEE:
	case MODEL_ADJUSTMENT:
		return (is_short && payer->class != CLASS_HOUSE
			? CODE_INSUFFICIENT_FUNDS
			: CODE_DONE);
	case MODEL_REFUND:
		return (is_short ? CODE_MERCHANT_FUNDS_SHORT : CODE_DONE);
	case MODEL_CHARGE:
	case MODEL_TOPUP_SETTLE:
	case MODEL_TOPUP_RELEASE:
	case MODEL_CHARGE_OPENED:
	case MODEL_PAYMENT_OPENED:
	case MODEL_ENDED:
		return (CODE_DONE);
	}
	abort();
}

/* Caps hold for persons, on what comes in. */
static enum model_code
judge_caps(const struct model *model, const struct model_item *item,
    const struct model_account *receiver, int64_t amount)
{
	int tier = receiver->class == CLASS_REGISTERED;

	if ((item->kind != MODEL_CHARGE && item->kind != MODEL_TRANSFER &&
		item->kind != MODEL_CHARGE_OPENED) ||
	    !is_person(receiver))
		return (CODE_DONE);
	if (receiver->balance + amount <= model->balance_cap[tier] &&
	    receiver->incoming + amount <= model->month_cap[tier])
		return (CODE_DONE);
	return (item->kind == MODEL_TRANSFER ? CODE_RECEIVER_LIMIT_EXCEEDED
					     : CODE_LIMIT_EXCEEDED);
}

static enum model_code
judge(const struct model *model, const struct model_item *item, int64_t amount)
{
	const struct model_account *payer = &model->accounts[item->debit];
	const struct model_account *receiver = &model->accounts[item->credit];
	bool person_pays = item->kind == MODEL_TRANSFER ||
	    item->kind == MODEL_TOPUP_HOLD || item->kind == MODEL_FEE;
	enum model_code code;

	if (amount < 1 || amount > MODEL_AMOUNT_MAX)
		return (CODE_AMOUNT_OUT_OF_RANGE);
	if ((!item->debit_named && payer->class == CLASS_NOBODY) ||
	    (!item->credit_named && receiver->class == CLASS_NOBODY) ||
	    (person_pays && !is_person(payer)) ||
	    (item->kind == MODEL_TRANSFER && receiver->class == CLASS_HOUSE))
		return (CODE_UNKNOWN_RECEIVER);
	code = judge_payer(item, payer);
	if (code == CODE_DONE)
		code = judge_receiver(item, receiver);
	if (code == CODE_DONE && item->kind == MODEL_TRANSFER &&
	    payer->class == CLASS_UNREGISTERED)
		code = CODE_SENDER_UNREGISTERED;
	if (code == CODE_DONE)
		code = judge_funds(item, payer, amount);
	if (code == CODE_DONE)
		code = judge_caps(model, item, receiver, amount);
	return (code);
}

/*
 * What a row does
 */

static void
touch(struct model_account *account, bool is_named, struct model_side *side)
{
	memset(side, 0, sizeof(*side));
	if (is_named)
		return;
	account->sequence++;
	side->is_touched = true;
	side->balance = account->balance;
	side->held = account->held;
	side->sequence = account->sequence;
}

static void
apply_to_subject(
    struct model *model, const struct model_item *item, int64_t amount)
{
	enum transaction_status state = item->leads_to == MODEL_NONE
	    ? effects[item->kind].leads_to
	    : (enum transaction_status)item->leads_to;

	if (item->kind == MODEL_TOPUP_HOLD ||
	    item->kind == MODEL_CHARGE_OPENED ||
	    item->kind == MODEL_PAYMENT_OPENED)
		return;
	if (item->kind == MODEL_REFUND)
		model->payments[item->payment].refunded += amount;
	else if (item->payment != MODEL_NONE)
		model->payments[item->payment].state = state;
	else if (item->operation != MODEL_NONE && state == TRANSACTION_PENDING)
		model->operations[item->operation].is_suspended = true;
	else if (item->operation != MODEL_NONE)
		model->operations[item->operation].state = state;
}

static void
apply(struct model *model, const struct model_item *item, int64_t amount,
    struct model_answer *answer)
{
	struct model_account *payer = &model->accounts[item->debit];
	struct model_account *receiver = &model->accounts[item->credit];

	if (effects[item->kind].moves) {
		payer->balance -= amount;
		receiver->balance += amount;
	}
	if (effects[item->kind].comes_in)
		receiver->incoming += amount;
	payer->held += effects[item->kind].holds * amount;
	touch(payer, item->debit_named, &answer->debit);
	touch(receiver, item->credit_named, &answer->credit);
	apply_to_subject(model, item, amount);
	answer->amount = amount;
	model->rows = grow(model->rows, model->row_count, &model->row_room,
	    sizeof(*model->rows));
	model->rows[model->row_count].id = item->id;
	model->rows[model->row_count++].answer = *answer;
}

/*
 * Keys
 */

static struct model_key *
key_of(struct model *model, int number)
{
	int before = model->key_room;

	if (number == MODEL_NONE)
		return (NULL);
	while (number >= model->key_room) {
		model->keys = grow(model->keys, model->key_room,
		    &model->key_room, sizeof(*model->keys));
		memset(model->keys + before, 0,
		    (size_t)(model->key_room - before) * sizeof(*model->keys));
		before = model->key_room;
	}
	return (&model->keys[number]);
}

/* Refusals that say "ask again" are not kept. */
static bool
is_kept(enum model_code code)
{
	return (code != CODE_KEY_REUSED && code != CODE_OPERATION_NOT_PENDING &&
	    code != CODE_KEY_IN_PROGRESS);
}

static const struct model_row *
lost_row(const struct model *model, const struct uuid *id)
{
	int oldest = model->row_count - LOST_ROWS_MAX;

	for (int i = model->row_count - 1; i >= 0 && i >= oldest; i--) {
		if (uuid_equal(&model->rows[i].id, id))
			return (&model->rows[i]);
	}
	return (NULL);
}

void
model_post(struct model *model, const struct model_item *item, bool is_lost,
    struct model_answer *answer)
{
	const struct model_row *row =
	    is_lost ? lost_row(model, &item->id) : NULL;
	struct model_key *key = key_of(model, item->key);
	int64_t amount = item->amount;

	if (row != NULL) {
		*answer = row->answer;
		return;
	}
	*answer = (struct model_answer){ .row = item->id,
		.operation = item->operation,
		.payment = item->payment };
	if (key != NULL && key->is_used) {
		if (key->fingerprint != item->fingerprint) {
			answer->code = CODE_KEY_REUSED;
			return;
		}
		*answer = key->answer;
		answer->is_replayed = !uuid_equal(&answer->row, &item->id);
		return;
	}
	if (item->refuse_with != CODE_DONE)
		answer->code = item->refuse_with;
	else if (item->debit == item->credit)
		answer->code = CODE_SELF_TRANSFER;
	else
		answer->code = refer(model, item, &amount);
	if (answer->code == CODE_DONE)
		answer->code = judge(model, item, amount);
	if (answer->code == CODE_DONE)
		apply(model, item, amount, answer);
	if (key != NULL && is_kept(answer->code)) {
		key->is_used = true;
		key->fingerprint = item->fingerprint;
		key->answer = *answer;
	}
}

/*
 * Provider operations
 */

static struct model_item
plain_item(enum model_kind kind, int debit, int credit, int64_t amount)
{
	return ((struct model_item){ .kind = kind,
	    .debit = debit,
	    .credit = credit,
	    .amount = amount,
	    .payment = MODEL_NONE,
	    .operation = MODEL_NONE,
	    .key = MODEL_NONE,
	    .leads_to = MODEL_NONE });
}

static enum model_code
post_plain(struct model *model, const struct model_item *item)
{
	struct model_answer answer;

	model_post(model, item, false, &answer);
	return (answer.code);
}

/* Charges under way have taken their room under the caps already. */
static bool
is_room_short(const struct model *model, int account, int64_t amount)
{
	const struct model_account *receiver = &model->accounts[account];
	int tier = receiver->class == CLASS_REGISTERED;
	int64_t open = 0;

	if (!is_person(receiver) || receiver->status != STATUS_ACTIVE ||
	    amount < 1 || amount > MODEL_AMOUNT_MAX)
		return (false);
	for (int i = 0; i < model->operation_count; i++) {
		const struct model_operation *operation = &model->operations[i];

		if (operation->account == account && !operation->is_out &&
		    operation->state == TRANSACTION_PENDING)
			open += operation->amount;
	}
	return (open > 0 &&
	    (receiver->balance + open + amount > model->balance_cap[tier] ||
		receiver->incoming + open + amount > model->month_cap[tier]));
}

void
model_operation_begin(struct model *model, bool is_out, int account,
    int clearing, int64_t amount, int key, int fingerprint,
    bool reference_taken, const struct uuid *row, struct model_answer *answer)
{
	struct model_item item = is_out
	    ? plain_item(MODEL_TOPUP_HOLD, account, clearing, amount)
	    : plain_item(MODEL_CHARGE_OPENED, clearing, account, amount);
	const struct model_operation *first;

	memset(answer, 0, sizeof(*answer));
	if (reference_taken) {
		answer->code = CODE_DUPLICATE_REFERENCE;
		return;
	}
	item.debit_named = !is_out;
	item.credit_named = is_out;
	item.id = *row;
	item.key = key;
	item.fingerprint = fingerprint;
	item.operation = model->operation_count;
	if (!is_out && is_room_short(model, account, amount))
		item.refuse_with = CODE_LIMIT_EXCEEDED;
	model_post(model, &item, false, answer);
	if (answer->code != CODE_DONE)
		return;
	if (answer->is_replayed) {
		first = &model->operations[answer->operation];
		if (first->state == TRANSACTION_PENDING)
			answer->code = CODE_KEY_IN_PROGRESS;
		return;
	}
	model->operations = grow(model->operations, model->operation_count,
	    &model->operation_room, sizeof(*model->operations));
	model->operations[model->operation_count++] =
	    (struct model_operation){ .is_out = is_out,
		    .account = account,
		    .clearing = clearing,
		    .amount = amount,
		    .state = TRANSACTION_PENDING };
}

/* A row about OPERATION that leads to STATE. */
static enum model_code
post_about(struct model *model, int operation, enum model_kind kind, int debit,
    int credit, bool debit_named, bool credit_named,
    enum transaction_status state)
{
	struct model_item item = plain_item(
	    kind, debit, credit, model->operations[operation].amount);

	item.debit_named = debit_named;
	item.credit_named = credit_named;
	item.operation = operation;
	item.leads_to = (int)state;
	return (post_plain(model, &item));
}

static enum model_code
decide_suspended(
    struct model *model, int number, enum transaction_status outcome)
{
	int account = model->operations[number].account;
	int clearing = model->operations[number].clearing;
	enum model_code code;

	if (outcome != TRANSACTION_SUCCESS)
		return (post_about(model, number, MODEL_ADJUSTMENT,
		    model->suspense, account, false, false, outcome));
	code = post_about(model, number, MODEL_ADJUSTMENT, model->suspense,
	    clearing, false, false, TRANSACTION_PENDING);
	if (code != CODE_DONE)
		return (code);
	return (post_about(model, number, MODEL_ENDED, account, clearing, false,
	    false, outcome));
}

/* Money came in that the account cannot take: suspense has it. */
static enum model_code
credit_or_suspend(struct model *model, int number)
{
	int account = model->operations[number].account;
	int clearing = model->operations[number].clearing;
	enum model_code code = post_about(model, number, MODEL_CHARGE, clearing,
	    account, false, false, TRANSACTION_SUCCESS);

	if (code != CODE_RECEIVER_UNAVAILABLE && code != CODE_LIMIT_EXCEEDED)
		return (code);
	code = post_about(model, number, MODEL_CHARGE, clearing,
	    model->suspense, false, false, TRANSACTION_PENDING);
	if (code != CODE_DONE)
		return (code);
	code = post_about(model, number, MODEL_ENDED, clearing, account, false,
	    false, TRANSACTION_FAILED);
	if (code == CODE_DONE)
		model->operations[number].is_escalated = true;
	return (code);
}

enum model_code
model_operation_decide(
    struct model *model, int number, enum transaction_status outcome)
{
	const struct model_operation *operation = &model->operations[number];
	int account = operation->account, clearing = operation->clearing;

	if (operation->state != TRANSACTION_PENDING)
		return (CODE_OPERATION_NOT_PENDING);
	if (operation->is_suspended)
		return (decide_suspended(model, number, outcome));
	if (operation->is_out && outcome == TRANSACTION_SUCCESS)
		return (post_about(model, number, MODEL_TOPUP_SETTLE, account,
		    clearing, false, false, outcome));
	if (operation->is_out)
		return (post_about(model, number, MODEL_TOPUP_RELEASE, account,
		    clearing, false, true, outcome));
	if (outcome == TRANSACTION_SUCCESS)
		return (credit_or_suspend(model, number));
	return (post_about(model, number, MODEL_ENDED, clearing, account, true,
	    false, outcome));
}

enum model_code
model_operation_escalate(struct model *model, int number)
{
	struct model_operation *operation = &model->operations[number];
	enum model_code code = CODE_DONE;

	if (operation->state != TRANSACTION_PENDING || operation->is_escalated)
		return (CODE_OPERATION_NOT_PENDING);
	if (operation->is_out)
		code = post_about(model, number, MODEL_TOPUP_SETTLE,
		    operation->account, model->suspense, false, false,
		    TRANSACTION_PENDING);
	if (code == CODE_DONE)
		operation->is_escalated = true;
	return (code);
}

/*
 * Payments
 */

void
model_payment_create(struct model *model, int payer, int merchant,
    int64_t amount, bool is_qris, bool is_expired, int key, int fingerprint,
    const struct uuid *row, struct model_answer *answer)
{
	const struct model_account *seller = &model->accounts[merchant];
	struct model_item item =
	    plain_item(MODEL_PAYMENT_OPENED, payer, merchant, amount);

	item.credit_named = true;
	item.id = *row;
	item.key = key;
	item.fingerprint = fingerprint;
	item.payment = model->payment_count;
	if (seller->class != CLASS_MERCHANT || seller->status != STATUS_ACTIVE)
		item.refuse_with = CODE_MERCHANT_NOT_FOUND;
	else if (is_qris && amount > model->qris_cap)
		item.refuse_with = CODE_QRIS_LIMIT_EXCEEDED;
	model_post(model, &item, false, answer);
	if (answer->code != CODE_DONE || answer->is_replayed)
		return;
	model->payments = grow(model->payments, model->payment_count,
	    &model->payment_room, sizeof(*model->payments));
	model->payments[model->payment_count++] =
	    (struct model_payment){ .payer = payer,
		    .merchant = merchant,
		    .amount = amount,
		    .state = TRANSACTION_PENDING,
		    .is_expired = is_expired };
}

static struct model_item
end_item(const struct model *model, int number, enum transaction_status state)
{
	const struct model_payment *payment = &model->payments[number];
	struct model_item item = plain_item(
	    MODEL_ENDED, payment->payer, payment->merchant, payment->amount);

	item.credit_named = true;
	item.payment = number;
	item.leads_to = (int)state;
	return (item);
}

void
model_payment_cancel(struct model *model, int payment, int payer, int key,
    int fingerprint, const struct uuid *row, struct model_answer *answer)
{
	struct model_item item;

	memset(answer, 0, sizeof(*answer));
	if (model->payments[payment].payer != payer) {
		answer->code = CODE_PAYMENT_NOT_FOUND;
		return;
	}
	item = end_item(model, payment, TRANSACTION_CANCELLED);
	item.id = *row;
	item.key = key;
	item.fingerprint = fingerprint;
	model_post(model, &item, false, answer);
}

int
model_payments_expire(struct model *model)
{
	int ended = 0;

	for (int i = 0; i < model->payment_count; i++) {
		struct model_item item;

		if (!model->payments[i].is_expired ||
		    model->payments[i].state != TRANSACTION_PENDING)
			continue;
		item = end_item(model, i, TRANSACTION_FAILED);
		ended += post_plain(model, &item) == CODE_DONE;
	}
	return (ended);
}

enum model_code
model_adjust(struct model *model, int capital, int account, int64_t amount)
{
	struct model_item item = amount < 0
	    ? plain_item(MODEL_ADJUSTMENT, account, capital, -amount)
	    : plain_item(MODEL_ADJUSTMENT, capital, account, amount);

	return (post_plain(model, &item));
}
