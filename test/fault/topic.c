/*
 * Prints a Kafka topic as it stands, from the first message to the last that
 * was there at the start: one JSON object a line, {"partition", "offset",
 * "key", "headers", "value"}. Values must be JSON; keys and headers are ours
 * and need no escapes. Nothing is committed, no group is joined.
 *
 * topic BROKERS TOPIC
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MS 10000
#define POLL_MS 1000
#define QUIET_POLLS 20 /* without a message: something is wrong */
#define ERROR_MAX 512

_Noreturn static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "topic: %s: %s\n", what, why);
	exit(1);
}

static rd_kafka_t *
consumer_new(const char *brokers)
{
	const char *settings[][2] = { { "bootstrap.servers", brokers },
		{ "group.id", "topic" }, { "enable.auto.commit", "false" },
		{ "auto.offset.reset", "earliest" },
		{ "isolation.level", "read_committed" } };
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[ERROR_MAX];
	rd_kafka_t *handle;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1],
			error, sizeof(error)) != RD_KAFKA_CONF_OK)
			fail(settings[i][0], error);
	handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
	if (handle == NULL)
		fail("no client", error);
	(void)rd_kafka_poll_set_consumer(handle);
	return handle;
}

/* Reads all partitions from their first message; gives how many there are. */
static int64_t
assign_all(rd_kafka_t *handle, const char *topic)
{
	rd_kafka_topic_t *about = rd_kafka_topic_new(handle, topic, NULL);
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t code;
	int64_t messages = 0;

	code = rd_kafka_metadata(handle, 0, about, &metadata, ANSWER_MS);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail("no metadata", rd_kafka_err2str(code));
	list = rd_kafka_topic_partition_list_new(4);
	for (int i = 0; i < metadata->topics[0].partition_cnt; i++) {
		int64_t low = 0, high = 0;

		code = rd_kafka_query_watermark_offsets(
		    handle, topic, i, &low, &high, ANSWER_MS);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			fail("no offsets", rd_kafka_err2str(code));
		rd_kafka_topic_partition_list_add(list, topic, i)->offset = low;
		messages += high - low;
	}
	code = rd_kafka_assign(handle, list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail("cannot assign", rd_kafka_err2str(code));
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(about);
	return messages;
}

static void
print_headers(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers = NULL;
	const char *name;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value,
			       &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++)
		printf("%s\"%s\":\"%.*s\"", i == 0 ? "" : ",", name, (int)size,
		    (const char *)value);
}

static void
print_message(const rd_kafka_message_t *message)
{
	printf("{\"partition\":%" PRId32 ",\"offset\":%" PRId64
	       ",\"key\":\"%.*s\",\"headers\":{",
	    message->partition, message->offset, (int)message->key_len,
	    (const char *)message->key);
	print_headers(message);
	printf("},\"value\":%.*s}\n",
	    message->payload == NULL ? 4 : (int)message->len,
	    message->payload == NULL ? "null" : (const char *)message->payload);
}

int
main(int argc, char **argv)
{
	rd_kafka_t *handle;
	int64_t left;
	int quiet = 0;

	if (argc != 3)
		fail("usage", "topic BROKERS TOPIC");
	handle = consumer_new(argv[1]);
	left = assign_all(handle, argv[2]);
	while (left > 0 && quiet < QUIET_POLLS) {
		rd_kafka_message_t *message =
		    rd_kafka_consumer_poll(handle, POLL_MS);

		quiet = message == NULL ? quiet + 1 : 0;
		if (message == NULL)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			print_message(message);
			left--;
		}
		rd_kafka_message_destroy(message);
	}
	if (left > 0)
		fail("not all came", argv[2]);
	(void)rd_kafka_consumer_close(handle);
	rd_kafka_destroy(handle);
	return 0;
}
