/*
 * POST /api/payment/qris/inspect: what a QRIS code says, before anybody pays;
 * and the reading of codes for payments. See qris.h.
 */
#include "payment/qris.h"

#include <assert.h>
#include <string.h>

#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

struct inspection {
	const char *text;
};

static const struct input_field inspection_fields[] = {
	{ "qris", INPUT_TEXT, true, offsetof(struct inspection, text), 1,
	    QRIS_LENGTH_MAX },
};

const struct qris *
qris_read(struct request *request, const char *text)
{
	struct qris *code = request_alloc(request, sizeof(*code));
	enum qris_result result = qris_parse(text, strlen(text), code);

	if (result == QRIS_OK)
		return code;
	input_refuse(request, "qris",
	    request_format(request, "is no QRIS code that can be paid: %s",
		qris_result_word(result)));
	return NULL;
}

void
qris_amount(
    struct request *request, const struct qris *code, int64_t *amount_minor)
{
	bool more = code->tip == QRIS_TIP_ASKED;
	int64_t total;

	if (*amount_minor == 0)
		*amount_minor = code->amount_minor;
	if (*amount_minor == 0) {
		input_refuse(request, "amount", "is required");
		return;
	}
	if (code->has_amount &&
	    (more ? *amount_minor < code->amount_minor
		  : *amount_minor != code->amount_minor))
		input_refuse(
		    request, "amount", "is not what the code asks for");
	else if (!qris_total(code, *amount_minor, &total))
		input_refuse(request, "amount", "is too large");
	else
		*amount_minor = total;
}

/* -- inspect -------------------------------------------------------------- */

static void
put_text(struct json_writer *writer, const char *key, const char *text)
{
	json_put_member_string(writer, key, text[0] == '\0' ? NULL : text);
}

static void
put_tip(struct json_writer *writer, const struct qris *code)
{
	static const char *const words[] = { "none", "asked", "fixed",
		"percentage" };

	json_put_key(writer, "tip");
	json_put_object_begin(writer);
	json_put_member_string(writer, "kind", words[code->tip]);
	if (code->tip == QRIS_TIP_FIXED)
		json_put_member_money(writer, "amount", code->tip_minor);
	if (code->tip == QRIS_TIP_PERCENT)
		json_put_member_int(
		    writer, "basis_points", code->tip_basis_points);
	json_put_object_end(writer);
}

static void
put_accounts(struct json_writer *writer, const struct qris *code)
{
	json_put_key(writer, "accounts");
	json_put_array_begin(writer);
	for (size_t i = 0; i < code->account_count; i++) {
		const struct qris_account *account = &code->accounts[i];

		json_put_object_begin(writer);
		json_put_member_string(writer, "domain", account->domain);
		put_text(writer, "merchant_pan", account->pan);
		put_text(writer, "merchant_id", account->merchant_id);
		put_text(writer, "criteria", account->criteria);
		json_put_object_end(writer);
	}
	json_put_array_end(writer);
}

static void
put_code(struct json_writer *writer, const struct qris *code)
{
	json_put_object_begin(writer);
	json_put_member_string(
	    writer, "type", code->is_dynamic ? "dynamic" : "static");
	json_put_member_string(writer, "merchant_name", code->name);
	json_put_member_string(writer, "merchant_city", code->city);
	put_text(writer, "postal_code", code->postal_code);
	json_put_member_string(writer, "merchant_category", code->category);
	put_text(writer, "national_merchant_id", code->national_id);
	json_put_member_string(writer, "country", "ID");
	json_put_member_string(writer, "currency", "IDR");
	if (code->has_amount)
		json_put_member_money(writer, "amount", code->amount_minor);
	else
		json_put_member_null(writer, "amount");
	put_tip(writer, code);
	put_text(writer, "reference", code->reference);
	put_text(writer, "terminal", code->terminal);
	put_accounts(writer, code);
	json_put_object_end(writer);
}

static void
inspect_post(struct request *request)
{
	struct inspection *in = request_alloc(request, sizeof(*in));
	const struct qris *code = NULL;

	if (!input_body(
		request, inspection_fields, INPUT_COUNT(inspection_fields), in))
		return;
	if (in->text != NULL && !input_refused(request, "qris"))
		code = qris_read(request, in->text);
	if (!input_valid(request))
		return;
	assert(code != NULL); /* no error was named */
	put_code(reply_begin(request, 200, "The code is good"), code);
	reply_end(request);
}

ENDPOINT(payment_qris_inspect, { "POST", inspect_post, ACCESS_USER })
