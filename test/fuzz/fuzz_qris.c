/* QRIS codes, with their CRC made right again so that the fields are met. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "domain/qris.h"
#include "domain/utf8.h"

const char *const fuzz_seeds[] = {
	"00020101021126570011ID.DANA.WWW011893600915303023251702090302325170303"
	"UMI51440014ID.CO.QRIS.WWW0215ID10265294489570303UMI5204737253033605802"
	"ID5914Raol Mukarrozi6015Kota Banjar Bar6105707316304E0BD",
	"00020101021226200011ID.DANA.WWW01015520454115303360540510000550203570"
	"155802ID5904Toko6007Jakarta6207050212663041234",
	NULL
};

const char *const fuzz_words[] = { "00", "01", "54", "5405", "5502", "02", "56",
	"57", "6304", "99", "5303360", "5802ID", NULL };

static void
try_code(const char *code, size_t length)
{
	struct qris qris;
	int64_t total;

	if (qris_parse(code, length, &qris) != QRIS_OK)
		return;
	PROMISE(qris.account_count >= 1);
	PROMISE(qris.account_count <= QRIS_ACCOUNTS_MAX);
	PROMISE(utf8_valid(qris.name, strlen(qris.name)));
	PROMISE(qris_total(&qris, qris.amount_minor, &total));
	PROMISE(total >= qris.amount_minor);
	PROMISE(total <= QRIS_AMOUNT_MAX_MINOR);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char code[QRIS_LENGTH_MAX + 8];

	try_code((const char *)data, size);
	if (size < 8 || size > QRIS_LENGTH_MAX)
		return (0);
	memcpy(code, data, size - 8);
	memcpy(code + size - 8, "6304", 4);
	snprintf(code + size - 4, 5, "%04X", qris_crc(code, size - 4));
	try_code(code, size);
	return (0);
}
