/*
 * A load generator for one HTTP server on this machine: a fixed number of
 * keep-alive clients, closed loop (each sends when its answer has come) or
 * open loop (sends at a rate, and latency counts from the moment a request was
 * due, so a stall is not hidden). One thread, epoll, no allocation while it
 * runs. It never judges: it counts, and names every acknowledged key so that
 * the books can be compared with what was promised.
 *
 * load -p PORT -P PATH [-m transfer|topup|get] [-c CLIENTS] [-d SECONDS]
 *      [-w WARMUP_SECONDS] [-r RATE] [-t TOKENS] [-a ACCOUNTS] [-y REPLAYS]
 *      [-k KEYS_OUT] [-s SEED]
 *
 * TOKENS: lines "account-id access-token". ACCOUNTS: lines of whom to pay,
 * account ids, and phones for topup. REPLAYS: per cent of requests that repeat
 * an acknowledged one.
 * The result is one JSON object on standard output.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 1024
#define REQUEST_MAX 8192
#define ANSWER_MAX 65536
#define SAMPLES_MAX (16u << 20)
#define LINE_MAX_BYTES 4200

/* What a request is: a GET, or money for somebody. */
static const struct mode {
	const char *name;
	const char *opening; /* of the body, up to whom; NULL: no body */
	uint32_t least; /* rupiah */
} modes[] = {
	{ "get", NULL, 0 },
	{ "transfer", "{\"to\":\"", 1 },
	{ "topup", "{\"payment_method\":\"GOPAY\",\"phone_number\":\"", 10000 },
};

struct order {
	uint64_t number; /* makes the idempotency key unique */
	uint32_t sender, receiver;
	uint32_t amount; /* rupiah */
};

struct client {
	int descriptor;
	bool busy, replay;
	uint64_t due_us; /* when the request should have left */
	struct order order, last; /* in flight; last acknowledged */
	bool has_last;
	size_t sent, length;
	size_t received;
	char request[REQUEST_MAX];
	char answer[ANSWER_MAX + 1];
};

struct lines {
	char **items;
	size_t count;
};

static struct settings {
	int port, clients, seconds, warmup, replays;
	double rate;
	const struct mode *mode;
	const char *path;
	uint64_t seed;
	struct lines tokens, accounts;
	FILE *keys;
} settings = {
	.clients = 64, .seconds = 10, .warmup = 2, .mode = modes, .path = "/"
};

static struct counts {
	uint64_t sent, acknowledged, replayed, refused, failed, reconnects;
	uint64_t measured;
} counts;

static struct client *clients;
static uint32_t *samples;
static size_t sample_count;
static uint64_t next_number, random_state;
static char run_id[17];
static int poller;

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000u + (uint64_t)at.tv_nsec / 1000u;
}

/* xorshift64*: speed matters here, secrecy does not. */
static uint64_t
random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static struct lines
lines_read(const char *path)
{
	struct lines lines = { NULL, 0 };
	char line[LINE_MAX_BYTES];
	size_t capacity = 0;
	FILE *in = fopen(path, "r");

	if (in == NULL)
		die(path);
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (lines.count == capacity) {
			capacity = capacity ? capacity * 2 : 1024;
			lines.items = realloc(
			    lines.items, capacity * sizeof(*lines.items));
			if (lines.items == NULL)
				die("memory");
		}
		lines.items[lines.count++] = strdup(line);
	}
	fclose(in);
	return lines;
}

static void
client_connect(struct client *client)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)settings.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	int on = 1;

	client->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->descriptor == -1)
		die("socket");
	if (connect(client->descriptor, (struct sockaddr *)&address,
		sizeof(address)) == -1)
		die("connect");
	setsockopt(
	    client->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(client->descriptor, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(poller, EPOLL_CTL_ADD, client->descriptor, &event) == -1)
		die("epoll_ctl");
}

static void
request_get(struct client *client, const char *token)
{
	client->length = (size_t)snprintf(client->request, REQUEST_MAX,
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n", settings.path,
	    token ? "Authorization: Bearer " : "", token ? token : "",
	    token ? "\r\n" : "");
}

static void
request_post(struct client *client, const char *token, const char *account)
{
	char body[512];
	int length;

	length = snprintf(body, sizeof(body),
	    "%s%s\",\"amount\":%" PRIu32 ",\"description\":\"lunch\"}",
	    settings.mode->opening, account, client->order.amount);
	client->length = (size_t)snprintf(client->request, REQUEST_MAX,
	    "POST %s HTTP/1.1\r\nHost: localhost\r\n"
	    "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
	    "Idempotency-Key: %s-%" PRIu64 "\r\nContent-Length: %d\r\n\r\n%s",
	    settings.path, token, run_id, client->order.number, length, body);
}

static void
order_choose(struct client *client)
{
	struct order *order = &client->order;

	client->replay = client->has_last &&
	    random_next() % 100 < (uint64_t)settings.replays;
	if (client->replay) {
		*order = client->last;
		return;
	}
	order->number = next_number++;
	order->sender = (uint32_t)(random_next() % settings.tokens.count);
	do {
		order->receiver =
		    (uint32_t)(random_next() % settings.accounts.count);
	} while (strncmp(settings.accounts.items[order->receiver],
		     settings.tokens.items[order->sender], 36) == 0);
	order->amount = settings.mode->least + (uint32_t)(random_next() % 1000);
}

static void
client_flush(struct client *client)
{
	while (client->sent < client->length) {
		ssize_t n =
		    send(client->descriptor, client->request + client->sent,
			client->length - client->sent, MSG_NOSIGNAL);

		if (n == -1 && errno == EAGAIN)
			return; /* small requests: the next event resends */
		if (n == -1)
			return; /* the close shows up as readable */
		client->sent += (size_t)n;
	}
}

static void
client_send(struct client *client, uint64_t due_us)
{
	const char *token = NULL;

	client->due_us = due_us;
	client->busy = true;
	client->sent = client->received = 0;
	if (settings.mode->opening != NULL) {
		order_choose(client);
		token = settings.tokens.items[client->order.sender] + 37;
		request_post(client, token,
		    settings.accounts.items[client->order.receiver]);
	} else {
		if (settings.tokens.count > 0)
			token =
			    settings.tokens
				.items[random_next() % settings.tokens.count] +
			    37;
		request_get(client, token);
	}
	if (client->length >= REQUEST_MAX) {
		errno = EMSGSIZE;
		die("request");
	}
	counts.sent++;
	client_flush(client);
}

/* The length of the whole answer, or 0 while it is not known. */
static size_t
answer_length(struct client *client)
{
	char *end, *field;

	client->answer[client->received] = '\0';
	end = strstr(client->answer, "\r\n\r\n");
	if (end == NULL)
		return 0;
	field = strcasestr(client->answer, "\r\ncontent-length:");
	if (field == NULL || field > end)
		return (size_t)(end - client->answer) + 4;
	return (size_t)(end - client->answer) + 4 +
	    strtoul(field + 17, NULL, 10);
}

static void
answer_count(struct client *client, uint64_t now, bool measured)
{
	long status = strtol(client->answer + 9, NULL, 10);

	client->busy = false;
	if (status < 200 || status > 299) {
		counts.refused++;
		if (counts.refused <= 3)
			fprintf(
			    stderr, "load: refused: %.400s\n", client->answer);
		return;
	}
	if (strcasestr(client->answer, "\r\nidempotent-replayed: true") != NULL)
		counts.replayed++;
	else
		counts.acknowledged++;
	if (settings.mode->opening != NULL && !client->replay) {
		client->last = client->order;
		client->has_last = true;
		if (settings.keys != NULL)
			fprintf(settings.keys, "%s-%" PRIu64 "\n", run_id,
			    client->order.number);
	}
	if (measured && sample_count < SAMPLES_MAX) {
		counts.measured++;
		samples[sample_count++] = (uint32_t)(now - client->due_us);
	}
}

static void
client_lost(struct client *client)
{
	if (client->busy)
		counts.failed++;
	client->busy = false;
	counts.reconnects++;
	close(client->descriptor);
	client_connect(client);
}

/* True when a whole answer was read. */
static bool
client_read(struct client *client)
{
	size_t wanted;
	ssize_t n;

	n = recv(client->descriptor, client->answer + client->received,
	    ANSWER_MAX - client->received, 0);
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		client_lost(client);
		return false;
	}
	client->received += (size_t)n;
	wanted = answer_length(client);
	return wanted != 0 && client->received >= wanted;
}

static int
sample_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
percentile_ms(double part)
{
	size_t at;

	if (sample_count == 0)
		return 0;
	at = (size_t)(part * (double)sample_count);
	return samples[at < sample_count ? at : sample_count - 1] / 1000.0;
}

static void
report(double seconds)
{
	struct rusage used;
	double cpu;

	qsort(samples, sample_count, sizeof(*samples), sample_compare);
	getrusage(RUSAGE_SELF, &used);
	cpu = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
	    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	printf("{\"run\":\"%s\",\"seconds\":%.3f,\"per_second\":%.1f,"
	       "\"sent\":%" PRIu64 ",\"acknowledged\":%" PRIu64
	       ",\"replayed\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"failed\":%" PRIu64 ",\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
	       "\"p999_ms\":%.3f,\"max_ms\":%.3f,\"cpu_seconds\":%.2f}\n",
	    run_id, seconds, (double)counts.measured / seconds, counts.sent,
	    counts.acknowledged, counts.replayed, counts.refused, counts.failed,
	    percentile_ms(0.5), percentile_ms(0.99), percentile_ms(0.999),
	    percentile_ms(1), cpu);
}

/* Open loop: gives due requests to idle clients, oldest due first. */
static void
open_loop_send(uint64_t start, uint64_t now, uint64_t *due_count)
{
	for (int i = 0; i < settings.clients; i++) {
		uint64_t due = start +
		    (uint64_t)((double)*due_count * 1e6 / settings.rate);

		if (due > now)
			return;
		if (!clients[i].busy) {
			client_send(&clients[i], due);
			(*due_count)++;
		}
	}
}

static void
run(void)
{
	uint64_t start = now_us(), warm, stop, end, due_count = 0;
	struct epoll_event events[256];

	warm = start + (uint64_t)settings.warmup * 1000000u;
	stop = warm + (uint64_t)settings.seconds * 1000000u;
	end = stop + 5000000u; /* answers of the last requests */
	for (int i = 0; settings.rate == 0 && i < settings.clients; i++)
		client_send(&clients[i], now_us());
	for (;;) {
		uint64_t now = now_us();
		int busy = 0, n;

		for (int i = 0; i < settings.clients; i++)
			busy += clients[i].busy;
		if (now >= end || (now >= stop && busy == 0))
			break;
		if (settings.rate > 0 && now < stop)
			open_loop_send(start, now, &due_count);
		n = epoll_wait(poller, events, 256, settings.rate > 0 ? 1 : 50);
		now = now_us();
		for (int i = 0; i < n; i++) {
			struct client *client = events[i].data.ptr;

			if (client->sent < client->length)
				client_flush(client);
			if (!client_read(client))
				continue;
			answer_count(client, now, now >= warm && now < stop);
			if (settings.rate == 0 && now < stop)
				client_send(client, now);
		}
	}
	report((double)settings.seconds);
}

static const struct mode *
mode_named(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}

static void
settings_read(int argc, char **argv)
{
	int option;

	while (
	    (option = getopt(argc, argv, "p:P:m:c:d:w:r:t:a:y:k:s:")) != -1) {
		switch (option) {
		case 'p':
			settings.port = (int)strtol(optarg, NULL, 10);
			break;
		case 'P':
			settings.path = optarg;
			break;
		case 'm':
			settings.mode = mode_named(optarg);
			break;
		case 'c':
			settings.clients = (int)strtol(optarg, NULL, 10);
			break;
		case 'd':
			settings.seconds = (int)strtol(optarg, NULL, 10);
			break;
		case 'w':
			settings.warmup = (int)strtol(optarg, NULL, 10);
			break;
		case 'r':
			settings.rate = strtod(optarg, NULL);
			break;
		case 't':
			settings.tokens = lines_read(optarg);
			break;
		case 'a':
			settings.accounts = lines_read(optarg);
			break;
		case 'y':
			settings.replays = (int)strtol(optarg, NULL, 10);
			break;
		case 'k':
			settings.keys = fopen(optarg, "w");
			if (settings.keys == NULL)
				die(optarg);
			break;
		case 's':
			settings.seed = strtoull(optarg, NULL, 10);
			break;
		default:
			fprintf(stderr, "load: see the head of load.c\n");
			exit(2);
		}
	}
	if (settings.port == 0 || settings.clients < 1 ||
	    settings.clients > CLIENTS_MAX || settings.seconds < 1 ||
	    settings.mode == NULL ||
	    (settings.mode->opening != NULL &&
		(settings.tokens.count == 0 || settings.accounts.count == 0))) {
		fprintf(stderr, "load: -p PORT, and for money -t and -a\n");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	settings_read(argc, argv);
	random_state = settings.seed ? settings.seed : now_us();
	snprintf(run_id, sizeof(run_id), "%016" PRIx64,
	    (uint64_t)time(NULL) << 24 ^ random_next());
	clients = calloc((size_t)settings.clients, sizeof(*clients));
	samples = malloc(SAMPLES_MAX * sizeof(*samples));
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (clients == NULL || samples == NULL || poller == -1)
		die("start");
	for (int i = 0; i < settings.clients; i++)
		client_connect(&clients[i]);
	run();
	if (settings.keys != NULL && fclose(settings.keys) != 0)
		die("keys");
	return 0;
}
