/*
 * Is every message delivered in order, is a failed delivery told, and does
 * reading go on where the caller says? Runs on librdkafka's own mock brokers.
 */
#include "cmocka_all.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/kafka.h"
#include "io/log.h"

#define TOPIC "transaction-events"
#define PARTITIONS 3

static rd_kafka_t *host; /* carries the mock brokers */
static rd_kafka_mock_cluster_t *brokers;
static const char *bootstrap;
static int groups; /* each test has a group of its own */

static int
set_up(void **state)
{
	char error[256];

	(void)state;
	host = rd_kafka_new(
	    RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof(error));
	if (host == NULL)
		return -1;
	brokers = rd_kafka_mock_cluster_new(host, 1);
	if (brokers == NULL)
		return -1;
	bootstrap = rd_kafka_mock_cluster_bootstraps(brokers);
	return rd_kafka_mock_topic_create(brokers, TOPIC, PARTITIONS, 1);
}

static int
tear_down(void **state)
{
	(void)state;
	rd_kafka_mock_cluster_destroy(brokers);
	rd_kafka_destroy(host);
	return 0;
}

static void
produce(struct kafka_producer *producer, int key, int value)
{
	const struct kafka_header headers[] = { { "kind", "test" },
		{ NULL, NULL } };
	char key_text[16], value_text[16];
	struct kafka_message message = { .topic = TOPIC,
		.key = key_text,
		.value = value_text,
		.headers = headers };

	message.key_length =
	    (size_t)snprintf(key_text, sizeof(key_text), "k%d", key);
	message.value_length =
	    (size_t)snprintf(value_text, sizeof(value_text), "%d", value);
	assert_true(kafka_produce(producer, &message));
}

/* What the caller knows: the next offset of each partition. */
struct place {
	int64_t next[PARTITIONS];
	int asked;
	int unknown_for; /* so many questions get no answer */
};

static int64_t
offset_of(void *owner, const char *topic, int32_t partition)
{
	struct place *place = owner;

	assert_string_equal(topic, TOPIC);
	assert_in_range(partition, 0, PARTITIONS - 1);
	place->asked++;
	if (place->asked <= place->unknown_for)
		return -1;
	return place->next[partition];
}

static struct kafka_consumer *
consumer_new(struct place *place)
{
	char group[32];
	struct kafka_consumer *consumer;

	(void)snprintf(group, sizeof(group), "group-%d", groups++);
	consumer =
	    kafka_consumer_new(bootstrap, group, TOPIC, offset_of, place);
	assert_non_null(consumer);
	return consumer;
}

static int
value_of(const rd_kafka_message_t *message)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%.*s", (int)message->len,
	    (const char *)message->payload);
	return (int)strtol(text, NULL, 10);
}

/* Reads COUNT messages into VALUES; STORE says whether the place moves on. */
static void
consume(struct kafka_consumer *consumer, struct place *place, int count,
    int *values, bool store)
{
	uint64_t end_ms = clock_monotonic_ms() + 15000;
	rd_kafka_message_t *messages[64];
	int got = 0;

	while (got < count) {
		size_t most =
		    (size_t)(count - got) < 64 ? (size_t)(count - got) : 64;
		size_t taken = kafka_consume(consumer, messages, most, 500);

		if (clock_monotonic_ms() > end_ms)
			fail_msg("%d of %d messages came", got, count);
		for (size_t i = 0; i < taken; i++) {
			const rd_kafka_message_t *message = messages[i];

			values[got++] = value_of(message);
			if (store)
				place->next[message->partition] =
				    message->offset + 1;
			rd_kafka_message_destroy(messages[i]);
		}
	}
}

static void
every_message_comes_in_order_of_its_key(void **state)
{
	struct kafka_producer *producer = kafka_producer_new(bootstrap);
	static int values[3000];
	int last[10], seen = 0;
	struct place place = { 0 };
	struct kafka_consumer *consumer;

	(void)state;
	assert_non_null(producer);
	for (int i = 0; i < 3000; i++)
		produce(producer, i % 10, i);
	assert_true(kafka_flush(producer, 10000));
	assert_true(kafka_flush(producer, 1000));
	consumer = consumer_new(&place);
	consume(consumer, &place, 3000, values, true);
	for (int i = 0; i < 10; i++)
		last[i] = -1;
	for (int i = 0; i < 3000; i++) {
		assert_true(values[i] > last[values[i] % 10]);
		last[values[i] % 10] = values[i];
		seen++;
	}
	assert_int_equal(seen, 3000);
	kafka_consumer_free(consumer);
	kafka_producer_free(producer);
}

static void
reading_goes_on_where_the_caller_says(void **state)
{
	struct kafka_producer *producer = kafka_producer_new(bootstrap);
	struct place place = { 0 };
	struct kafka_consumer *consumer;
	int values[20], again[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		produce(producer, 1, i);
	assert_true(kafka_flush(producer, 10000));
	consumer = consumer_new(&place);
	consume(consumer, &place, 10, values, true);
	assert_int_equal(values[9], 9);
	consume(consumer, &place, 5, again, false); /* the store failed */
	kafka_consumer_rewind(consumer);
	consume(consumer, &place, 5, again, true);
	assert_int_equal(again[0], 10);
	assert_int_equal(again[4], 14);
	kafka_consumer_free(consumer);

	consumer = consumer_new(&place); /* another process, another day */
	consume(consumer, &place, 5, again, true);
	assert_int_equal(again[0], 15);
	kafka_consumer_free(consumer);
	kafka_producer_free(producer);
}

static void
unknown_place_reads_nothing(void **state)
{
	struct kafka_producer *producer = kafka_producer_new(bootstrap);
	struct place place = { .unknown_for = 9 };
	struct kafka_consumer *consumer;
	int values[10];

	(void)state;
	for (int i = 0; i < 10; i++)
		produce(producer, 1, i);
	assert_true(kafka_flush(producer, 10000));
	consumer = consumer_new(&place);
	consume(consumer, &place, 10, values, true);
	for (int i = 0; i < 10; i++)
		assert_int_equal(values[i], i);
	assert_true(place.asked >= 12);
	kafka_consumer_free(consumer);
	kafka_producer_free(producer);
}

static void
failed_delivery_is_told_and_forgotten(void **state)
{
	struct kafka_producer *producer = kafka_producer_new(bootstrap);
	struct kafka_message huge = { .topic = TOPIC,
		.key = "k",
		.key_length = 1,
		.value = "",
		.value_length = 0 };
	char *bytes = calloc(1, 2000000);

	(void)state;
	assert_non_null(bytes);
	huge.value = bytes;
	huge.value_length = 2000000;
	assert_false(kafka_produce(producer, &huge));
	produce(producer, 1, 1);
	assert_false(kafka_flush(producer, 10000));
	produce(producer, 1, 2);
	assert_true(kafka_flush(producer, 10000));
	free(bytes);
	kafka_producer_free(producer);
	kafka_producer_free(NULL);
	kafka_consumer_free(NULL);
}

static void
absent_broker_is_no_success(void **state)
{
	struct kafka_producer *producer = kafka_producer_new(bootstrap);
	uint64_t began_ms;

	(void)state;
	produce(producer, 1, 1);
	assert_true(kafka_flush(producer, 10000));
	rd_kafka_mock_broker_set_down(brokers, 1);
	produce(producer, 1, 2);
	began_ms = clock_monotonic_ms();
	assert_false(kafka_flush(producer, 500));
	assert_in_range(clock_monotonic_ms() - began_ms, 400, 2000);
	rd_kafka_mock_broker_set_up(brokers, 1);
	assert_true(kafka_flush(producer, 10000));
	kafka_producer_free(producer);
}

static void
wrong_brokers_are_no_crash(void **state)
{
	struct place place = { 0 };
	struct kafka_consumer *consumer = kafka_consumer_new(
	    "127.0.0.1:1", "group", TOPIC, offset_of, &place);
	struct kafka_producer *producer = kafka_producer_new("127.0.0.1:1");
	rd_kafka_message_t *messages[4];

	(void)state;
	assert_non_null(consumer);
	assert_int_equal(kafka_consume(consumer, messages, 4, 200), 0);
	produce(producer, 1, 1);
	assert_false(kafka_flush(producer, 200));
	kafka_producer_free(producer);
	kafka_consumer_free(consumer);
}

int
main(void)
{
#define KAFKA_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		KAFKA_TEST(every_message_comes_in_order_of_its_key),
		KAFKA_TEST(reading_goes_on_where_the_caller_says),
		KAFKA_TEST(unknown_place_reads_nothing),
		KAFKA_TEST(failed_delivery_is_told_and_forgotten),
		KAFKA_TEST(absent_broker_is_no_success),
		KAFKA_TEST(wrong_brokers_are_no_crash),
	};

	log_init("unit", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
