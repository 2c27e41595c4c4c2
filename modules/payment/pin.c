/* See pin.h. */
#include "payment/pin.h"

#include "io/config.h"
#include "payment/payment.h"
#include "web/pin_check.h"

#define SEN_PER_RUPIAH 100

struct pin_wait {
	step_fn next;
	void *state;
};

static void
pin_right(struct request *request, const char *phc)
{
	struct pin_wait *wait = request->state;

	(void)phc;
	request->state = wait->state;
	wait->next(request);
}

void
pin_confirm(struct request *request, int64_t amount_minor, step_fn next)
{
	const struct pin_source source = { payment_writes(),
		STATEMENT_PIN_ATTEMPT, STATEMENT_PIN_PASSED };
	int64_t threshold = config_number(CONFIG_PIN_THRESHOLD);
	struct pin_wait *wait;

	if (threshold == 0 || amount_minor / SEN_PER_RUPIAH < threshold) {
		next(request);
		return;
	}
	wait = request_alloc(request, sizeof(*wait));
	wait->next = next;
	wait->state = request->state;
	request->state = wait;
	pin_check(request, &source, request_header(request, "x-payment-pin"),
	    pin_right);
}

bool
pin_configured(void)
{
	return config_number(CONFIG_PIN_THRESHOLD) != 0;
}
