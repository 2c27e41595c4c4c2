/*
 * QRIS merchant-presented codes: EMVCo's tag-length-value text with the
 * Indonesian rules (currency 360, country ID), checked to the last digit of
 * its CRC.
 */
#ifndef ONEGATE_DOMAIN_QRIS_H
#define ONEGATE_DOMAIN_QRIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QRIS_LENGTH_MAX 512 /* EMVCo's limit of a whole code */
#define QRIS_VALUE_MAX 99
#define QRIS_VALUE_SIZE (QRIS_VALUE_MAX + 1)
#define QRIS_ACCOUNTS_MAX 26 /* tags 26 to 51 */
#define QRIS_AMOUNT_MAX_MINOR INT64_C(1000000000) /* 10,000,000 rupiah */

enum qris_result {
	QRIS_OK,
	QRIS_TOO_LONG,
	QRIS_MALFORMED, /* no tag-length-value text, or a tag twice */
	QRIS_BAD_CRC,
	QRIS_MISSING, /* a mandatory tag is not there */
	QRIS_BAD_VALUE, /* a value of the wrong form */
	QRIS_BAD_CURRENCY, /* not rupiah, or not Indonesia */
	QRIS_AMOUNT_TOO_HIGH /* amount and tip above QRIS_AMOUNT_MAX_MINOR */
};

enum qris_tip {
	QRIS_NO_TIP,
	QRIS_TIP_ASKED, /* the payer may add one */
	QRIS_TIP_FIXED, /* tip_minor on top */
	QRIS_TIP_PERCENT /* tip_basis_points of the amount on top */
};

struct qris_account {
	char tag[3];
	char domain[QRIS_VALUE_SIZE]; /* subtag 00, e.g. ID.CO.QRIS.WWW */
	char pan[QRIS_VALUE_SIZE]; /* subtag 01: merchant PAN, may be empty */
	char merchant_id[QRIS_VALUE_SIZE]; /* subtag 02, may be empty */
	char criteria[QRIS_VALUE_SIZE]; /* subtag 03: UMI, UKE, ... */
};

struct qris {
	bool is_dynamic; /* made for one payment; a static one is not */
	bool has_amount;
	int64_t amount_minor; /* 0 when not told */
	enum qris_tip tip;
	int64_t tip_minor;
	int32_t tip_basis_points; /* 1% = 100 */
	char category[5]; /* ISO 18245 merchant category */
	char name[QRIS_VALUE_SIZE];
	char city[QRIS_VALUE_SIZE];
	char postal_code[QRIS_VALUE_SIZE]; /* may be empty */
	char national_id[QRIS_VALUE_SIZE]; /* tag 51's 02: NMID, may be empty */
	char reference[QRIS_VALUE_SIZE]; /* tag 62's 05, may be empty */
	char terminal[QRIS_VALUE_SIZE]; /* tag 62's 07, may be empty */
	size_t account_count;
	struct qris_account accounts[QRIS_ACCOUNTS_MAX];
};

/* Reads and checks TEXT; QRIS is only to be used on QRIS_OK. */
enum qris_result qris_parse(const char *text, size_t length, struct qris *qris);

/* A word for each result: "bad_crc"; "ok" for QRIS_OK. */
const char *qris_result_word(enum qris_result result);

/*
 * What the payer owes for AMOUNT_MINOR with the code's own tip on top: the
 * tip that is fixed or a percentage (rounded down to whole sen). False on
 * overflow.
 */
bool qris_total(
    const struct qris *qris, int64_t amount_minor, int64_t *total_minor);

/* CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xffff). */
uint16_t qris_crc(const char *text, size_t length);

#endif
