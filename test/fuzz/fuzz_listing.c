/* Queries, cursors, ids, times, amounts, encodings: one text, one meaning. */
#include "fuzz.h"

#include <string.h>

#include "domain/base64.h"
#include "domain/cursor.h"
#include "domain/hex.h"
#include "domain/money.h"
#include "domain/phc.h"
#include "domain/query.h"
#include "domain/rfc3339.h"
#include "domain/trx_id.h"
#include "domain/utf8.h"
#include "domain/uuid.h"

const char *const fuzz_seeds[] = {
	"page=1&size=20&type=TOPUP&from_date=2026-01-01", "a=%C3%A9+b&c=&d",
	"150000.00", "9999999999999.99", "2026-01-01T00:00:00.123456Z",
	"2024-02-29", "2026-01-01T07:00:00+07:00",
	"017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
	"TRX-00000000000000000000000000-GPX",
	"AQAAAAAAADA5AwMDAwMDAwMDAwMDAwMDA-NIhVI", "Zm9vYmE=", "Zm9vYg",
	"00ffAA",
	"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	NULL
};

const char *const fuzz_words[] = { "&", "=", "%00", "%zz", "%", "+", "-", ":",
	"T", "Z", ".", "TRX-", "-SPX", "==", "0", "99", NULL };

static void
try_query(const char *text, size_t size)
{
	static struct query query;

	if (query_parse(text, size, &query) != QUERY_OK) {
		PROMISE(query.count == 0);
		return;
	}
	for (size_t i = 0; i < query.count; i++) {
		const struct query_field *field = &query.fields[i];
		PROMISE(field->name_length > 0);
		PROMISE(strlen(field->name) == field->name_length);
		PROMISE(strlen(field->value) == field->value_length);
		PROMISE(utf8_valid(field->value, field->value_length));
		PROMISE(query_get(&query, field->name) == field);
	}
}

static void
try_ids(const char *text, size_t size)
{
	char trx[TRX_ID_SIZE], cursor[CURSOR_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
	enum trx_id_suffix suffix;
	int64_t position;
	struct uuid id, again;

	if (trx_id_parse(text, size, &id, &suffix)) {
		PROMISE(trx_id_format(&id, suffix, trx) == size);
		PROMISE(trx_id_parse(trx, size, &again, NULL));
		PROMISE(uuid_equal(&id, &again));
	}
	if (uuid_parse(text, size, &id)) {
		uuid_format(&id, uuid);
		PROMISE(uuid_parse(uuid, size, &again));
		PROMISE(uuid_equal(&id, &again));
	}
	if (cursor_read(text, size, &position, &id)) {
		cursor_write(position, &id, cursor);
		PROMISE(memcmp(cursor, text, size) == 0);
	}
}

static void
try_values(const char *text, size_t size)
{
	char written[MONEY_TEXT_SIZE], time[RFC3339_SIZE];
	int64_t value, again;

	if (money_parse(text, size, &value)) {
		PROMISE(value > 0 && value <= MONEY_MAX_MINOR);
		PROMISE(
		    money_parse(written, money_format(value, written), &again));
		PROMISE(value == again);
	}
	if (rfc3339_parse(text, size, &value)) {
		size_t length = rfc3339_format(value, time);
		PROMISE(rfc3339_parse(time, length, &again));
		PROMISE(value == again);
	}
	if (rfc3339_parse_date(text, size, &value)) {
		rfc3339_format_date(value, time);
		PROMISE(memcmp(time, text, size) == 0);
	}
}

static void
try_encodings(const uint8_t *data, size_t size)
{
	uint8_t bytes[8192], hex[64];
	char text[BASE64_SIZE(sizeof(bytes))];
	size_t length;

	if (base64url_decode(
		(const char *)data, size, bytes, sizeof(bytes), &length)) {
		PROMISE(base64url_encode(bytes, length, text) == size);
		PROMISE(memcmp(text, data, size) == 0);
	}
	if (base64_decode(
		(const char *)data, size, bytes, sizeof(bytes), &length)) {
		PROMISE(base64_encode(bytes, length, text) == size);
		PROMISE(memcmp(text, data, size) == 0);
	}
	if (size <= 2 * sizeof(hex) && size % 2 == 0)
		(void)hex_decode((const char *)data, size, hex, size / 2);
}

static void
try_hash(const char *text, size_t size)
{
	char terminated[256], again[PHC_TEXT_SIZE];
	struct phc phc;

	if (size >= sizeof(terminated) || memchr(text, 0, size) != NULL)
		return;
	memcpy(terminated, text, size);
	terminated[size] = '\0';
	if (!phc_parse(terminated, &phc))
		return;
	phc_format(&phc, again);
	PROMISE(strcmp(again, terminated) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_query(text, size);
	try_ids(text, size);
	try_values(text, size);
	try_encodings(data, size);
	try_hash(text, size);
	return (0);
}
