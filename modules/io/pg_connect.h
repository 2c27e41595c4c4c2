/*
 * How every connection to PostgreSQL is begun: the caller's conninfo over our
 * defaults. Internal to the io layer.
 */
#ifndef ONEGATE_IO_PG_CONNECT_H
#define ONEGATE_IO_PG_CONNECT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#define PG_CONNECT_TIMEOUT_MS 3000

/* True when CONNINFO reads as one; else a line in the log names NAME. Warns
 * when connecting would have to resolve a name, which waits. */
bool pg_conninfo_check(const char *conninfo, const char *name);

/*
 * Begins a connection without waiting; go on with PQconnectPoll. NAME is its
 * application_name. STATEMENT_TIMEOUT_MS 0: the role's. NULL when memory ran out;
 * look at PQstatus. The caller finishes it.
 */
PGconn *pg_connect_begin(
    const char *conninfo, const char *name, uint32_t statement_timeout_ms);

#endif
