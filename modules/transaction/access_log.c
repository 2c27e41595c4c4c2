/*
 * The access log's writer. See access_log.h.
 */
#include "transaction/access_log.h"

#include <string.h>

#include "io/log.h"
#include "transaction/api_client.h"
#include "transaction/store.h"
#include "web/reply.h"

#define BATCH_MAX 128
#define DEADLINE_MS 2000
#define USER_AGENT_MAX 512
#define ENDPOINT_MAX 1024

/* A call whose row waits to be written. */
struct entry {
	struct request *request;
	struct entry *next;
};

static struct entry *waiting, **waiting_tail = &waiting;
static struct entry *batch; /* under way */

static void send_batch(void);

void
access_log_write(struct request *request)
{
	struct entry *entry = request_alloc(request, sizeof(*entry));

	entry->request = request;
	*waiting_tail = entry;
	waiting_tail = &entry->next;
	request_hold(request);
	if (batch == NULL)
		send_batch();
}

static struct entry *
batch_take(int *count)
{
	struct entry *first = waiting, **end = &waiting;

	for (*count = 0; *end != NULL && *count < BATCH_MAX; (*count)++)
		end = &(*end)->next;
	waiting = *end;
	*end = NULL;
	if (waiting == NULL)
		waiting_tail = &waiting;
	return first;
}

static void
put_text(struct pg_params *params, const char *text, size_t longest)
{
	if (text == NULL)
		pg_array_null(params);
	else
		pg_array_text(params, text, strnlen(text, longest));
}

static void
put_id(struct pg_params *params, const struct uuid *id)
{
	if (uuid_is_zero(id))
		pg_array_null(params);
	else
		pg_array_uuid(params, id);
}

static const struct visit *
visit_of(const struct entry *entry)
{
	return entry->request->state;
}

static void
params_fill(struct pg_params *params, int count)
{
	pg_array_begin(params, PG_OID_UUID, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		put_id(params, &visit_of(e)->service_id);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_UUID, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		put_id(params, &visit_of(e)->key_id);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_TEXT, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		put_text(params, e->request->path, ENDPOINT_MAX);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_TEXT, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		put_text(params, e->request->method, 16);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_TEXT, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		put_text(params, e->request->ip, REQUEST_IP_SIZE);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_TEXT, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		put_text(params, request_header(e->request, "user-agent"),
		    USER_AGENT_MAX);
	pg_array_end(params);
	pg_array_begin(params, PG_OID_INT2, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		pg_array_int2(params, (int16_t)reply_status(e->request));
	pg_array_end(params);
	pg_array_begin(params, PG_OID_TEXT, count);
	for (struct entry *e = batch; e != NULL; e = e->next)
		put_text(params, e->request->id, REQUEST_ID_SIZE);
	pg_array_end(params);
}

static void
batch_written(void *owner, const struct pg_answer *answer)
{
	struct entry *entry = batch, *next;
	bool written = answer->status == PG_DONE;

	(void)owner;
	if (!written)
		log_event(LOG_LEVEL_ERROR, "access log: rows not written",
		    LOG_TEXT("sqlstate", answer->sqlstate),
		    LOG_TEXT("error", answer->message));
	batch = NULL;
	for (; entry != NULL; entry = next) {
		next = entry->next;
		if (!written)
			reply_replace(entry->request, ERROR_UNAVAILABLE);
		reply_release(entry->request);
		request_release(entry->request, NULL);
	}
	if (waiting != NULL && batch == NULL)
		send_batch();
}

static void
send_batch(void)
{
	struct pg_params params;
	int count;

	batch = batch_take(&count);
	pg_params_init(&params);
	params_fill(&params, count);
	pg_call(store_pool(), STORE_WRITE_ACCESS, &params, false, DEADLINE_MS,
	    batch_written, NULL);
}
