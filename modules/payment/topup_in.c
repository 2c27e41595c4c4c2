/*
 * POST /api/payment/topup: money in, from the signed-in user's own GoPay or
 * ShopeePay wallet. Nobody can charge another person's wallet: only the wallet
 * of the user's own phone is linked.
 */
#include <string.h>

#include "payment/payment.h"
#include "payment/topup.h"
#include "web/endpoint.h"

static void
in_linked(struct request *request, const struct pg_answer *answer)
{
	struct topup *in = request->state;

	if (!request_sql_ok(request, answer))
		return;
	if (PQntuples(answer->rows) == 0 || pg_is_null(answer->rows, 0, 0) ||
	    strcmp(pg_text(answer->rows, 0, 0), in->operation.call.phone) != 0)
		in->refuse = ERROR_WALLET_NOT_LINKED;
	topup_run(request, &in->move.posting.credit);
}

static void
in_account(struct request *request, const struct uuid *account)
{
	struct topup *in = request->state;
	struct pg_params params;

	in->move.posting.credit = *account;
	pg_params_init(&params);
	pg_put_uuid(&params, &request->user.user_id);
	payment_read(request, STATEMENT_OWN_PHONE, &params, in_linked);
}

static void
in_begin(struct request *request)
{
	if (topup_read(request, false, "topup"))
		accounts_own(request, in_account);
}

ENDPOINT(payment_topup_in, { "POST", in_begin, ACCESS_USER })
