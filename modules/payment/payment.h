/*
 * What the files of this module share: its connections and its statements.
 */
#ifndef ONEGATE_PAYMENT_PAYMENT_H
#define ONEGATE_PAYMENT_PAYMENT_H

#include "io/pg.h"
#include "web/request.h"

enum payment_statement {
#define STATEMENT(id, ...) STATEMENT_##id,
#include "payment/statements.def"
#undef STATEMENT
	STATEMENT_COUNT
};

/* Short reads by index: many in flight on few connections. */
struct pg_pool *payment_reads(void);
/* Short writes that are not postings, and reads that may take longer. */
struct pg_pool *payment_writes(void);

/* Runs STATEMENT with PARAMS (taken over; NULL: none), text results. */
void payment_read(struct request *request, enum payment_statement statement,
    struct pg_params *params, sql_step_fn next);
void payment_write(struct request *request, enum payment_statement statement,
    struct pg_params *params, sql_step_fn next);

#endif
