/*
 * POST /api/payment/transfer: account to account. One posting, and nothing
 * else is written; the receiver's rules are checked by payment.post under the
 * receiver's lock, and the answer tells nothing about the receiver.
 */
#include "payment/move.h"
#include "payment/pin.h"
#include "payment/reply_transaction.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

struct transfer {
	struct move move; /* first */
	const char *to;
	int64_t amount_minor;
	const char *description;
};

static const struct input_field transfer_fields[] = {
	{ "to", INPUT_TEXT, true, offsetof(struct transfer, to), 1, 255 },
	{ "amount", INPUT_MONEY, true, offsetof(struct transfer, amount_minor),
	    0, 0 },
	{ "description", INPUT_TEXT, false,
	    offsetof(struct transfer, description), 0, 255 },
};

static void
transfer_posted(struct request *request)
{
	const struct transfer *in = request->state;
	const struct posting *posting = &in->move.posting;
	struct transaction transaction = {
		.id = posting->row_id,
		.type = "TRANSFER",
		.status = "SUCCESS",
		.amount_minor = posting->row_amount_minor,
		.balance_after_minor =
		    posting->debit_balance_minor - posting->debit_held_minor,
		.description = in->description,
		.created_ms = posting->created_ms,
	};

	transaction.balance_before_minor =
	    transaction.balance_after_minor + transaction.amount_minor;
	reply_transaction(reply_begin(request, 201, "The money was sent"),
	    &transaction, false);
	reply_end(request);
}

static void
transfer_to(struct request *request, const struct uuid *receiver)
{
	struct transfer *in = request->state;
	struct posting *posting = &in->move.posting;

	if (receiver == NULL) {
		/* With a key the refusal is kept, so that a repeat gets it
		 * again even when the name is taken meanwhile. */
		posting->credit = posting->debit;
		posting->refuse_with = ERROR_UNKNOWN_RECEIVER;
	} else {
		posting->credit = *receiver;
	}
	move_post(request, transfer_posted);
}

static void
transfer_from(struct request *request, const struct uuid *account)
{
	struct transfer *in = request->state;

	in->move.posting.debit = *account;
	accounts_receiver(request, in->to, transfer_to);
}

static void
transfer_allowed(struct request *request)
{
	accounts_own(request, transfer_from);
}

static void
transfer_begin(struct request *request)
{
	struct transfer *in = request_alloc(request, sizeof(*in));

	request->state = in;
	if (!input_body(
		request, transfer_fields, INPUT_COUNT(transfer_fields), in) ||
	    !input_valid(request) ||
	    !move_begin(request, POSTING_TRANSFER, "transfer"))
		return;
	in->move.posting.amount_minor = in->amount_minor;
	in->move.posting.description = in->description;
	pin_confirm(request, in->amount_minor, transfer_allowed);
}

ENDPOINT(payment_transfer, { "POST", transfer_begin, ACCESS_USER })
