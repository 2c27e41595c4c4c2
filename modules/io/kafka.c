/*
 * Kafka for jobs. librdkafka has threads of its own; its callbacks that run
 * there only log, the others run inside our calls. A message counts as
 * delivered only when its delivery report said so. Must never store an offset
 * in Kafka: PostgreSQL has them, beside the rows.
 */
#include "io/kafka.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/memory.h"

#define PRODUCE_WAIT_MS 30000 /* longest wait for room in the queue */
#define POLL_MS 100
#define HEADERS_MAX 16
#define RETRY_MS 250 /* between questions for an offset that is not known */
#define SYSLOG_ERROR 3 /* librdkafka's levels are syslog's */
#define TEXT_MAX 512

struct setting {
	const char *name, *value;
};

struct kafka_producer {
	char *brokers;
	rd_kafka_t *handle;
	uint64_t failed; /* since the last flush */
};

struct kafka_consumer {
	rd_kafka_t *handle;
	kafka_offset_fn offset_of;
	void *owner;
	bool lost_place; /* offsets must be asked for before anything is read */
	bool moved; /* partitions came or went during the last poll */
};

/* Runs on librdkafka's threads. */
static void
log_take(
    const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
	log_event(level <= SYSLOG_ERROR ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
	    "kafka: client", LOG_TEXT("client", rd_kafka_name(handle)),
	    LOG_TEXT("facility", facility), LOG_TEXT("text", text));
}

/* A configuration of COMMON and SETTINGS (NULL name ends); NULL on a wrong
 * one. */
static rd_kafka_conf_t *
conf_new(const char *brokers, const struct setting *settings)
{
	const struct setting common[] = {
		{ "bootstrap.servers", brokers },
		{ "client.id", "onegate" },
		{ "log.connection.close", "false" },
		{ "reconnect.backoff.max.ms", "3000" },
		{ "socket.keepalive.enable", "true" },
		{ NULL, NULL },
	};
	const struct setting *tables[] = { common, settings };
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[TEXT_MAX];

	rd_kafka_conf_set_log_cb(conf, log_take);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct setting *s = tables[i]; s->name; s++) {
			if (rd_kafka_conf_set(conf, s->name, s->value, error,
				sizeof(error)) == RD_KAFKA_CONF_OK)
				continue;
			log_event(LOG_LEVEL_ERROR, "kafka: wrong setting",
			    LOG_TEXT("reason", error));
			rd_kafka_conf_destroy(conf);
			return NULL;
		}
	}
	return conf;
}

/* Makes a client of CONF, which it takes over. */
static rd_kafka_t *
handle_new(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char error[TEXT_MAX];
	rd_kafka_t *handle = rd_kafka_new(type, conf, error, sizeof(error));

	if (handle != NULL)
		return handle;
	rd_kafka_conf_destroy(conf);
	log_event(
	    LOG_LEVEL_ERROR, "kafka: no client", LOG_TEXT("reason", error));
	return NULL;
}

/* --------------------------------------------------------------- producer */

/* Runs inside rd_kafka_poll and rd_kafka_flush, in the job's thread. */
static void
delivery_take(
    rd_kafka_t *handle, const rd_kafka_message_t *message, void *owner)
{
	struct kafka_producer *producer = owner;

	(void)handle;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	if (producer->failed++ == 0)
		log_event(LOG_LEVEL_WARNING, "kafka: not delivered",
		    LOG_TEXT("reason", rd_kafka_err2name(message->err)));
}

static rd_kafka_t *
producer_handle_new(struct kafka_producer *producer)
{
	static const struct setting settings[] = {
		{ "enable.idempotence", "true" },
		{ "acks", "all" },
		{ "linger.ms", "5" },
		{ "compression.type", "lz4" },
		/* a message that gave up while a later one arrived would leave
		 * a gap: only a failed flush gives up, and then all of them */
		{ "message.timeout.ms", "0" },
		{ "queue.buffering.max.messages", "100000" },
		{ NULL, NULL },
	};
	rd_kafka_conf_t *conf = conf_new(producer->brokers, settings);

	if (conf == NULL)
		return NULL;
	rd_kafka_conf_set_dr_msg_cb(conf, delivery_take);
	rd_kafka_conf_set_opaque(conf, producer);
	return handle_new(RD_KAFKA_PRODUCER, conf);
}

struct kafka_producer *
kafka_producer_new(const char *brokers)
{
	struct kafka_producer *producer = memory_new(1, sizeof(*producer));

	producer->brokers = memory_text(brokers);
	producer->handle = producer_handle_new(producer);
	if (producer->handle != NULL)
		return producer;
	kafka_producer_free(producer);
	return NULL;
}

/* Drops all that waits or is under way. */
static void
producer_end(struct kafka_producer *producer)
{
	if (producer->handle == NULL)
		return;
	(void)rd_kafka_purge(producer->handle,
	    RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	(void)rd_kafka_poll(producer->handle, 0);
	rd_kafka_destroy(producer->handle);
	producer->handle = NULL;
}

void
kafka_producer_free(struct kafka_producer *producer)
{
	if (producer == NULL)
		return;
	producer_end(producer);
	free(producer->brokers);
	free(producer);
}

static rd_kafka_headers_t *
headers_new(const struct kafka_header *headers)
{
	rd_kafka_headers_t *list = rd_kafka_headers_new(HEADERS_MAX);

	for (; headers != NULL && headers->name != NULL; headers++)
		(void)rd_kafka_header_add(
		    list, headers->name, -1, headers->value, -1);
	return list;
}

static rd_kafka_resp_err_t
message_put(rd_kafka_t *handle, const struct kafka_message *message)
{
	rd_kafka_headers_t *headers = headers_new(message->headers);
	rd_kafka_vu_t parts[] = {
		{ .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = message->topic },
		{ .vtype = RD_KAFKA_VTYPE_MSGFLAGS,
		    .u.i = RD_KAFKA_MSG_F_COPY },
		{ .vtype = RD_KAFKA_VTYPE_KEY,
		    .u.mem = { (void *)(uintptr_t)message->key,
			message->key_length } },
		{ .vtype = RD_KAFKA_VTYPE_VALUE,
		    .u.mem = { (void *)(uintptr_t)message->value,
			message->value_length } },
		{ .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers },
	};
	rd_kafka_error_t *error =
	    rd_kafka_produceva(handle, parts, sizeof(parts) / sizeof(parts[0]));
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	if (error != NULL) {
		code = rd_kafka_error_code(error);
		rd_kafka_error_destroy(error);
		rd_kafka_headers_destroy(headers); /* taken only on success */
	}
	return code;
}

bool
kafka_produce(
    struct kafka_producer *producer, const struct kafka_message *message)
{
	uint64_t due_ms = clock_monotonic_ms() + PRODUCE_WAIT_MS;
	rd_kafka_resp_err_t code;

	if (producer->handle == NULL)
		return false;
	for (;;) {
		code = message_put(producer->handle, message);
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL ||
		    clock_monotonic_ms() >= due_ms)
			break;
		(void)rd_kafka_poll(producer->handle, POLL_MS);
	}
	(void)rd_kafka_poll(producer->handle, 0);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	producer->failed++;
	log_event(LOG_LEVEL_WARNING, "kafka: message refused",
	    LOG_TEXT("reason", rd_kafka_err2name(code)));
	return false;
}

/* After a failure the next producer begins anew with nothing left over, so
 * that no message of before comes in between those of after. A fatal error
 * leaves an idempotent producer nothing else anyway. */
static void
producer_renew(struct kafka_producer *producer)
{
	log_event(LOG_LEVEL_INFO, "kafka: producer begins anew",
	    LOG_TEXT("brokers", producer->brokers));
	producer_end(producer);
	producer->handle = producer_handle_new(producer);
}

bool
kafka_flush(struct kafka_producer *producer, uint32_t timeout_ms)
{
	bool delivered = producer->handle != NULL &&
	    rd_kafka_flush(producer->handle, (int)timeout_ms) ==
		RD_KAFKA_RESP_ERR_NO_ERROR;

	delivered = delivered && producer->failed == 0;
	if (!delivered)
		producer_renew(producer);
	producer->failed = 0;
	return delivered;
}

bool
kafka_answers(struct kafka_producer *producer, uint32_t timeout_ms)
{
	const struct rd_kafka_metadata *metadata = NULL;

	if (producer->handle == NULL ||
	    rd_kafka_metadata(producer->handle, 0, NULL, &metadata,
		(int)timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	rd_kafka_metadata_destroy(metadata);
	return true;
}

/* --------------------------------------------------------------- consumer */

/* Reads LIST on from the offsets that the owner knows. */
static void
assign_at_place(
    struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t code;

	consumer->lost_place = false;
	for (int i = 0; i < list->cnt; i++) {
		rd_kafka_topic_partition_t *part = &list->elems[i];
		int64_t offset = consumer->offset_of(
		    consumer->owner, part->topic, part->partition);

		if (offset < 0)
			consumer->lost_place = true;
		part->offset = offset < 0 ? RD_KAFKA_OFFSET_END : offset;
	}
	code = rd_kafka_assign(consumer->handle, list);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	consumer->lost_place = true;
	log_event(LOG_LEVEL_WARNING, "kafka: cannot assign",
	    LOG_TEXT("reason", rd_kafka_err2name(code)));
}

/* Runs inside rd_kafka_consumer_poll, in the job's thread. */
static void
rebalance_take(rd_kafka_t *handle, rd_kafka_resp_err_t code,
    rd_kafka_topic_partition_list_t *list, void *owner)
{
	struct kafka_consumer *consumer = owner;

	consumer->handle = handle;
	consumer->moved = true;
	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		assign_at_place(consumer, list);
		return;
	}
	(void)rd_kafka_assign(handle, NULL);
	consumer->lost_place = false;
}

struct kafka_consumer *
kafka_consumer_new(const char *brokers, const char *group, const char *topic,
    kafka_offset_fn offset_of, void *owner)
{
	const struct setting settings[] = {
		{ "group.id", group },
		{ "enable.auto.commit", "false" },
		{ "enable.auto.offset.store", "false" },
		{ "auto.offset.reset", "earliest" },
		{ "allow.auto.create.topics", "false" },
		{ "fetch.wait.max.ms", "100" },
		{ "fetch.error.backoff.ms", "250" },
		{ "topic.metadata.refresh.interval.ms", "10000" },
		{ "session.timeout.ms", "10000" },
		{ "isolation.level", "read_committed" },
		{ NULL, NULL },
	};
	struct kafka_consumer *consumer = memory_new(1, sizeof(*consumer));
	rd_kafka_conf_t *conf = conf_new(brokers, settings);
	rd_kafka_topic_partition_list_t *topics;
	rd_kafka_resp_err_t code;

	consumer->offset_of = offset_of;
	consumer->owner = owner;
	if (conf != NULL) {
		rd_kafka_conf_set_rebalance_cb(conf, rebalance_take);
		rd_kafka_conf_set_opaque(conf, consumer);
		consumer->handle = handle_new(RD_KAFKA_CONSUMER, conf);
	}
	if (consumer->handle == NULL) {
		free(consumer);
		return NULL;
	}
	(void)rd_kafka_poll_set_consumer(consumer->handle);
	topics = rd_kafka_topic_partition_list_new(1);
	(void)rd_kafka_topic_partition_list_add(
	    topics, topic, RD_KAFKA_PARTITION_UA);
	code = rd_kafka_subscribe(consumer->handle, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return consumer;
	log_event(LOG_LEVEL_ERROR, "kafka: cannot subscribe",
	    LOG_TEXT("reason", rd_kafka_err2name(code)));
	kafka_consumer_free(consumer);
	return NULL;
}

void
kafka_consumer_free(struct kafka_consumer *consumer)
{
	if (consumer == NULL)
		return;
	(void)rd_kafka_consumer_close(consumer->handle);
	rd_kafka_destroy(consumer->handle);
	free(consumer);
}

/* Asks for the offsets again; what was fetched from elsewhere is dropped by
 * the new assignment. */
static void
place_find(struct kafka_consumer *consumer)
{
	rd_kafka_topic_partition_list_t *list = NULL;

	if (rd_kafka_assignment(consumer->handle, &list) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	if (list->cnt > 0)
		assign_at_place(consumer, list);
	else
		consumer->lost_place = false;
	rd_kafka_topic_partition_list_destroy(list);
}

/* The next message within TIMEOUT_MS, NULL when there is none for the
 * caller. */
static rd_kafka_message_t *
message_take(struct kafka_consumer *consumer, uint64_t timeout_ms)
{
	rd_kafka_message_t *message =
	    rd_kafka_consumer_poll(consumer->handle, (int)timeout_ms);

	if (message == NULL)
		return NULL;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && !consumer->lost_place)
		return message;
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		log_event(LOG_LEVEL_DEBUG, "kafka: consumer",
		    LOG_TEXT("reason", rd_kafka_err2name(message->err)));
	rd_kafka_message_destroy(message);
	return NULL;
}

size_t
kafka_consume(struct kafka_consumer *consumer, rd_kafka_message_t **messages,
    size_t max, uint32_t timeout_ms)
{
	uint64_t due_ms = clock_monotonic_ms() + timeout_ms;
	size_t count = 0;

	if (consumer->lost_place)
		place_find(consumer);
	consumer->moved = false;
	while (count < max) {
		uint64_t now_ms = clock_monotonic_ms();
		uint64_t wait_ms = now_ms < due_ms ? due_ms - now_ms : 0;

		if (count > 0)
			wait_ms = 0; /* what is there already */
		if (consumer->lost_place && wait_ms > RETRY_MS)
			wait_ms = RETRY_MS;
		messages[count] = message_take(consumer, wait_ms);
		if (messages[count] != NULL)
			count++;
		else if (count > 0 || consumer->lost_place ||
		    clock_monotonic_ms() >= due_ms)
			break;
		if (consumer->moved && count > 0)
			break;
	}
	return count;
}

void
kafka_consumer_rewind(struct kafka_consumer *consumer)
{
	consumer->lost_place = true;
}
