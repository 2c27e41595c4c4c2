/*
 * QRIS merchant-presented codes.
 */
#include "domain/qris.h"

#include <string.h>

#include "domain/money.h"
#include "domain/utf8.h"

#define HEAD_LENGTH 4 /* tag and length */
#define CRC_FIELD_LENGTH 8 /* "6304" and four digits */
#define TAGS 100
#define PERCENT_HUNDREDTHS 10000

/* One level of tag-length-value: where each tag's value stands. */
struct fields {
	const char *value[TAGS]; /* NULL: not there */
	size_t length[TAGS];
};

uint16_t
qris_crc(const char *text, size_t length)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < length; i++) {
		crc = (uint16_t)(crc ^ (uint16_t)((uint8_t)text[i] << 8));
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)((crc & 0x8000) != 0
				? (unsigned)(crc << 1) ^ 0x1021u
				: (unsigned)(crc << 1));
	}
	return (crc);
}

/* Two digits, or -1. */
static int
two_digits(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return (-1);
	return ((text[0] - '0') * 10 + (text[1] - '0'));
}

static bool
read_fields(const char *text, size_t length, struct fields *fields)
{
	size_t at = 0, value_length;
	int tag, size;

	memset(fields, 0, sizeof(*fields));
	while (at < length) {
		if (length - at < HEAD_LENGTH)
			return (false);
		tag = two_digits(text + at);
		size = two_digits(text + at + 2);
		if (tag < 0 || size < 1)
			return (false);
		value_length = (size_t)size;
		at += HEAD_LENGTH;
		if (length - at < value_length || fields->value[tag] != NULL)
			return (false);
		fields->value[tag] = text + at;
		fields->length[tag] = value_length;
		at += value_length;
	}
	return (true);
}

static bool
is_text(const struct fields *fields, int tag, const char *wanted)
{
	return (fields->value[tag] != NULL &&
	    fields->length[tag] == strlen(wanted) &&
	    memcmp(fields->value[tag], wanted, fields->length[tag]) == 0);
}

/* Copies a value, empty when it is not there. */
static void
copy(const struct fields *fields, int tag, char out[QRIS_VALUE_SIZE])
{
	if (fields->value[tag] != NULL)
		memcpy(out, fields->value[tag], fields->length[tag]);
	out[fields->length[tag]] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (-1);
}

/* The CRC is the last field and covers everything before its digits. */
static enum qris_result
check_crc(const char *text, size_t length)
{
	int told = 0, digit;

	if (length <= CRC_FIELD_LENGTH ||
	    memcmp(text + length - CRC_FIELD_LENGTH, "6304", 4) != 0)
		return (QRIS_MALFORMED);
	for (size_t i = length - 4; i < length; i++) {
		digit = hex_value(text[i]);
		if (digit < 0)
			return (QRIS_MALFORMED);
		told = told << 4 | digit;
	}
	return (qris_crc(text, length - 4) == told ? QRIS_OK : QRIS_BAD_CRC);
}

/* Printable text only: a code is shown to people and stored. */
static bool
printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
			return (false);
	}
	return (utf8_valid(text, length));
}

static enum qris_result
read_account(const struct fields *fields, int tag, struct qris *qris)
{
	struct qris_account *account = &qris->accounts[qris->account_count];
	struct fields inner;

	if (!read_fields(fields->value[tag], fields->length[tag], &inner))
		return (QRIS_MALFORMED);
	if (inner.value[0] == NULL)
		return (QRIS_MISSING);
	account->tag[0] = (char)('0' + tag / 10);
	account->tag[1] = (char)('0' + tag % 10);
	account->tag[2] = '\0';
	copy(&inner, 0, account->domain);
	copy(&inner, 1, account->pan);
	copy(&inner, 2, account->merchant_id);
	copy(&inner, 3, account->criteria);
	if (strcmp(account->domain, "ID.CO.QRIS.WWW") == 0)
		copy(&inner, 2, qris->national_id);
	qris->account_count++;
	return (QRIS_OK);
}

/* Tags 26 to 51: who is paid, at least one. */
static enum qris_result
read_accounts(const struct fields *fields, struct qris *qris)
{
	enum qris_result result;

	for (int tag = 26; tag <= 51; tag++) {
		if (fields->value[tag] == NULL)
			continue;
		result = read_account(fields, tag, qris);
		if (result != QRIS_OK)
			return (result);
	}
	return (qris->account_count > 0 ? QRIS_OK : QRIS_MISSING);
}

static enum qris_result
check_constants(const struct fields *fields, struct qris *qris)
{
	static const int mandatory[] = { 0, 1, 52, 53, 58, 59, 60, 63 };

	for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++) {
		if (fields->value[mandatory[i]] == NULL)
			return (QRIS_MISSING);
	}
	if (!is_text(fields, 0, "01"))
		return (QRIS_BAD_VALUE);
	if (!is_text(fields, 1, "11") && !is_text(fields, 1, "12"))
		return (QRIS_BAD_VALUE);
	qris->is_dynamic = is_text(fields, 1, "12");
	if (!is_text(fields, 53, "360") || !is_text(fields, 58, "ID"))
		return (QRIS_BAD_CURRENCY);
	return (QRIS_OK);
}

static enum qris_result
read_merchant(const struct fields *fields, struct qris *qris)
{
	struct fields more;

	if (fields->length[52] != 4 || two_digits(fields->value[52]) < 0 ||
	    two_digits(fields->value[52] + 2) < 0)
		return (QRIS_BAD_VALUE);
	memcpy(qris->category, fields->value[52], 4);
	copy(fields, 59, qris->name);
	copy(fields, 60, qris->city);
	copy(fields, 61, qris->postal_code);
	if (fields->value[62] == NULL)
		return (QRIS_OK);
	if (!read_fields(fields->value[62], fields->length[62], &more))
		return (QRIS_MALFORMED);
	copy(&more, 5, qris->reference);
	copy(&more, 7, qris->terminal);
	return (QRIS_OK);
}

/* "5.5" percent as 550 basis points; more than 0, at most 100. */
static bool
read_percent(const struct fields *fields, int tag, int32_t *basis_points)
{
	int64_t hundredths;

	if (!money_parse(
		fields->value[tag], fields->length[tag], &hundredths) ||
	    hundredths > PERCENT_HUNDREDTHS)
		return (false);
	*basis_points = (int32_t)hundredths;
	return (true);
}

/* Tag 55: 01 ask, 02 fixed in 56, 03 percent in 57; no strays. */
static enum qris_result
read_tip(const struct fields *fields, struct qris *qris)
{
	bool fixed = fields->value[56] != NULL;
	bool percent = fields->value[57] != NULL;

	if (fields->value[55] == NULL)
		return (fixed || percent ? QRIS_BAD_VALUE : QRIS_OK);
	if (is_text(fields, 55, "01") && !fixed && !percent) {
		qris->tip = QRIS_TIP_ASKED;
		return (QRIS_OK);
	}
	if (is_text(fields, 55, "02") && fixed && !percent &&
	    money_parse(
		fields->value[56], fields->length[56], &qris->tip_minor)) {
		qris->tip = QRIS_TIP_FIXED;
		return (QRIS_OK);
	}
	if (is_text(fields, 55, "03") && percent && !fixed &&
	    read_percent(fields, 57, &qris->tip_basis_points)) {
		qris->tip = QRIS_TIP_PERCENT;
		return (QRIS_OK);
	}
	return (QRIS_BAD_VALUE);
}

/* The amount, and that amount and tip stay within the limit. */
static enum qris_result
read_amount(const struct fields *fields, struct qris *qris)
{
	int64_t total_minor;

	if (fields->value[54] != NULL) {
		if (!money_parse(fields->value[54], fields->length[54],
			&qris->amount_minor))
			return (QRIS_BAD_VALUE);
		qris->has_amount = true;
	}
	if (!qris_total(qris, qris->amount_minor, &total_minor) ||
	    total_minor > QRIS_AMOUNT_MAX_MINOR)
		return (QRIS_AMOUNT_TOO_HIGH);
	return (QRIS_OK);
}

typedef enum qris_result (*read_part_fn)(
    const struct fields *fields, struct qris *qris);

enum qris_result
qris_parse(const char *text, size_t length, struct qris *qris)
{
	static const read_part_fn parts[] = { check_constants, read_accounts,
		read_merchant, read_tip, read_amount };
	enum qris_result result;
	struct fields fields;

	memset(qris, 0, sizeof(*qris));
	if (text == NULL || length == 0)
		return (QRIS_MALFORMED);
	if (length > QRIS_LENGTH_MAX)
		return (QRIS_TOO_LONG);
	if (!printable(text, length) || !read_fields(text, length, &fields))
		return (QRIS_MALFORMED);
	/* EMVCo: the format indicator is first, the CRC last. */
	if (memcmp(text, "00", 2) != 0)
		return (QRIS_MALFORMED);
	result = check_crc(text, length);
	for (size_t i = 0;
	     result == QRIS_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
		result = parts[i](&fields, qris);
	return (result);
}

const char *
qris_result_word(enum qris_result result)
{
	static const char *const words[] = {
		[QRIS_OK] = "ok",
		[QRIS_TOO_LONG] = "too_long",
		[QRIS_MALFORMED] = "malformed",
		[QRIS_BAD_CRC] = "bad_crc",
		[QRIS_MISSING] = "missing_field",
		[QRIS_BAD_VALUE] = "bad_value",
		[QRIS_BAD_CURRENCY] = "bad_currency",
		[QRIS_AMOUNT_TOO_HIGH] = "amount_too_high",
	};

	if ((size_t)result >= sizeof(words) / sizeof(words[0]))
		return ("malformed");
	return (words[result]);
}

bool
qris_total(const struct qris *qris, int64_t amount_minor, int64_t *total_minor)
{
	int64_t tip_minor = 0;

	if (qris->tip == QRIS_TIP_FIXED)
		tip_minor = qris->tip_minor;
	if (qris->tip == QRIS_TIP_PERCENT) {
		if (__builtin_mul_overflow(amount_minor,
			(int64_t)qris->tip_basis_points, &tip_minor))
			return (false);
		tip_minor /= PERCENT_HUNDREDTHS;
	}
	return (money_add(amount_minor, tip_minor, total_minor));
}
