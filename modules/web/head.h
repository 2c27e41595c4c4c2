/*
 * The head of an HTTP/1.1 request (RFC 9112), read strictly: what two parsers
 * could understand differently is refused. Pure: it reads bytes and decides;
 * guard.c does what it says. It must never guess.
 */
#ifndef ONEGATE_WEB_HEAD_H
#define ONEGATE_WEB_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/error.h"

/* A browser behind a gateway sends about 32. */
#define HEAD_FIELDS_MAX 36
/* Longer targets are 414; longer paths too (Kore refuses 2,000). */
#define HEAD_TARGET_MAX 6000
#define HEAD_PATH_MAX 1500
/* Stands for each byte of a value that is not ASCII: no character set is
 * agreed on, and what no validator accepts cannot make two values one. */
#define HEAD_FOREIGN '\x7f'
/* Digits of Content-Length. */
#define HEAD_LENGTH_DIGITS_MAX 12

struct head_field {
	const char *name; /* lower case */
	const char *value; /* without outer blanks; "" when empty */
};

struct head {
	const char *method; /* one of those that Kore knows */
	const char *path; /* not decoded, without query */
	const char *query; /* after '?', "" when none */
	struct head_field fields[HEAD_FIELDS_MAX];
	unsigned count;
	size_t body_length; /* bytes that follow the head */
	bool takes_body; /* POST PUT PATCH DELETE: may have a body */
	bool expects_body; /* POST PUT PATCH: without a length it closes */
	bool has_length; /* there was a Content-Length */
	bool expects_continue;
	bool closes; /* HTTP/1.0 or Connection: close */
	bool version_1_0;
};

/*
 * True when BLOCK of LENGTH bytes holds a whole head; *SIZE is then its bytes
 * with the blank line. False: more is to come, or *CODE says that nothing
 * good can come (BAD_REQUEST).
 */
bool head_complete(
    const char *block, size_t length, size_t *size, enum error_code *code);

/*
 * Reads BLOCK of SIZE bytes (from head_complete) into HEAD, which then points
 * into BLOCK; BLOCK is changed: NULs end its parts, names become lower case.
 * Gives ERROR_NONE or why the request is refused: BAD_REQUEST,
 * HEADERS_TOO_LARGE, URI_TOO_LONG, NOT_IMPLEMENTED, TRANSFER_CODING,
 * VERSION_NOT_SUPPORTED, EXPECTATION_FAILED. The fields that were read are there in
 * any case (for the request id of the refusal).
 */
enum error_code head_read(struct head *head, char *block, size_t size);

/* The value of field NAME (lower case), or NULL. */
const char *head_value(const struct head *head, const char *name);
/* How often field NAME is there. */
unsigned head_times(const struct head *head, const char *name);

#endif
