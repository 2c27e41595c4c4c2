/*
 * transaction.api_access_logs: one row a call, refused calls too, written
 * before the answer leaves. Rows that arrive while a write is under way go
 * together in the next one.
 */
#ifndef ONEGATE_TRANSACTION_ACCESS_LOG_H
#define ONEGATE_TRANSACTION_ACCESS_LOG_H

#include "web/request.h"

/* The before-send hook: writes the row of this call, then lets the answer
 * leave. When the row cannot be written the answer becomes a 503. */
void access_log_write(struct request *request);

#endif
