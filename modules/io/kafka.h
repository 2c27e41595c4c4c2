/*
 * Kafka by librdkafka: an idempotent producer (acks=all) that a job flushes,
 * and a consumer whose offsets the caller stores. Used from jobs only; the
 * callbacks of librdkafka touch nothing but counters.
 */
#ifndef ONEGATE_IO_KAFKA_H
#define ONEGATE_IO_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_producer;

struct kafka_header {
	const char *name;
	const char *value;
};

struct kafka_message {
	const char *topic;
	const char *key;
	size_t key_length;
	const char *value;
	size_t value_length;
	const struct kafka_header *headers; /* ends with a NULL name; or NULL */
};

/* BROKERS is host:port[,host:port]. NULL when the settings are wrong (the log
 * says so); connecting goes on in the background. */
struct kafka_producer *kafka_producer_new(const char *brokers);
/* What was not flushed is dropped. NULL is fine. */
void kafka_producer_free(struct kafka_producer *producer);
/* Queues a copy; waits while the local queue is full. False on refusal. */
bool kafka_produce(
    struct kafka_producer *producer, const struct kafka_message *message);
/* Waits until all queued messages were acknowledged. True only when each one
 * since the last flush was queued and delivered. After false none of them is
 * sent any more, those that arrived are the first of their partition, and all
 * since the last flush that gave true are to be produced again. */
bool kafka_flush(struct kafka_producer *producer, uint32_t timeout_ms);
/* Asks the brokers whether they are there; false: not within TIMEOUT_MS. */
bool kafka_answers(struct kafka_producer *producer, uint32_t timeout_ms);

struct kafka_consumer;
/* OFFSET_OF tells the next offset of a partition that was assigned to us, 0
 * for one never read, negative when that cannot be told now: then nothing is
 * consumed until it can. Called inside kafka_consume, in the same thread. */
typedef int64_t (*kafka_offset_fn)(
    void *owner, const char *topic, int32_t partition);
struct kafka_consumer *kafka_consumer_new(const char *brokers,
    const char *group, const char *topic, kafka_offset_fn offset_of,
    void *owner);
/* Leaves the group. NULL is fine. */
void kafka_consumer_free(struct kafka_consumer *consumer);
/* Up to MAX messages within TIMEOUT_MS; each is the caller's to
 * rd_kafka_message_destroy. Partitions may move to another member meanwhile:
 * the caller's store must refuse offsets that were stored already. */
size_t kafka_consume(struct kafka_consumer *consumer,
    rd_kafka_message_t **messages, size_t max, uint32_t timeout_ms);
/* Back to the stored offsets of all partitions (after a failed store). */
void kafka_consumer_rewind(struct kafka_consumer *consumer);

#endif
