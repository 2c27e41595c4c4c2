/*
 * From names as they come in to names as they are kept. The rules live in
 * modules/domain; here they become field errors.
 */
#include "auth/person.h"

#include <string.h>

#include "domain/email.h"
#include "domain/password.h"
#include "domain/phone.h"
#include "domain/username.h"
#include "web/input.h"

static const char *
keep(struct request *request, const char *text)
{
	return (request_copy(request, text, strlen(text)));
}

static void
username_read(struct request *request, const char *text, struct person *person)
{
	char name[USERNAME_SIZE], key[USERNAME_KEY_SIZE];
	enum username_result result =
	    username_parse(text, strlen(text), name, key);

	if (result != USERNAME_OK) {
		input_refuse(request, "username", username_problem(result));
		return;
	}
	if (username_is_ambiguous(key)) {
		input_refuse(request, "username",
		    "must not look like an e-mail, a phone or an id");
		return;
	}
	person->username = keep(request, name);
	person->username_key = keep(request, key);
}

static void
email_read(struct request *request, const char *text, struct person *person)
{
	char address[EMAIL_SIZE], key[EMAIL_KEY_SIZE];
	enum email_result result =
	    email_parse(text, strlen(text), address, key);

	if (result != EMAIL_OK) {
		input_refuse(request, "email", email_problem(result));
		return;
	}
	person->email = keep(request, address);
	person->email_key = keep(request, key);
}

static void
phone_read(struct request *request, const char *text, struct person *person)
{
	char canonical[PHONE_SIZE];

	if (phone_parse(text, strlen(text), canonical))
		person->phone = keep(request, canonical);
	else
		input_refuse(request, "phone",
		    "must be 08 and 8 to 11 digits (or +62 for the 0)");
}

void
person_read(struct request *request, const char *username, const char *email,
    const char *phone, struct person *person)
{
	if (username != NULL)
		username_read(request, username, person);
	if (email != NULL)
		email_read(request, email, person);
	if (phone != NULL)
		phone_read(request, phone, person);
}

void
person_password_check(struct request *request, const char *field,
    const char *password, const char *username, const char *email,
    const char *phone)
{
	struct password_owner owner = { username, email, phone };
	enum password_result result;

	if (password == NULL)
		return;
	result = password_judge(password, strlen(password), &owner);
	if (result != PASSWORD_OK)
		input_refuse(request, field, password_problem(result));
}

void
person_login_read(
    struct request *request, const char *name, struct person_login *out)
{
	char username[USERNAME_SIZE], username_key[USERNAME_KEY_SIZE];
	char address[EMAIL_SIZE], email_key[EMAIL_KEY_SIZE];
	char phone[PHONE_SIZE];
	size_t length = strlen(name);

	memset(out, 0, sizeof(*out));
	if (username_parse(name, length, username, username_key) == USERNAME_OK)
		out->username_key = keep(request, username_key);
	if (email_parse(name, length, address, email_key) == EMAIL_OK)
		out->email_key = keep(request, email_key);
	if (phone_parse(name, length, phone))
		out->phone = keep(request, phone);
}
