/*
 * GET /api/payment/account and /balance: what the signed-in user has, read
 * from the authority each time, never from a cache. The balance is what may be
 * spent: money promised to an open top-up is no longer in it.
 */
#include "payment/account_reads.h"
#include "payment/accounts.h"
#include "payment/payment.h"
#include "payment/reply_transaction.h"
#include "web/endpoint.h"
#include "web/reply.h"

struct account_request {
	struct account_lookup lookup; /* first */
	account_row_fn shown;
	bool again;
};

static void account_row(struct request *request, const PGresult *rows, int row);

/* The account was opened just now: look again. */
static void
account_again(struct request *request, const struct uuid *account)
{
	struct account_request *in = request->state;

	(void)account;
	in->again = true;
	account_read(request, account_row);
}

static void
account_row(struct request *request, const PGresult *rows, int row)
{
	const struct account_request *in = request->state;

	if (row >= 0)
		in->shown(request, rows, row);
	else if (in->again)
		reply_error(request, ERROR_UNAVAILABLE);
	else
		accounts_own(request, account_again);
}

static void
account_begin(struct request *request, account_row_fn shown)
{
	struct account_request *in = request_alloc(request, sizeof(*in));

	request->state = in;
	in->shown = shown;
	account_read(request, account_row);
}

static void
account_shown(struct request *request, const PGresult *rows, int row)
{
	struct json_writer *writer = reply_begin(request, 200, "Your account");
	struct uuid id = pg_binary_uuid(rows, row, ACCOUNT_ID);

	json_put_object_begin(writer);
	reply_member_id(writer, "id", &id);
	json_put_member_string(writer, "user_id", request->user.user_id_text);
	json_put_member_money(
	    writer, "balance", pg_binary_int(rows, row, ACCOUNT_AVAILABLE));
	json_put_member_money(
	    writer, "held", pg_binary_int(rows, row, ACCOUNT_HELD));
	json_put_member_string(
	    writer, "currency", pg_text(rows, row, ACCOUNT_CURRENCY));
	json_put_member_string(
	    writer, "account_status", pg_text(rows, row, ACCOUNT_STATUS));
	reply_member_time(
	    writer, "created_at", pg_binary_int(rows, row, ACCOUNT_CREATED_MS));
	reply_member_time(
	    writer, "updated_at", pg_binary_int(rows, row, ACCOUNT_UPDATED_MS));
	json_put_object_end(writer);
	reply_end(request);
}

static void
balance_shown(struct request *request, const PGresult *rows, int row)
{
	struct json_writer *writer = reply_begin(request, 200, "Your balance");

	json_put_object_begin(writer);
	json_put_member_money(
	    writer, "balance", pg_binary_int(rows, row, ACCOUNT_AVAILABLE));
	json_put_member_string(
	    writer, "currency", pg_text(rows, row, ACCOUNT_CURRENCY));
	json_put_object_end(writer);
	reply_end(request);
}

static void
account_get(struct request *request)
{
	account_begin(request, account_shown);
}

static void
balance_get(struct request *request)
{
	account_begin(request, balance_shown);
}

ENDPOINT(payment_account, { "GET", account_get, ACCESS_USER })
ENDPOINT(payment_balance, { "GET", balance_get, ACCESS_USER })
