/*
 * Writes each line of standard input as a message to a Kafka topic, in order,
 * all with one key, and waits until the broker has them.
 *
 * topic_write BROKERS TOPIC KEY
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 10000
#define LINE_SIZE 8192
#define ERROR_MAX 512

_Noreturn static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "topic_write: %s: %s\n", what, why);
	exit(1);
}

int
main(int argc, char **argv)
{
	char line[LINE_SIZE], error[ERROR_MAX];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_resp_err_t code;
	rd_kafka_t *handle;

	if (argc != 4)
		fail("usage", "topic_write BROKERS TOPIC KEY");
	if (rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], error,
		sizeof(error)) != RD_KAFKA_CONF_OK)
		fail(argv[1], error);
	handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
	if (handle == NULL)
		fail("no client", error);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t length = strcspn(line, "\n");

		code = rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(argv[2]),
		    RD_KAFKA_V_KEY(argv[3], strlen(argv[3])),
		    RD_KAFKA_V_VALUE(line, length),
		    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			fail("not written", rd_kafka_err2str(code));
	}
	code = rd_kafka_flush(handle, FLUSH_MS);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail("not delivered", rd_kafka_err2str(code));
	rd_kafka_destroy(handle);
	return 0;
}
