/*
 * The names of a person as they come in: what may be registered, and which
 * keys make them unique and find them again.
 */
#ifndef ONEGATE_AUTH_PERSON_H
#define ONEGATE_AUTH_PERSON_H

#include "web/request.h"

#define PERSON_TAKEN_SQLSTATE "23505" /* unique_violation */

/* Texts live as long as the request. */
struct person {
	const char *username; /* NFC, as written */
	const char *username_key; /* folded */
	const char *email; /* as written */
	const char *email_key;
	const char *phone; /* 08... */
};

/*
 * Reads the three names into PERSON; names every wrong one as a field error
 * (input_valid tells). NULL names are skipped: they were refused before.
 */
void person_read(struct request *request, const char *username,
    const char *email, const char *phone, struct person *person);

/* Names FIELD wrong when PASSWORD is too common or one of the names. NULL
 * arguments are skipped. */
void person_password_check(struct request *request, const char *field,
    const char *password, const char *username, const char *email,
    const char *phone);

/* What a sign-in name may mean: keys are NULL where it cannot be one. */
struct person_login {
	const char *username_key, *email_key, *phone;
};

void person_login_read(
    struct request *request, const char *name, struct person_login *out);

#endif
