/*
 * An event of topic transaction-events, as the follower stores it: the members
 * that fill columns of the read model, found once and handed to
 * transaction.store_events as one array a column. What the words and amounts
 * may be is the table's to check; ids, sequences and times are read here.
 */
#ifndef ONEGATE_TRANSACTION_EVENT_H
#define ONEGATE_TRANSACTION_EVENT_H

#include "domain/json.h"
#include "io/pg.h"

#define EVENT_COLUMNS 20
#define EVENT_IDS 5 /* ids are among the first columns */
#define EVENT_TIMES 2

struct event {
	const char *text; /* the message; it must outlive the event */
	size_t length;
	struct json_document document;
	/* NULL: null or absent */
	const struct json_node *values[EVENT_COLUMNS];
	struct uuid ids[EVENT_IDS]; /* those of the columns that are ids */
	int64_t sequence;
	int64_t times[EVENT_TIMES]; /* microseconds since 1970 */
};

/* Reads TEXT. NULL, or which part is missing or malformed; then there is
 * nothing to free. */
const char *event_read(const char *text, size_t length, struct event *event);
void event_free(struct event *event);

/* Puts the arrays of store_events from event_ids on, EVENT_COLUMNS of them. */
void events_put(
    struct pg_params *params, const struct event *events, size_t count);

#endif
