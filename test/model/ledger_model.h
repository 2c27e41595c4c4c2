/*
 * The ledger's rules once more, in plain C and from the written contract
 * (sql/README.md), for comparing with the real one. It knows no SQL, no time
 * and no concurrency: one thing happens after the other. Accounts, payments
 * and operations are numbers; ids are the caller's.
 *
 * It must stay simple enough to be checked by reading, and must never be
 * changed to agree with the database without a reason in the contract.
 */
#ifndef ONEGATE_TEST_LEDGER_MODEL_H
#define ONEGATE_TEST_LEDGER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/transaction.h"
#include "domain/uuid.h"

#define MODEL_ACCOUNTS_MAX 64
#define MODEL_NONE (-1)
#define MODEL_AMOUNT_MAX INT64_C(999999999999999)

enum model_kind {
	MODEL_CHARGE = 1, /* provider -> person, money in */
	MODEL_TOPUP_HOLD,
	MODEL_TOPUP_SETTLE,
	MODEL_TOPUP_RELEASE,
	MODEL_TRANSFER,
	MODEL_PAYMENT,
	MODEL_REFUND,
	MODEL_FEE,
	MODEL_ADJUSTMENT,
	MODEL_CHARGE_OPENED, /* status rows: no money moves */
	MODEL_PAYMENT_OPENED,
	MODEL_ENDED
};

enum model_code {
	CODE_DONE,
	CODE_SELF_TRANSFER,
	CODE_AMOUNT_OUT_OF_RANGE,
	CODE_UNKNOWN_RECEIVER,
	CODE_ACCOUNT_SUSPENDED,
	CODE_ACCOUNT_CLOSED,
	CODE_RECEIVER_UNAVAILABLE,
	CODE_CURRENCY_MISMATCH,
	CODE_INSUFFICIENT_FUNDS,
	CODE_LIMIT_EXCEEDED,
	CODE_RECEIVER_LIMIT_EXCEEDED,
	CODE_SENDER_UNREGISTERED,
	CODE_KEY_REUSED,
	CODE_PAYMENT_NOT_FOUND,
	CODE_PAYMENT_NOT_PENDING,
	CODE_PAYMENT_EXPIRED,
	CODE_PAYMENT_NOT_REFUNDABLE,
	CODE_REFUND_EXCEEDS_PAYMENT,
	CODE_MERCHANT_FUNDS_SHORT,
	CODE_OPERATION_NOT_FOUND,
	CODE_OPERATION_NOT_PENDING,
	CODE_KEY_IN_PROGRESS,
	CODE_MERCHANT_NOT_FOUND,
	CODE_QRIS_LIMIT_EXCEEDED,
	CODE_DUPLICATE_REFERENCE
};

enum model_class {
	CLASS_HOUSE,
	CLASS_UNREGISTERED,
	CLASS_REGISTERED,
	CLASS_MERCHANT,
	CLASS_NOBODY /* no such account */
};

enum model_status { STATUS_ACTIVE, STATUS_SUSPENDED, STATUS_CLOSED };

struct model_account {
	enum model_class class;
	enum model_status status;
	int64_t balance, held, sequence, incoming;
};

struct model_payment {
	int payer, merchant;
	int64_t amount, refunded;
	enum transaction_status state;
	bool is_expired; /* its time is over, ended or not */
};

struct model_operation {
	bool is_out; /* a top-up; else a charge */
	int account, clearing;
	int64_t amount;
	enum transaction_status state;
	bool is_suspended; /* its money went to suspense */
	bool is_escalated;
};

/* What one side of a row looked like after it; absent when only named. */
struct model_side {
	bool is_touched;
	int64_t balance, held, sequence;
};

struct model_item {
	enum model_kind kind;
	struct uuid id;
	int debit, credit; /* accounts */
	bool debit_named, credit_named; /* told of, not touched */
	int64_t amount; /* payment: 0 = all of it; refund: 0 = the rest */
	int payment; /* number or MODEL_NONE */
	int operation; /* number or MODEL_NONE */
	int key; /* number or MODEL_NONE */
	int fingerprint;
	enum model_code refuse_with; /* not DONE: refuse a new key so */
	int leads_to; /* enum transaction_status, MODEL_NONE = the kind's own */
};

struct model_answer {
	enum model_code code;
	bool is_replayed;
	struct uuid row; /* the row or refusal that answers */
	int operation, payment; /* of that row */
	int64_t amount;
	struct model_side debit, credit;
};

struct model_row {
	struct uuid id;
	struct model_answer answer;
};

/* What a key was used for; `is_used` false: never, or not kept. */
struct model_key {
	bool is_used;
	int fingerprint;
	struct model_answer answer;
};

struct model {
	struct model_account accounts[MODEL_ACCOUNTS_MAX];
	int account_count;
	struct model_payment *payments;
	int payment_count, payment_room;
	struct model_operation *operations;
	int operation_count, operation_room;
	struct model_key *keys;
	int key_room;
	struct model_row *rows;
	int row_count, row_room;
	int64_t balance_cap[2], month_cap[2]; /* unregistered, registered */
	int64_t qris_cap;
	int suspense; /* the account */
};

void model_init(struct model *model);
void model_done(struct model *model);
int model_account_add(struct model *model, enum model_class class);

/* One item. `is_lost`: an earlier try of it may be in the books. */
void model_post(struct model *model, const struct model_item *item,
    bool is_lost, struct model_answer *answer);

/* Provider operations. A begun one gets the next number; ANSWER->operation
 * says which one answers. */
void model_operation_begin(struct model *model, bool is_out, int account,
    int clearing, int64_t amount, int key, int fingerprint,
    bool reference_taken, const struct uuid *row, struct model_answer *answer);

/* The outcome of OPERATION: SUCCESS, FAILED or CANCELLED. */
enum model_code model_operation_decide(
    struct model *model, int operation, enum transaction_status outcome);
enum model_code model_operation_escalate(struct model *model, int operation);

/* Payments. A created one gets the next number. */
void model_payment_create(struct model *model, int payer, int merchant,
    int64_t amount, bool is_qris, bool is_expired, int key, int fingerprint,
    const struct uuid *row, struct model_answer *answer);
void model_payment_cancel(struct model *model, int payment, int payer, int key,
    int fingerprint, const struct uuid *row, struct model_answer *answer);
/* Ends all payments whose time is over; how many. */
int model_payments_expire(struct model *model);

enum model_code model_adjust(
    struct model *model, int capital, int account, int64_t amount);

#endif
