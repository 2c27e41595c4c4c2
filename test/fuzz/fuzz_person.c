/* Names, addresses, phones, passwords, PINs: one form each, and stable. */
#include "fuzz.h"

#include <string.h>

#include "domain/email.h"
#include "domain/password.h"
#include "domain/phone.h"
#include "domain/pin.h"
#include "domain/username.h"
#include "domain/utf8.h"

const char *const fuzz_seeds[] = { "budi", "Budi Santoso",
	"caf\xc3\xa9 \xe2\x82\xac", "a@b.id", "Budi.Santoso+x@example.co.id",
	"081234567890", "+6281234567890", "898081234567890", "password1",
	"482913", "\xef\xb7\xba\xcc\x81", NULL };

const char *const fuzz_words[] = { "@", ".", "..", "+62", "08", "898",
	"\xcc\x81", "\xe2\x80\xae", "\xc2\xa0", "\xef\xb7\xba",
	"\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xc2\xa8", " ", NULL };

static void
try_username(const char *text, size_t size)
{
	char name[USERNAME_SIZE], key[USERNAME_KEY_SIZE];
	char again[USERNAME_SIZE], key_again[USERNAME_KEY_SIZE];

	if (username_parse(text, size, name, key) != USERNAME_OK)
		return;
	PROMISE(utf8_valid(name, strlen(name)) && name[0] != '\0');
	PROMISE(utf8_valid(key, strlen(key)) && key[0] != '\0');
	PROMISE(username_parse(name, strlen(name), again, key_again) ==
	    USERNAME_OK);
	PROMISE(strcmp(name, again) == 0 && strcmp(key, key_again) == 0);
	(void)username_is_ambiguous(key);
}

static void
try_email(const char *text, size_t size)
{
	char address[EMAIL_SIZE], key[EMAIL_KEY_SIZE];

	if (email_parse(text, size, address, key) != EMAIL_OK)
		return;
	PROMISE(strlen(address) == size && size <= EMAIL_BYTES_MAX);
	PROMISE(strchr(key, '@') != NULL && key[0] != '@');
	PROMISE(strchr(key, '@') == strrchr(key, '@'));
}

static void
try_phone(const char *text, size_t size)
{
	char phone[PHONE_SIZE], again[PHONE_SIZE];
	enum phone_wallet wallet;

	if (phone_parse(text, size, phone)) {
		PROMISE(strncmp(phone, "08", 2) == 0);
		PROMISE(phone_parse(phone, strlen(phone), again));
		PROMISE(strcmp(phone, again) == 0);
	}
	if (phone_parse_wallet(text, size, phone, &wallet)) {
		PROMISE(strncmp(phone, "08", 2) == 0);
		PROMISE(strlen(phone) < PHONE_SIZE);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct password_owner owner = { .username = "Budi Santoso",
		.email = "budi.santoso@example.co.id",
		.phone = "081234567890" };
	const char *text = (const char *)data;

	try_username(text, size);
	try_email(text, size);
	try_phone(text, size);
	(void)password_judge(text, size, &owner);
	if (pin_judge(text, size) != PIN_MALFORMED)
		PROMISE(pin_well_formed(text, size));
	return (0);
}
