/*
 * Public transaction ids: "TRX-", the 16 bytes of a uuid as 26 characters of
 * Crockford's base32 (upper case, without I L O U), and for what a wallet
 * took part in "-GPX" (GoPay) or "-SPX" (ShopeePay). The same order as the
 * uuids, and the uuid comes back out.
 */
#ifndef ONEGATE_DOMAIN_TRX_ID_H
#define ONEGATE_DOMAIN_TRX_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/uuid.h"

#define TRX_ID_LENGTH_MAX 34
#define TRX_ID_SIZE (TRX_ID_LENGTH_MAX + 1)

enum trx_id_suffix {
	TRX_ID_PLAIN,
	TRX_ID_GOPAY, /* -GPX */
	TRX_ID_SHOPEEPAY /* -SPX */
};

/* Writes the id and a NUL, gives the length. */
size_t trx_id_format(
    const struct uuid *id, enum trx_id_suffix suffix, char text[TRX_ID_SIZE]);

/*
 * Reads exactly what trx_id_format writes, lower case too; SUFFIX may be
 * NULL. The suffix is part of the id: whether it is the true one only the
 * row knows.
 */
bool trx_id_parse(const char *text, size_t length, struct uuid *id,
    enum trx_id_suffix *suffix);

#endif
