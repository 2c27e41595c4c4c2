/* Does every command get one answer, also when Redis hangs, dies, returns? */
#include "cmocka_all.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/redis.h"
#include "server_process.h"

static char folder[64], address[32];
static int port;
static pid_t server = -1;

static void
server_start(void)
{
	char number[16];
	const char *const argv[] = { "redis-server", "--port", number, "--bind",
		"127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
		folder, "--logfile", "log", NULL };

	(void)snprintf(number, sizeof(number), "%d", port);
	server = program_start(argv);
	assert_true(port_wait(port));
}

static void
server_kill(void)
{
	program_end(server, SIGKILL);
	server = -1;
}

struct told {
	int count;
	int type; /* of the reply, 0: none */
	long long integer;
	char text[128];
	uint64_t at_ms;
};

static void
tell(void *owner, const redisReply *reply)
{
	struct told *told = owner;

	told->count++;
	told->at_ms = clock_monotonic_ms();
	told->type = reply ? reply->type : 0;
	if (reply == NULL)
		return;
	told->integer = reply->integer;
	if (reply->str != NULL)
		(void)snprintf(
		    told->text, sizeof(told->text), "%s", reply->str);
}

/* A command of words in one string. */
static void
call(const char *words, uint32_t deadline_ms, struct told *told)
{
	char copy[256], *rest = copy, *word;
	const char *argv[8];
	int argc = 0;

	memset(told, 0, sizeof(*told));
	(void)snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, " ")) != NULL)
		argv[argc++] = word;
	redis_call(argc, argv, NULL, deadline_ms, tell, told);
	assert_int_equal(told->count, 0);
}

static void
wait_told(const struct told *told, int count)
{
	uint64_t end_ms = clock_monotonic_ms() + 5000;

	for (int i = 0; i < count; i++) {
		while (told[i].count == 0) {
			if (clock_monotonic_ms() >= end_ms)
				fail_msg("command %d was not told", i);
			loop_run(20);
		}
		assert_int_equal(told[i].count, 1);
	}
}

static void
wait_ready(bool ready, uint64_t limit_ms)
{
	uint64_t end_ms = clock_monotonic_ms() + limit_ms;

	while (redis_ready() != ready) {
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("redis_ready is not %d", ready);
		loop_run(20);
	}
}

static int
set_up(void **state)
{
	(void)state;
	if (server == -1)
		server_start();
	return loop_init() && redis_init(address) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	redis_done();
	loop_done();
	return 0;
}

static void
wrong_addresses_are_refused(void **state)
{
	static const char *const wrong[] = { "", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
		"127.0.0.1:63 79", "localhost:6379", "127.0.0.1:-1", ":6379",
		"[::1:6379", "::1:6379", "[]:6379", "127.0.0.1:6379x" };

	(void)state;
	redis_done();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(redis_init(wrong[i]));
	assert_true(redis_init("[::1]:1"));
}

static void
commands_are_answered(void **state)
{
	static struct told told[2000];
	const char *argv[] = { "SET", "binary", "a\0b" };
	const size_t lengths[] = { 3, 6, 3 };
	struct told one;

	(void)state;
	wait_ready(true, 3000);
	for (int i = 0; i < 2000; i++)
		call("INCR counter", 3000, &told[i]);
	wait_told(told, 2000);
	for (int i = 0; i < 2000; i++)
		assert_true(told[i].type == REDIS_REPLY_INTEGER &&
		    told[i].integer == i + 1);
	memset(&one, 0, sizeof(one));
	redis_call(3, argv, lengths, 1000, tell, &one);
	wait_told(&one, 1);
	call("STRLEN binary", 1000, &one);
	wait_told(&one, 1);
	assert_int_equal(one.integer, 3);
	call("NONSENSE", 1000, &one);
	wait_told(&one, 1);
	assert_int_equal(one.type, REDIS_REPLY_ERROR);
}

static void
nothing_waits_for_an_absent_server(void **state)
{
	struct told told;

	(void)state;
	server_kill();
	wait_ready(false, 2000);
	call("PING", 60000, &told);
	loop_run(100);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.type, 0);
	server_start();
	wait_ready(true, 5000);
	call("PING", 1000, &told);
	wait_told(&told, 1);
	assert_int_equal(told.type, REDIS_REPLY_STATUS);
}

static void
server_death_answers_what_was_sent(void **state)
{
	struct told told[50];

	(void)state;
	wait_ready(true, 3000);
	kill(server, SIGSTOP);
	for (int i = 0; i < 50; i++)
		call("INCR lost", 4000, &told[i]);
	loop_run(20);
	server_kill();
	wait_told(told, 50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(told[i].type, 0);
}

static void
hanging_server_costs_only_the_deadline(void **state)
{
	struct told told[3];
	uint64_t began_ms;

	(void)state;
	wait_ready(true, 3000);
	kill(server, SIGSTOP);
	began_ms = clock_monotonic_ms();
	call("PING", 100, &told[0]);
	call("PING", 300, &told[1]);
	wait_told(told, 2);
	assert_int_equal(told[0].type, 0);
	assert_in_range(told[0].at_ms - began_ms, 100, 900);
	assert_in_range(told[1].at_ms - began_ms, 300, 1100);
	wait_ready(false, 4000); /* silent for too long: given up */
	call("PING", 60000, &told[2]);
	loop_run(100);
	assert_int_equal(told[2].count, 1);
	kill(server, SIGCONT);
	wait_ready(true, 5000);
	assert_int_equal(told[0].count, 1);
}

static void
late_reply_is_dropped(void **state)
{
	struct told told[2];

	(void)state;
	wait_ready(true, 3000);
	kill(server, SIGSTOP);
	call("INCR late", 50, &told[0]);
	wait_told(told, 1);
	kill(server, SIGCONT);
	call("GET late", 1000, &told[1]);
	wait_told(told, 2);
	assert_int_equal(told[0].type, 0);
	assert_string_equal(told[1].text, "1");
	assert_true(redis_ready());
}

static void
scripts_survive_a_flush(void **state)
{
	static struct redis_script script = {
		"return redis.call('INCRBY', KEYS[1], ARGV[1])", ""
	};
	static struct redis_script wrong = { "return nonsense(", "" };
	const char *argv[] = { "scripted", "7" };
	struct told told = { 0 };

	(void)state;
	wait_ready(true, 3000);
	for (int i = 1; i <= 4; i++) {
		if (i == 3) {
			call("SCRIPT FLUSH", 1000, &told);
			wait_told(&told, 1);
		}
		memset(&told, 0, sizeof(told));
		redis_eval(&script, 1, 2, argv, NULL, 1000, tell, &told);
		assert_int_equal(told.count, 0);
		wait_told(&told, 1);
		assert_int_equal(told.type, REDIS_REPLY_INTEGER);
		assert_int_equal(told.integer, 7 * i);
	}
	assert_int_equal(strlen(script.sha1), 40);
	memset(&told, 0, sizeof(told));
	redis_eval(&wrong, 1, 2, argv, NULL, 1000, tell, &told);
	wait_told(&told, 1);
	assert_int_equal(told.type, REDIS_REPLY_ERROR);
}

static void
again_tell(void *owner, const redisReply *reply)
{
	int *left = owner;
	const char *argv[] = { "PING" };

	(void)reply;
	if (--*left > 0)
		redis_call(1, argv, NULL, 1000, again_tell, left);
}

static void
done_answers_everything(void **state)
{
	const char *argv[] = { "PING" };
	struct told told[3];
	int left = 4;

	(void)state;
	wait_ready(true, 3000);
	kill(server, SIGSTOP);
	for (int i = 0; i < 3; i++)
		call("PING", 5000, &told[i]);
	redis_call(1, argv, NULL, 1000, again_tell, &left);
	loop_run(5);
	redis_done();
	kill(server, SIGCONT);
	for (int i = 0; i < 3; i++)
		assert_int_equal(told[i].count, 1);
	assert_int_equal(left, 0);
}

static void
everything_ends(void)
{
	const char *const argv[] = { "rm", "-rf", folder, NULL };

	if (server > 0)
		server_kill();
	if (folder[0] != '\0')
		(void)program_run(argv);
}

int
main(void)
{
#define REDIS_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		REDIS_TEST(wrong_addresses_are_refused),
		REDIS_TEST(commands_are_answered),
		REDIS_TEST(nothing_waits_for_an_absent_server),
		REDIS_TEST(server_death_answers_what_was_sent),
		REDIS_TEST(hanging_server_costs_only_the_deadline),
		REDIS_TEST(late_reply_is_dropped),
		REDIS_TEST(scripts_survive_a_flush),
		REDIS_TEST(done_answers_everything),
	};

	log_init("unit", LOG_LEVEL_ERROR);
	if (!folder_new(folder))
		return 2;
	(void)atexit(everything_ends);
	port = port_free();
	(void)snprintf(address, sizeof(address), "127.0.0.1:%d", port);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
