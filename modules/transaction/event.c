/* See event.h. */
#include "transaction/event.h"

#include <assert.h>
#include <string.h>

#include "domain/rfc3339.h"
#include "domain/uuid.h"

enum kind {
	KIND_ID,
	KIND_SEQUENCE,
	KIND_WORD, /* string or number: its text */
	KIND_TRUTH,
	KIND_TIME, /* RFC 3339 */
	KIND_DETAILS /* an object: the whole event's text, which holds it */
};

#define FIRST_TIME 17 /* the column of the first time; the other follows */

#define NAME(text) (text), sizeof(text) - 1

/* In the order of the parameters of store_events. */
static const struct column {
	const char *name;
	size_t length; /* of the name */
	enum kind kind;
	bool required;
} columns[EVENT_COLUMNS] = {
	{ NAME("event_id"), KIND_ID, true },
	{ NAME("sequence"), KIND_SEQUENCE, true },
	{ NAME("id"), KIND_ID, true },
	{ NAME("user_id"), KIND_ID, true },
	{ NAME("account_id"), KIND_ID, true },
	{ NAME("transaction_id"), KIND_WORD, false },
	{ NAME("transaction_type"), KIND_WORD, false },
	{ NAME("transaction_status"), KIND_WORD, false },
	{ NAME("amount"), KIND_WORD, false },
	{ NAME("balance_before"), KIND_WORD, false },
	{ NAME("balance_after"), KIND_WORD, false },
	{ NAME("currency"), KIND_WORD, false },
	{ NAME("direction"), KIND_WORD, false },
	{ NAME("description"), KIND_WORD, false },
	{ NAME("external_reference"), KIND_WORD, false },
	{ NAME("payment_method"), KIND_WORD, false },
	{ NAME("is_accessible_external"), KIND_TRUTH, false },
	{ NAME("created_at"), KIND_TIME, true },
	{ NAME("updated_at"), KIND_TIME, true },
	{ NAME("metadata"), KIND_DETAILS, false },
};

/* Reads the value of COLUMN, which is there. False: it is of another kind. */
static bool
value_read(struct event *event, size_t column)
{
	const struct json_node *value = event->values[column];

	switch (columns[column].kind) {
	case KIND_ID:
		assert(column < EVENT_IDS);
		return value->type == JSON_STRING &&
		    uuid_parse(value->text, value->length, &event->ids[column]);
	case KIND_SEQUENCE:
		return json_node_integer(value, 1, INT64_MAX, &event->sequence);
	case KIND_WORD:
		return value->type == JSON_STRING || value->type == JSON_NUMBER;
	case KIND_TRUTH:
		return value->type == JSON_TRUE || value->type == JSON_FALSE;
	case KIND_TIME:
		assert(column - FIRST_TIME < EVENT_TIMES);
		return value->type == JSON_STRING &&
		    rfc3339_parse(value->text, value->length,
			&event->times[column - FIRST_TIME]);
	case KIND_DETAILS:
		return true;
	}
	return false;
}

/* The column that member KEY fills, EVENT_COLUMNS for none. Events come with
 * their members in one order: the search begins behind the last one found. */
static size_t
column_of(const struct json_node *member, size_t after)
{
	for (size_t i = 0; i < EVENT_COLUMNS; i++) {
		size_t column = (after + i) % EVENT_COLUMNS;

		if (member->key_length == columns[column].length &&
		    memcmp(member->key, columns[column].name,
			member->key_length) == 0)
			return column;
	}
	return EVENT_COLUMNS;
}

static void
values_find(struct event *event)
{
	const struct json_node *root = &event->document.nodes[0];
	const struct json_node *member;
	size_t column = 0;

	if (root->type != JSON_OBJECT)
		return;
	for (member = json_first(&event->document, root); member != NULL;
	     member = json_next(&event->document, member)) {
		size_t found = column_of(member, column);

		if (found == EVENT_COLUMNS || member->type == JSON_NULL)
			continue;
		event->values[found] = member;
		column = found + 1;
	}
}

/* The name of a column whose value is missing or of another kind, or NULL. */
static const char *
first_wrong(struct event *event)
{
	for (size_t i = 0; i < EVENT_COLUMNS; i++) {
		if (event->values[i] == NULL ? columns[i].required
					     : !value_read(event, i))
			return columns[i].name;
	}
	return NULL;
}

const char *
event_read(const char *text, size_t length, struct event *event)
{
	const char *wrong;

	*event = (struct event){ .text = text, .length = length };
	if (text == NULL ||
	    json_parse(text, length, &event->document) != JSON_OK)
		return "its JSON";
	values_find(event);
	wrong = first_wrong(event);
	if (wrong != NULL)
		event_free(event);
	return wrong;
}

void
event_free(struct event *event)
{
	json_free(&event->document);
}

static uint32_t
element_of(enum kind kind)
{
	switch (kind) {
	case KIND_ID:
		return PG_OID_UUID;
	case KIND_SEQUENCE:
		return PG_OID_INT8;
	case KIND_TRUTH:
		return PG_OID_BOOL;
	case KIND_TIME:
		return PG_OID_TIMESTAMPTZ;
	case KIND_WORD:
	case KIND_DETAILS:
		break;
	}
	return PG_OID_TEXT;
}

static void
value_put(struct pg_params *params, const struct event *event, size_t column)
{
	const struct json_node *value = event->values[column];

	if (value == NULL) {
		pg_array_null(params);
		return;
	}
	switch (columns[column].kind) {
	case KIND_ID:
		pg_array_uuid(params, &event->ids[column]);
		break;
	case KIND_SEQUENCE:
		pg_array_int8(params, event->sequence);
		break;
	case KIND_WORD:
		pg_array_text(params, value->text, value->length);
		break;
	case KIND_TRUTH:
		pg_array_bool(params, value->type == JSON_TRUE);
		break;
	case KIND_TIME:
		pg_array_time(params, event->times[column - FIRST_TIME]);
		break;
	case KIND_DETAILS:
		pg_array_text(params, event->text, event->length);
		break;
	}
}

void
events_put(struct pg_params *params, const struct event *events, size_t count)
{
	for (size_t column = 0; column < EVENT_COLUMNS; column++) {
		pg_array_begin(
		    params, element_of(columns[column].kind), (int)count);
		for (size_t i = 0; i < count; i++)
			value_put(params, &events[i], column);
		pg_array_end(params);
	}
}
