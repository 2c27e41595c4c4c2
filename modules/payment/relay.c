/*
 * The relay: journal to Kafka. See relay.h. One thread, blocking calls; read
 * it from the bottom up: run leads, lead follows, each round publishes.
 */
#include "payment/relay.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/hex.h"
#include "domain/json.h"
#include "io/clock.h"
#include "io/config.h"
#include "io/job.h"
#include "io/kafka.h"
#include "io/log.h"
#include "io/metrics.h"
#include "io/pg_sync.h"
#include "payment/owners.h"
#include "payment/reply_transaction.h"

#define TOPIC "transaction-events"
#define PAYMENT_TOPIC "payment-events"
#define EVENT_VERSION "1"
#define LOCK_KEY "7305171600429101" /* the advisory lock of the leader */
#define TRACE_SIZE 56
#define SIDE_COLUMN_SIZE 32
#define PAGE_ROWS 1000
#define SQL_NUMBER(macro) SQL_NUMBER_OF(macro) /* its value within a text */
#define SQL_NUMBER_OF(value) #value
#define STATEMENT_MS 30000
#define FLUSH_MS 10000
#define ANSWER_MS 1000 /* a broker that is there answers sooner */
#define PAUSE_MS 50 /* after a round that found less than a page */
#define RETRY_MS 500
#define SAVE_MS 10000 /* how often progress without rows is stored */

enum { TRY_LOCK, LAST, NOW, OPEN, FETCH, OWNERS, SAVE, LAG };

static const struct pg_statement statements[] = {
	[TRY_LOCK] = { "try_lock",
	    "select pg_try_advisory_lock(" LOCK_KEY ")" },
	[LAST] = { "last",
	    "select coalesce(payment.relay_begin('kafka'), '1:1:')" },
	[NOW] = { "now", "select payment.relay_now()" },
	[OPEN] = { "open", "select payment.relay_open($1::text)" },
	[FETCH] = { "fetch", "fetch " SQL_NUMBER(PAGE_ROWS) " from relay" },
	[OWNERS] = { "owners", "select payment.relay_owners($1::uuid[])" },
	[SAVE] = { "save", "select payment.relay_done('kafka', $1::text)" },
	[LAG] = { "lag", "select oldest_ms from payment.relay_lag('kafka')" },
	{ NULL, NULL },
};

/* What the job holds while it leads. */
struct relay {
	struct job *self;
	struct pg_sync *pg;
	struct kafka_producer *producer;
	struct owners *owners; /* of the accounts met so far */
	char *last; /* snapshot up to which all is published */
	uint64_t saved_ms;
	uint64_t oldest_ms; /* of this round, Unix ms; 0: no rows */
	uint64_t rows, events;
};

static struct job *job;
static atomic_bool healthy;

enum { DEBIT, CREDIT, SIDES };

static const char *const directions[SIDES] = { "debit", "credit" };

/* Column numbers of a page, looked up once a page. */
struct columns {
	int row_id, id, type, status, amount, currency, method, description,
	    reference, metadata, accessible, direction, created, updated,
	    payment_id, merchant_id, merchant_name;
	struct side {
		int account_id, sequence, before, after;
	} sides[SIDES];
};

static int
side_column(const PGresult *rows, int side, const char *name)
{
	char column[SIDE_COLUMN_SIZE];

	(void)snprintf(column, sizeof(column), "%s_%s", directions[side], name);
	return pg_column(rows, column);
}

static struct side
side_of(const PGresult *rows, int side)
{
	return (struct side){
		.account_id = side_column(rows, side, "account_id"),
		.sequence = side_column(rows, side, "sequence"),
		.before = side_column(rows, side, "balance_before"),
		.after = side_column(rows, side, "balance_after"),
	};
}

static struct columns
columns_of(const PGresult *rows)
{
	return (struct columns){
		.row_id = pg_column(rows, "row_id"),
		.id = pg_column(rows, "id"),
		.type = pg_column(rows, "transaction_type"),
		.status = pg_column(rows, "transaction_status"),
		.amount = pg_column(rows, "amount"),
		.currency = pg_column(rows, "currency"),
		.method = pg_column(rows, "payment_method"),
		.description = pg_column(rows, "description"),
		.reference = pg_column(rows, "external_reference"),
		.metadata = pg_column(rows, "metadata"),
		.accessible = pg_column(rows, "is_accessible_external"),
		.direction = pg_column(rows, "direction"),
		.created = pg_column(rows, "created_at"),
		.updated = pg_column(rows, "updated_at"),
		.payment_id = pg_column(rows, "payment_id"),
		.merchant_id = pg_column(rows, "merchant_id"),
		.merchant_name = pg_column(rows, "merchant_name"),
		.sides = { side_of(rows, DEBIT), side_of(rows, CREDIT) },
	};
}

/* Some rows of the open difference. */
struct page {
	const PGresult *rows;
	int count;
	struct columns columns;
	/* By row and side: whose account it is, zero when no person's. */
	struct uuid owners[PAGE_ROWS * SIDES];
};

/* A row as the account on one of its sides sees it: what an event tells. */
struct view {
	const PGresult *rows;
	int row;
	const struct columns *columns;
	int side;
	struct uuid event_id, user_id;
};

static const char *
text_at(const struct view *v, int column)
{
	return pg_is_null(v->rows, v->row, column)
	    ? NULL
	    : pg_text(v->rows, v->row, column);
}

static int64_t
number_at(const struct view *v, int column)
{
	return pg_binary_int(v->rows, v->row, column);
}

static struct uuid
uuid_at(const struct view *v, int column)
{
	return pg_binary_uuid(v->rows, v->row, column);
}

static int64_t
ms_at(const struct view *v, int column)
{
	return pg_binary_time(v->rows, v->row, column) / 1000;
}

/* Both sides of a transfer have an id of their own, each its transaction's. */
static struct view
view_of(const struct page *page, int row, int side)
{
	struct uuid id = pg_binary_uuid(page->rows, row, page->columns.row_id);

	return (struct view){
		.rows = page->rows,
		.row = row,
		.columns = &page->columns,
		.side = side,
		.event_id = side == CREDIT ? uuid_other_side(&id) : id,
		.user_id = page->owners[row * SIDES + side],
	};
}

static void
put_event(struct json_writer *writer, const struct view *v)
{
	const struct columns *c = v->columns;
	const struct side *side = &c->sides[v->side];
	struct transaction transaction = {
		.id = pg_is_null(v->rows, v->row, c->id) ? v->event_id
							 : uuid_at(v, c->id),
		.type = text_at(v, c->type),
		.status = text_at(v, c->status),
		.amount_minor = number_at(v, c->amount),
		.balance_before_minor = number_at(v, side->before),
		.balance_after_minor = number_at(v, side->after),
		.payment_method = text_at(v, c->method),
		.description = text_at(v, c->description),
		.created_ms = ms_at(v, c->created),
		.user_id = v->user_id,
		.account_id = uuid_at(v, side->account_id),
		.external_reference = text_at(v, c->reference),
		.metadata = text_at(v, c->metadata),
		.is_accessible_external =
		    pg_binary_bool(v->rows, v->row, c->accessible),
		.updated_ms = ms_at(v, c->updated),
	};
	const char *direction = text_at(v, c->direction);

	json_put_object_begin(writer);
	reply_member_id(writer, "event_id", &v->event_id);
	json_put_member_int(writer, "sequence", number_at(v, side->sequence));
	reply_member_time(writer, "occurred_at", transaction.updated_ms);
	json_put_member_string(writer, "direction",
	    direction == NULL ? directions[v->side] : direction);
	reply_transaction_members(writer, &transaction, true);
	json_put_object_end(writer);
}

/* A payment as its merchant's systems see it; the payer stays unnamed. */
static void
put_payment_event(
    struct json_writer *writer, const struct view *v, const char *event_type)
{
	const struct columns *c = v->columns;
	struct uuid payment = uuid_at(v, c->payment_id);
	struct uuid merchant = uuid_at(v, c->merchant_id);

	json_put_object_begin(writer);
	reply_member_id(writer, "event_id", &v->event_id);
	json_put_member_string(writer, "event_type", event_type);
	reply_member_id(writer, "payment_id", &payment);
	reply_member_id(writer, "merchant_id", &merchant);
	json_put_member_string(
	    writer, "merchant_name", text_at(v, c->merchant_name));
	json_put_member_money(writer, "amount", number_at(v, c->amount));
	json_put_member_string(writer, "currency", text_at(v, c->currency));
	json_put_member_string(
	    writer, "transaction_status", text_at(v, c->status));
	reply_member_time(writer, "occurred_at", ms_at(v, c->updated));
	json_put_object_end(writer);
}

/* The name of what happened to a payment, or NULL where its merchant's
 * systems need not know. */
static const char *
payment_event_type(const char *type, const char *status)
{
	static const struct {
		const char *type, *status, *event;
	} table[] = {
		{ "PAYMENT", "SUCCESS", "payment.completed" },
		{ "PAYMENT", "FAILED", "payment.failed" },
		{ "PAYMENT", "CANCELLED", "payment.cancelled" },
		{ "REFUND", "SUCCESS", "payment.refunded" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(type, table[i].type) == 0 &&
		    strcmp(status, table[i].status) == 0)
			return table[i].event;
	return NULL;
}

/*
 * The trace that an event belongs to (W3C trace context): our transactions
 * start one, so that it is found again by the event's id.
 */
static void
trace_parent(const struct uuid *event_id, char text[TRACE_SIZE])
{
	memcpy(text, "00-", 3);
	hex_encode(event_id->bytes, 16, text + 3);
	text[35] = '-';
	hex_encode(event_id->bytes + 8, 8, text + 36);
	memcpy(text + 52, "-00", sizeof("-00"));
}

static bool
produce(struct relay *relay, const char *topic, int key_column,
    const char *event_type, const struct view *v, struct json_writer *writer)
{
	struct uuid key_id = uuid_at(v, key_column);
	const char *method = text_at(v, v->columns->method);
	char key[UUID_TEXT_SIZE], trace[TRACE_SIZE];
	struct kafka_header headers[] = {
		{ "event_type", event_type },
		{ "event_version", EVENT_VERSION },
		{ "transaction_type", text_at(v, v->columns->type) },
		{ "payment_method", method == NULL ? "" : method },
		{ "currency", text_at(v, v->columns->currency) },
		{ "traceparent", trace },
		{ NULL, NULL },
	};
	struct kafka_message message = {
		.topic = topic,
		.key = key,
		.key_length = UUID_TEXT_LENGTH,
		.value = writer->bytes,
		.value_length = writer->length,
		.headers = headers,
	};

	uuid_format(&key_id, key);
	trace_parent(&v->event_id, trace);
	relay->events++;
	return !json_writer_failed(writer) &&
	    kafka_produce(relay->producer, &message);
}

static bool
publish_side(
    struct relay *relay, const struct view *v, struct json_writer *writer)
{
	const struct columns *c = v->columns;
	const char *payment_event = NULL;

	writer->length = 0;
	writer->comma = false;
	put_event(writer, v);
	if (!produce(relay, TOPIC, c->sides[v->side].account_id,
		"transaction.recorded", v, writer))
		return false;
	if (!pg_is_null(v->rows, v->row, c->payment_id))
		payment_event = payment_event_type(
		    text_at(v, c->type), text_at(v, c->status));
	if (payment_event == NULL)
		return true;
	writer->length = 0;
	writer->comma = false;
	put_payment_event(writer, v, payment_event);
	return produce(
	    relay, PAYMENT_TOPIC, c->merchant_id, payment_event, v, writer);
}

/* An event of each side that is a person's. */
static bool
publish_row(struct relay *relay, const struct page *page, int row,
    struct json_writer *writer)
{
	uint64_t at =
	    (uint64_t)(pg_binary_time(page->rows, row, page->columns.updated) /
		1000);
	bool published = true;

	relay->rows++;
	if (relay->oldest_ms == 0 || at < relay->oldest_ms)
		relay->oldest_ms = at;
	for (int side = DEBIT; published && side < SIDES; side++) {
		struct view v = view_of(page, row, side);

		if (!uuid_is_zero(&v.user_id))
			published = publish_side(relay, &v, writer);
	}
	return published;
}

struct stranger {
	struct uuid account;
	struct uuid *owner; /* where its owner belongs in the page */
};

/* Asks whose these accounts are, and remembers it. */
static bool
owners_ask(struct relay *relay, const struct stranger *strangers, int count)
{
	struct pg_params params;
	PGresult *rows;

	pg_params_init(&params);
	pg_array_begin(&params, PG_OID_UUID, count);
	for (int i = 0; i < count; i++)
		pg_array_uuid(&params, &strangers[i].account);
	pg_array_end(&params);
	if (pg_sync_call(relay->pg, OWNERS, &params, true, &rows) != PG_DONE)
		return false;
	for (int i = 0; i < count; i++) {
		const struct stranger *stranger = &strangers[i];

		if (!pg_is_null(rows, i, 0))
			*stranger->owner = pg_binary_uuid(rows, i, 0);
		/* Who is on several sides of a page was asked for as often. */
		if (owners_find(relay->owners, &stranger->account) == NULL)
			owners_put(
			    relay->owners, &stranger->account, stranger->owner);
	}
	PQclear(rows);
	return true;
}

static bool
owners_fill(struct relay *relay, struct page *page)
{
	struct stranger strangers[PAGE_ROWS * SIDES];
	int count = 0;

	memset(page->owners, 0, sizeof(page->owners));
	for (int at = 0; at < page->count * SIDES; at++) {
		int column = page->columns.sides[at % SIDES].account_id;
		const struct uuid *owner;
		struct uuid account;

		if (pg_is_null(page->rows, at / SIDES, column))
			continue; /* only named */
		account = pg_binary_uuid(page->rows, at / SIDES, column);
		owner = owners_find(relay->owners, &account);
		if (owner != NULL)
			page->owners[at] = *owner;
		else
			strangers[count++] =
			    (struct stranger){ account, &page->owners[at] };
	}
	return count == 0 || owners_ask(relay, strangers, count);
}

static bool
publish_page(struct relay *relay, struct page *page, struct json_writer *writer)
{
	bool published = !job_stopping(relay->self) && owners_fill(relay, page);

	for (int row = 0; published && row < page->count; row++)
		published = publish_row(relay, page, row, writer);
	return published;
}

/* Hands all rows of the open difference to the producer, page by page. */
static bool
publish(struct relay *relay)
{
	struct json_writer writer;
	struct page page = { .count = 1 };
	bool published = true;

	json_writer_init(&writer);
	while (published && page.count > 0) {
		PGresult *rows;

		published = pg_sync_call(relay->pg, FETCH, NULL, true, &rows) ==
		    PG_DONE;
		if (!published)
			break;
		page.rows = rows;
		page.count = PQntuples(rows);
		page.columns = columns_of(rows);
		published = publish_page(relay, &page, &writer);
		PQclear(rows);
	}
	json_writer_free(&writer);
	return published;
}

static bool
call_text(
    struct relay *relay, int statement, const char *argument, char **answer)
{
	struct pg_params params;
	PGresult *rows;

	pg_params_init(&params);
	if (argument != NULL)
		pg_put_text(&params, argument);
	if (pg_sync_call(relay->pg, statement, &params, false, &rows) !=
	    PG_DONE)
		return false;
	if (answer != NULL)
		*answer = strdup(pg_text(rows, 0, 0));
	PQclear(rows);
	return answer == NULL || *answer != NULL;
}

/* The rows that are visible in NOW's transaction and were not at `last`. */
static bool
publish_difference(struct relay *relay, char **now)
{
	if (pg_sync_begin(relay->pg, true) != PG_DONE)
		return false;
	if (!call_text(relay, NOW, NULL, now) ||
	    !call_text(relay, OPEN, relay->last, NULL) || !publish(relay)) {
		pg_sync_rollback(relay->pg);
		return false;
	}
	return pg_sync_commit(relay->pg) == PG_DONE;
}

/*
 * One round: publish the difference, wait for every acknowledgement, only then
 * store how far. False: nothing was stored, the round will be repeated.
 */
static bool
round_go(struct relay *relay)
{
	char *now = NULL;
	bool done;

	done = publish_difference(relay, &now);
	/* also after a failure: what was queued must not mix with the next */
	done = kafka_flush(relay->producer, done ? FLUSH_MS : 0) && done;
	if (done &&
	    (relay->events > 0 ||
		clock_monotonic_ms() - relay->saved_ms > SAVE_MS)) {
		done = call_text(relay, SAVE, now, NULL);
		relay->saved_ms = clock_monotonic_ms();
	}
	if (!done) {
		free(now);
		return false;
	}
	free(relay->last);
	relay->last = now;
	metric_add(METRIC_RELAY_EVENTS, 0, relay->events);
	metric_set(METRIC_RELAY_LAG, 0,
	    relay->oldest_ms == 0
		? 0
		: (int64_t)(clock_unix_ms() - relay->oldest_ms));
	return true;
}

/* Whether the journal may have grown: while no transaction begins or ends the
 * snapshot stays the same, to the letter. */
static bool
anything_new(struct relay *relay, bool *new)
{
	char *now = NULL;

	if (!call_text(relay, NOW, NULL, &now))
		return false;
	*new = strcmp(now, relay->last) != 0;
	free(now);
	return true;
}

/* Publishes until something is lost or the job is asked to stop. */
static void
follow(struct relay *relay)
{
	bool done = true;

	while (done && !job_stopping(relay->self)) {
		bool new = false;

		relay->oldest_ms = 0;
		relay->rows = relay->events = 0;
		done = anything_new(relay, &new) && (!new || round_go(relay));
		/* Full rounds cost the database, Kafka and the consumer a
		 * fraction of many small ones, and postings need the time. */
		if (done && relay->rows < PAGE_ROWS)
			job_wait(relay->self, PAUSE_MS);
	}
	if (!done)
		log_event(LOG_LEVEL_WARNING, "relay: round repeated",
		    LOG_TEXT("error", pg_sync_message(relay->pg)));
}

/* While nothing can be published: how far behind is the rest of the world. */
static void
lag_tell(struct relay *relay)
{
	PGresult *rows;

	if (pg_sync_call(relay->pg, LAG, NULL, false, &rows) != PG_DONE)
		return;
	metric_set(METRIC_RELAY_LAG, 0, pg_int(rows, 0, 0));
	PQclear(rows);
}

/* What the elected one does. No page is read for brokers that are away. */
static void
lead(struct relay *relay)
{
	bool answers = kafka_answers(relay->producer, ANSWER_MS);

	atomic_store(&healthy, answers);
	if (!answers) {
		lag_tell(relay);
		return;
	}
	if (!call_text(relay, LAST, NULL, &relay->last))
		return;
	metric_set(METRIC_RELAY_LEADER, 0, 1);
	follow(relay);
	metric_set(METRIC_RELAY_LEADER, 0, 0);
	free(relay->last);
	relay->last = NULL;
}

static bool
elected(struct relay *relay)
{
	PGresult *rows;
	bool locked;

	if (pg_sync_call(relay->pg, TRY_LOCK, NULL, false, &rows) != PG_DONE)
		return false;
	locked = pg_bool(rows, 0, 0);
	PQclear(rows);
	return locked;
}

static void
run(struct job *self, void *owner)
{
	struct relay relay = {
		.self = self,
		.pg = pg_sync_new(&(struct pg_sync_options){
		    .name = "payment.relay",
		    .conninfo = config_text(CONFIG_RELAY_PG),
		    .statements = statements,
		    .deadline_ms = STATEMENT_MS,
		}),
		.producer = kafka_producer_new(config_text(CONFIG_KAFKA)),
		.owners = owners_new(),
	};

	(void)owner;
	while (
	    relay.pg != NULL && relay.producer != NULL && !job_stopping(self)) {
		bool connected = pg_sync_connect(relay.pg);

		if (connected && elected(&relay))
			lead(&relay);
		else
			atomic_store(&healthy, connected);
		job_wait(self, RETRY_MS);
	}
	atomic_store(&healthy, false);
	owners_free(relay.owners);
	kafka_producer_free(relay.producer);
	pg_sync_free(relay.pg);
}

void
relay_start(void)
{
	if (job == NULL)
		job = job_start("relay", run, NULL);
}

void
relay_stop(void)
{
	job_stop(job);
	job = NULL;
}

bool
relay_ready(void)
{
	return atomic_load(&healthy);
}
