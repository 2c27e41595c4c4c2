/*
 * Indonesian mobile numbers in one form.
 */
#include "domain/phone.h"

#include <string.h>

#define WALLET_PREFIX_LENGTH 3
/* "628" and 7 more digits, the shortest that 10 written digits can mean. */
#define CANONICAL_MIN 9

static const struct {
	const char *prefix;
	enum phone_wallet wallet;
} wallets[] = {
	{ "898", PHONE_GOPAY },
	{ "897", PHONE_SHOPEEPAY },
};

static bool
all_digits(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return (false);
	}
	return (true);
}

static bool
starts_with(const char *text, size_t length, const char *prefix)
{
	size_t prefix_length = strlen(prefix);

	return (length >= prefix_length &&
	    memcmp(text, prefix, prefix_length) == 0);
}

/* Digits "08..." or "628..." of SHORTEST to LONGEST canonical digits. */
static bool
canonical_from_digits(const char *text, size_t length, size_t shortest,
    size_t longest, char canonical[PHONE_SIZE])
{
	if (starts_with(text, length, "628")) {
		text += 2;
		length -= 2;
	} else if (starts_with(text, length, "08")) {
		text += 1;
		length -= 1;
	} else {
		return (false);
	}
	if (length + 1 < shortest || length + 1 > longest)
		return (false);
	canonical[0] = '0';
	memcpy(canonical + 1, text, length);
	canonical[length + 1] = '\0';
	return (true);
}

bool
phone_parse(const char *text, size_t length, char canonical[PHONE_SIZE])
{
	if (text == NULL || length == 0)
		return (false);
	if (text[0] == '+') {
		text++;
		length--;
		if (!starts_with(text, length, "62"))
			return (false);
	}
	if (!all_digits(text, length))
		return (false);
	return (canonical_from_digits(text, length, PHONE_REGISTERED_MIN,
	    PHONE_REGISTERED_MAX, canonical));
}

bool
phone_parse_wallet(const char *text, size_t length, char canonical[PHONE_SIZE],
    enum phone_wallet *wallet)
{
	enum phone_wallet found = PHONE_NO_WALLET;
	size_t prefix_length = 0;

	if (text == NULL || length == 0)
		return (false);
	if (text[0] == '+') {
		text++;
		length--;
		if (!starts_with(text, length, "62"))
			return (false);
	}
	if (length < PHONE_WALLET_MIN || !all_digits(text, length))
		return (false);
	for (size_t i = 0; i < sizeof(wallets) / sizeof(wallets[0]); i++) {
		if (starts_with(text, length, wallets[i].prefix)) {
			found = wallets[i].wallet;
			prefix_length = WALLET_PREFIX_LENGTH;
			text += prefix_length;
			length -= prefix_length;
			break;
		}
	}
	/* The wallet number of everybody who can register fits, also where
	 * the prefix takes it past 15 digits. */
	if (found == PHONE_NO_WALLET || !phone_parse(text, length, canonical)) {
		if (length + prefix_length > PHONE_WALLET_MAX ||
		    !canonical_from_digits(text, length, CANONICAL_MIN,
			PHONE_WALLET_MAX, canonical))
			return (false);
	}
	*wallet = found;
	return (true);
}
