/*
 * POST /api/payment/wallet/topup: money out, from this account to the named
 * person's GoPay or ShopeePay wallet. The amount is held before the provider
 * hears of it, and stays held for as long as its outcome is not known.
 */
#include "payment/pin.h"
#include "payment/topup.h"
#include "web/endpoint.h"

static void
out_allowed(struct request *request)
{
	accounts_own(request, topup_run);
}

static void
out_begin(struct request *request)
{
	const struct topup *in;

	if (!topup_read(request, true, "wallet/topup"))
		return;
	in = request->state;
	pin_confirm(request, in->amount_minor, out_allowed);
}

ENDPOINT(payment_topup_out, { "POST", out_begin, ACCESS_USER })
