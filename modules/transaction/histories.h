/*
 * The transaction object as a regulator's client sees it, in lists and alone.
 */
#ifndef ONEGATE_TRANSACTION_HISTORIES_H
#define ONEGATE_TRANSACTION_HISTORIES_H

#include "domain/json.h"
#include "io/pg.h"

/* Writes row ROW of a result of STORE_PAGE or STORE_BY_*; DETAIL adds the
 * members that only the single object has. */
void histories_put(
    struct json_writer *writer, const PGresult *rows, int row, bool detail);

#endif
