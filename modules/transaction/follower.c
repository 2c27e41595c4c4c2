/*
 * The follower: topic transaction-events into the read model. See follower.h.
 * One thread, blocking calls, read from top to bottom.
 */
#include "transaction/follower.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "io/config.h"
#include "io/job.h"
#include "io/kafka.h"
#include "io/log.h"
#include "io/metrics.h"
#include "io/pg_sync.h"
#include "transaction/event.h"

#define TOPIC "transaction-events"
#define GROUP "transaction"
#define BATCH_MAX 500
#define POLL_MS 200
#define RETRY_MS 500
#define STORE_MS 10000
#define REASON_SIZE 96

enum { OFFSET_OF, STORE_EVENTS, STORE_DEAD_LETTER };

static const struct pg_statement statements[] = {
	[OFFSET_OF] = { "offset",
	    "select transaction.consumer_offset($1::text, $2::integer)" },
	[STORE_EVENTS] = { "store",
	    "select transaction.store_events($1, $2, $3, $4, $5, $6, $7, $8,"
	    " $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,"
	    " $21, $22, $23)" },
	[STORE_DEAD_LETTER] = { "dead",
	    "select transaction.store_dead_letter($1::text, $2::integer,"
	    " $3::bigint, $4::text)" },
	{ NULL, NULL },
};

struct place {
	int32_t partition;
	int64_t offset;
};

static struct job *job;
static atomic_bool hearing;

/* Where a partition goes on: what was stored, 0 for one never read, -1 while
 * the database cannot tell: then nothing is read. */
static int64_t
offset_of(void *owner, const char *topic, int32_t partition)
{
	struct pg_sync *pg = owner;
	struct pg_params params;
	PGresult *rows;
	int64_t offset = 0;

	if (!pg_sync_connect(pg))
		return -1;
	pg_params_init(&params);
	pg_put_text(&params, topic);
	pg_put_int4(&params, partition);
	if (pg_sync_call(pg, OFFSET_OF, &params, false, &rows) != PG_DONE) {
		log_event(LOG_LEVEL_WARNING, "follower: offset not known",
		    LOG_TEXT("error", pg_sync_message(pg)));
		return -1;
	}
	if (!pg_is_null(rows, 0, 0))
		offset = pg_int(rows, 0, 0);
	PQclear(rows);
	return offset;
}

/* Where the partitions of MESSAGES go on after them; gives how many there are.
 * NEXT has room for COUNT. */
static size_t
places_of(rd_kafka_message_t **messages, size_t count, struct place *next)
{
	size_t places = 0;

	for (size_t i = 0; i < count; i++) {
		size_t p = 0;

		while (
		    p < places && next[p].partition != messages[i]->partition)
			p++;
		if (p == places)
			next[places++].partition = messages[i]->partition;
		next[p].offset = messages[i]->offset + 1;
	}
	return places;
}

static enum pg_status
store(struct pg_sync *pg, rd_kafka_message_t **messages,
    const struct event *events, size_t count)
{
	struct place next[BATCH_MAX];
	size_t places = places_of(messages, count, next);
	struct pg_params params;

	pg_params_init(&params);
	pg_put_text(&params, TOPIC);
	pg_array_begin(&params, PG_OID_INT4, (int)places);
	for (size_t i = 0; i < places; i++)
		pg_array_int4(&params, next[i].partition);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_INT8, (int)places);
	for (size_t i = 0; i < places; i++)
		pg_array_int8(&params, next[i].offset);
	pg_array_end(&params);
	events_put(&params, events, count);
	return pg_sync_call(pg, STORE_EVENTS, &params, false, NULL);
}

static enum pg_status
store_dead_letter(
    struct pg_sync *pg, const rd_kafka_message_t *message, const char *reason)
{
	struct pg_params params;

	metric_add(METRIC_FOLLOWER_DEAD_LETTERS, 0, 1);
	log_event(LOG_LEVEL_ERROR, "follower: dead letter",
	    LOG_NUMBER("partition", message->partition),
	    LOG_NUMBER("offset", message->offset), LOG_TEXT("reason", reason));
	pg_params_init(&params);
	pg_put_text(&params, TOPIC);
	pg_put_int4(&params, message->partition);
	pg_put_int8(&params, message->offset);
	pg_put_text(&params, reason);
	return pg_sync_call(pg, STORE_DEAD_LETTER, &params, false, NULL);
}

/* Whether the database refused what the message holds (SQLSTATE classes 22 and
 * 23), not the call: in the middle of an upgrade, say, it is nobody's fault. */
static bool
message_is_bad(const struct pg_sync *pg)
{
	const char *sqlstate = pg_sync_sqlstate(pg);

	return strncmp(sqlstate, "22", 2) == 0 ||
	    strncmp(sqlstate, "23", 2) == 0;
}

/* One message alone: stored, or put with the dead letters with its reason.
 * Anything but PG_DONE: the database is away, or refuses whatever comes. */
static enum pg_status
store_one(struct pg_sync *pg, rd_kafka_message_t *message)
{
	struct event event;
	const char *wrong = event_read(message->payload, message->len, &event);
	enum pg_status status;
	char reason[REASON_SIZE];

	if (wrong != NULL) {
		(void)snprintf(reason, sizeof(reason),
		    "no event: %s is missing or malformed", wrong);
		return store_dead_letter(pg, message, reason);
	}
	status = store(pg, &message, &event, 1);
	event_free(&event);
	if (status == PG_REFUSED && message_is_bad(pg))
		return store_dead_letter(pg, message, pg_sync_message(pg));
	return status;
}

/* All as one batch; PG_REFUSED also when one of them cannot be read. */
static enum pg_status
store_all(struct pg_sync *pg, rd_kafka_message_t **messages, size_t count)
{
	static struct event events[BATCH_MAX]; /* the follower's alone */
	enum pg_status status = PG_REFUSED;
	size_t read = 0;

	while (read < count &&
	    event_read(messages[read]->payload, messages[read]->len,
		&events[read]) == NULL)
		read++;
	if (read == count)
		status = store(pg, messages, events, count);
	while (read > 0)
		event_free(&events[--read]);
	return status;
}

/* A batch goes as one; when the database refuses it, or a message cannot be
 * read, each goes alone, in order. */
static bool
store_batch(struct pg_sync *pg, rd_kafka_message_t **messages, size_t count)
{
	enum pg_status status = store_all(pg, messages, count);

	for (size_t i = 0; status == PG_REFUSED && i < count; i++) {
		enum pg_status one = store_one(pg, messages[i]);

		if (one != PG_DONE)
			return false;
		if (i + 1 == count)
			status = PG_DONE;
	}
	if (status == PG_DONE)
		metric_add(METRIC_FOLLOWER_EVENTS, 0, count);
	return status == PG_DONE;
}

/* Follows until the database is lost or the job is asked to stop. */
static void
follow(struct job *self, struct pg_sync *pg, struct kafka_consumer *consumer)
{
	rd_kafka_message_t *messages[BATCH_MAX];

	while (!job_stopping(self)) {
		size_t count =
		    kafka_consume(consumer, messages, BATCH_MAX, POLL_MS);
		bool stored = count == 0 || store_batch(pg, messages, count);

		for (size_t i = 0; i < count; i++)
			rd_kafka_message_destroy(messages[i]);
		atomic_store(&hearing, stored);
		if (!stored) {
			log_event(LOG_LEVEL_WARNING, "follower: not stored",
			    LOG_TEXT("error", pg_sync_message(pg)));
			return;
		}
	}
}

static void
run(struct job *self, void *owner)
{
	struct pg_sync *pg = pg_sync_new(&(struct pg_sync_options){
	    .name = "transaction.follower",
	    .conninfo = config_text(CONFIG_TRANSACTION_PG),
	    .statements = statements,
	    .deadline_ms = STORE_MS,
	});
	struct kafka_consumer *consumer = NULL;

	(void)owner;
	while (pg != NULL && !job_stopping(self)) {
		if (!pg_sync_connect(pg)) {
			job_wait(self, RETRY_MS);
			continue;
		}
		if (consumer == NULL)
			consumer = kafka_consumer_new(config_text(CONFIG_KAFKA),
			    GROUP, TOPIC, offset_of, pg);
		else
			kafka_consumer_rewind(consumer);
		if (consumer != NULL)
			follow(self, pg, consumer);
		if (!atomic_load(&hearing))
			job_wait(self, RETRY_MS);
	}
	atomic_store(&hearing, false);
	kafka_consumer_free(consumer);
	pg_sync_free(pg);
}

void
follower_start(void)
{
	if (job == NULL)
		job = job_start("follower", run, NULL);
}

void
follower_stop(void)
{
	job_stop(job);
	job = NULL;
}

bool
follower_ready(void)
{
	return atomic_load(&hearing);
}
