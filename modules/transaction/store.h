/*
 * What transaction asks of PostgreSQL: the pool of the regulators' reads and
 * the statements prepared on it. The role behind it sees views and functions
 * of schema transaction, nothing else.
 */
#ifndef ONEGATE_TRANSACTION_STORE_H
#define ONEGATE_TRANSACTION_STORE_H

#include "io/pg.h"

enum store_statement {
	STORE_FIND_KEY,
	STORE_WRITE_ACCESS,
	STORE_PAGE,
	STORE_COUNT,
	STORE_BY_ID,
	STORE_BY_TRANSACTION_ID,
	STORE_DAILY
};

/* Opens the pool once. */
void store_init(void);
struct pg_pool *store_pool(void);
/* True while at least one connection is usable. */
bool store_ready(void);

#endif
