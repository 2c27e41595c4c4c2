/* See account_reads.h. */
#include "payment/account_reads.h"

#include <sys/queue.h>

#include "io/loop.h"
#include "payment/payment.h"
#include "web/reply.h"

#define BATCHES 2 /* on their way at once */
#define BATCH_MAX 128
#define QUEUE_MAX 4096

struct reading {
	struct request *request;
	account_row_fn next_step;
	const struct pg_answer *answer;
	int row;
	STAILQ_ENTRY(reading) next;
};

struct batch {
	struct reading *items[BATCH_MAX];
	int count; /* 0: idle */
};

static struct batch batches[BATCHES];
static STAILQ_HEAD(, reading) queue = STAILQ_HEAD_INITIALIZER(queue);
static size_t queue_length;
static bool pump_deferred;

static void batch_answered(void *owner, const struct pg_answer *answer);

static struct reading *
queue_take(void)
{
	struct reading *reading = STAILQ_FIRST(&queue);

	STAILQ_REMOVE_HEAD(&queue, next);
	queue_length--;
	return reading;
}

static void
batch_send(struct batch *batch)
{
	struct pg_params params;

	while (!STAILQ_EMPTY(&queue) && batch->count < BATCH_MAX)
		batch->items[batch->count++] = queue_take();
	pg_params_init(&params);
	pg_array_begin(&params, PG_OID_UUID, batch->count);
	for (int i = 0; i < batch->count; i++)
		pg_array_uuid(&params, &batch->items[i]->request->user.user_id);
	pg_array_end(&params);
	pg_call(payment_reads(), STATEMENT_ACCOUNTS, &params, true,
	    REQUEST_SQL_DEADLINE_MS, batch_answered, batch);
}

static void
pump(void *owner)
{
	(void)owner;
	pump_deferred = false;
	for (int i = 0; i < BATCHES && !STAILQ_EMPTY(&queue); i++) {
		if (batches[i].count == 0)
			batch_send(&batches[i]);
	}
}

static void
reading_step(struct request *request)
{
	const struct reading *reading = request->waiting;

	if (request_sql_ok(request, reading->answer))
		reading->next_step(
		    request, reading->answer->rows, reading->row);
}

static void
reading_end(struct reading *reading, const struct pg_answer *answer, int row)
{
	reading->answer = answer;
	reading->row = row;
	if (answer->status == PG_DONE &&
	    pg_is_null(answer->rows, row, ACCOUNT_ID))
		reading->row = -1;
	reading->request->waiting = reading;
	request_release(reading->request, reading_step);
}

static void
batch_answered(void *owner, const struct pg_answer *answer)
{
	struct batch *batch = owner;
	int count = batch->count;
	struct reading *items[BATCH_MAX];

	for (int i = 0; i < count; i++)
		items[i] = batch->items[i];
	batch->count = 0;
	for (int i = 0; i < count; i++)
		reading_end(items[i], answer, i);
	/* What waited behind it has waited as long: it fails too. */
	while (answer->status != PG_DONE && !STAILQ_EMPTY(&queue))
		reading_end(queue_take(), answer, 0);
	pump(NULL);
}

void
account_read(struct request *request, account_row_fn next)
{
	struct reading *reading;

	if (queue_length >= QUEUE_MAX) {
		reply_error(request, ERROR_OVERLOADED);
		return;
	}
	reading = request_alloc(request, sizeof(*reading));
	reading->request = request;
	reading->next_step = next;
	request_hold(request);
	STAILQ_INSERT_TAIL(&queue, reading, next);
	queue_length++;
	/* All that one turn of the loop brings goes together. */
	if (!pump_deferred)
		pump_deferred = loop_defer(pump, NULL);
	if (!pump_deferred)
		pump(NULL);
}
