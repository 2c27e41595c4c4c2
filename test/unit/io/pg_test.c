/*
 * Does every call get one true answer, whatever happens to the server? Runs on
 * a PostgreSQL of its own: argument 1 is pg_cluster.sh.
 */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/pg.h"
#include "io/pg_sync.h"
#include "server_process.h"

static const char *cluster_script;
static char folder[64], conninfo[160];

enum {
	ECHO,
	DIVIDE,
	SLEEP,
	TERMINATE,
	TYPES,
	ARRAYS,
	DEFER,
	COUNT,
	SETTING,
	BACKEND,
	STATEMENTS
};

static const struct pg_statement statements[STATEMENTS + 1] = {
	[ECHO] = { "echo", "select $1::bigint" },
	[DIVIDE] = { "divide", "select 1000000 / $1::bigint" },
	[SLEEP] = { "sleep",
	    "select 1::bigint from pg_sleep($1::bigint / 1000.0)" },
	[TERMINATE] = { "terminate",
	    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
	    " where application_name = $1" },
	[TYPES] = { "types",
	    "select $1::text || '|' || coalesce($2::text, 'null') || '|' || "
	    "$3::int4 || '|' || $4::int8 || '|' || $5::bool || '|' || $6::uuid"
	    " || '|' || encode($7::bytea, 'hex') || '|' || $8::numeric" },
	[ARRAYS] = { "arrays",
	    "select array_to_string($1::int8[], ',', 'null') || '|' || "
	    "array_to_string($2::text[], ',', 'null') || '|' || "
	    "array_to_string($3::uuid[], ',', 'null') || '|' || "
	    "array_to_string($4::int4[], ',') || '|' || "
	    "array_to_string($5::int2[], ',') || '|' || "
	    "cardinality($6::int8[]) || '|' || "
	    "(select string_agg(encode(b, 'hex'), ',') from "
	    "unnest($7::bytea[]) b) || '|' || "
	    "array_to_string($8::bool[]::text[], ',') || '|' || "
	    "(select string_agg(to_char(t at time zone 'UTC', "
	    "'YYYY-MM-DD\"T\"HH24:MI:SS.US'), ',') "
	    "from unnest($9::timestamptz[]) t)" },
	[DEFER] = { "defer", "insert into deferred values ($1::bigint)" },
	[COUNT] = { "count", "select count(*) from deferred" },
	[SETTING] = { "setting", "select current_setting($1)" },
	[BACKEND] = { "backend", "select $1::bigint + pg_backend_pid()" },
	{ NULL, NULL },
};

struct told {
	int count;
	enum pg_status status;
	char sqlstate[6];
	int64_t value;
	char text[512];
	uint64_t at_ms;
};

static void
tell(void *owner, const struct pg_answer *answer)
{
	struct told *told = owner;

	told->count++;
	told->status = answer->status;
	told->at_ms = clock_monotonic_ms();
	memcpy(told->sqlstate, answer->sqlstate, sizeof(told->sqlstate));
	assert_true((answer->status == PG_DONE) == (answer->rows != NULL));
	assert_true((answer->status == PG_DONE) == (answer->message == NULL));
	if (answer->status != PG_DONE || PQntuples(answer->rows) == 0)
		return;
	if (PQfformat(answer->rows, 0) == 1)
		told->value = pg_binary_int(answer->rows, 0, 0);
	else
		(void)snprintf(told->text, sizeof(told->text), "%s",
		    pg_text(answer->rows, 0, 0));
}

static void
call(struct pg_pool *pool, int statement, int64_t value, uint32_t deadline_ms,
    struct told *told)
{
	struct pg_params params;

	memset(told, 0, sizeof(*told));
	pg_params_init(&params);
	pg_put_int8(&params, value);
	pg_call(pool, statement, &params, true, deadline_ms, tell, told);
	assert_int_equal(told->count, 0);
	assert_null(params.bytes);
}

/* Runs the loop until all of COUNT calls were told, at most LIMIT_MS. */
static void
wait_told(const struct told *told, int count, uint64_t limit_ms)
{
	uint64_t end_ms = clock_monotonic_ms() + limit_ms;

	for (int i = 0; i < count; i++) {
		while (told[i].count == 0) {
			if (clock_monotonic_ms() >= end_ms)
				fail_msg("call %d was not told in time", i);
			loop_run(20);
		}
		assert_int_equal(told[i].count, 1);
	}
}

static struct pg_pool *
pool_new(const char *info, int connections, int in_flight, int queue,
    uint32_t timeout_ms)
{
	struct pg_options options = { .name = "pg_test",
		.conninfo = info,
		.statements = statements,
		.connections = connections,
		.in_flight = in_flight,
		.queue = queue,
		.statement_timeout_ms = timeout_ms };
	struct pg_pool *pool = pg_pool_new(&options);

	assert_non_null(pool);
	return pool;
}

static void
wait_ready(struct pg_pool *pool, int ready, uint64_t limit_ms)
{
	uint64_t end_ms = clock_monotonic_ms() + limit_ms;
	struct pg_counts counts;

	for (;;) {
		pg_pool_counts(pool, &counts);
		if (counts.ready >= ready)
			return;
		if (clock_monotonic_ms() >= end_ms)
			fail_msg("%d connections are ready", counts.ready);
		loop_run(20);
	}
}

static void
cluster(const char *command)
{
	const char *const argv[] = { cluster_script, command, folder, NULL };

	if (!program_run(argv))
		fail_msg("%s %s failed", cluster_script, command);
}

static void
types_arrive_as_sent(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 4, 8, 0);
	struct uuid id = { { 0x01, 0x8f, 0xff, 0, 1, 2, 0x7a, 0xbc, 0x80, 9, 8,
	    7, 6, 5, 4, 3 } };
	struct told told = { 0 };
	struct pg_params params;

	(void)state;
	pg_params_init(&params);
	pg_put_text(&params, "it's \xe2\x82\xac; --");
	pg_put_text(&params, NULL);
	pg_put_int4(&params, INT32_MIN);
	pg_put_int8(&params, INT64_MIN);
	pg_put_bool(&params, true);
	pg_put_uuid(&params, &id);
	pg_put_bytea(&params, "\x00\xff", 2);
	pg_put_text_n(&params, "1.50xx", 4);
	pg_call(pool, TYPES, &params, false, 2000, tell, &told);
	wait_told(&told, 1, 3000);
	assert_int_equal(told.status, PG_DONE);
	assert_string_equal(told.text,
	    "it's \xe2\x82\xac; --|null|-2147483648|-9223372036854775808|true|"
	    "018fff00-0102-7abc-8009-080706050403|00ff|1.50");
	pg_pool_free(pool);
}

static void
arrays_arrive_as_sent(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 4, 8, 0);
	struct uuid id = { { 0xff } };
	struct told told = { 0 };
	struct pg_params params;

	(void)state;
	pg_params_init(&params);
	pg_array_begin(&params, PG_OID_INT8, 3);
	pg_array_int8(&params, -1);
	pg_array_null(&params);
	pg_array_int8(&params, INT64_MAX);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_TEXT, 3);
	pg_array_text(&params, "", 0);
	pg_array_text(&params, "a,b", 3);
	pg_array_null(&params);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_UUID, 1);
	pg_array_uuid(&params, &id);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_INT4, 1);
	pg_array_int4(&params, -7);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_INT2, 1);
	pg_array_int2(&params, -8);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_INT8, 0);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_BYTEA, 2);
	pg_array_bytea(&params, "\x00", 1);
	pg_array_bytea(&params, "", 0);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_BOOL, 2);
	pg_array_bool(&params, true);
	pg_array_bool(&params, false);
	pg_array_end(&params);
	pg_array_begin(&params, PG_OID_TIMESTAMPTZ, 2);
	pg_array_time(&params, 0);
	pg_array_time(&params, INT64_C(1767225600000001));
	pg_array_end(&params);
	pg_call(pool, ARRAYS, &params, false, 2000, tell, &told);
	wait_told(&told, 1, 3000);
	assert_int_equal(told.status, PG_DONE);
	assert_string_equal(told.text,
	    "-1,null,9223372036854775807|,a,b,null|"
	    "ff000000-0000-0000-0000-000000000000|-7|-8|0|00,|"
	    "true,false|1970-01-01T00:00:00.000000,2026-01-01T00:00:00.000001");
	pg_pool_free(pool);
}

static void
malformed_parameters_are_never_sent(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 4, 8, 0);
	struct pg_params params;
	struct told told[4] = { 0 };

	(void)state;
	pg_params_init(&params);
	pg_array_begin(&params, PG_OID_INT8, 2);
	pg_array_int8(&params, 1);
	pg_array_end(&params); /* one too few */
	pg_call(pool, ECHO, &params, true, 2000, tell, &told[0]);

	pg_params_init(&params);
	pg_array_begin(&params, PG_OID_INT8, 1);
	pg_array_int8(&params, 1);
	pg_array_int8(&params, 1); /* one too many */
	pg_call(pool, ECHO, &params, true, 2000, tell, &told[1]);

	pg_params_init(&params);
	for (int i = 0; i <= PG_PARAMS_MAX; i++)
		pg_put_int8(&params, i);
	pg_call(pool, ECHO, &params, true, 2000, tell, &told[2]);

	pg_params_init(&params);
	pg_put_text_n(&params, "a\0b", 3);
	pg_call(pool, ECHO, &params, true, 2000, tell, &told[3]);

	wait_told(told, 4, 1000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(told[i].status, PG_UNAVAILABLE);
	pg_pool_free(pool);
}

static void
errors_never_touch_their_neighbours(void **state)
{
	enum { CALLS = 5000 };
	struct pg_pool *pool = pool_new(conninfo, 3, 32, CALLS, 0);
	struct told *told = calloc(CALLS, sizeof(*told));
	int wrong = 0;

	(void)state;
	assert_non_null(told);
	for (int i = 0; i < CALLS; i++)
		call(pool, i % 7 == 0 ? DIVIDE : ECHO, i % 7 == 0 ? 0 : i, 8000,
		    &told[i]);
	wait_told(told, CALLS, 10000);
	for (int i = 0; i < CALLS; i++) {
		if (i % 7 == 0)
			wrong += told[i].status != PG_REFUSED ||
			    strcmp(told[i].sqlstate, "22012") != 0;
		else
			wrong +=
			    told[i].status != PG_DONE || told[i].value != i;
	}
	assert_int_equal(wrong, 0);
	free(told);
	pg_pool_free(pool);
}

/* The row is accepted, and refused when the transaction commits: at the Sync,
 * after the statement's own success. */
static void
commit_that_fails_is_not_done(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 8, 8, 0);
	struct told told[4];

	(void)state;
	call(pool, DEFER, 1, 2000, &told[0]);
	call(pool, DEFER, 1, 2000, &told[1]);
	call(pool, DEFER, 2, 2000, &told[2]);
	memset(&told[3], 0, sizeof(told[3]));
	pg_call(pool, COUNT, NULL, true, 2000, tell, &told[3]);
	wait_told(told, 4, 3000);
	assert_int_equal(told[0].status, PG_DONE);
	assert_int_equal(told[1].status, PG_REFUSED);
	assert_string_equal(told[1].sqlstate, "23505");
	assert_int_equal(told[2].status, PG_DONE);
	assert_int_equal(told[3].value, 2);
	pg_pool_free(pool);
}

static void
server_ends_a_long_statement(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 8, 8, 150);
	struct told told[2];

	(void)state;
	call(pool, SLEEP, 5000, 3000, &told[0]);
	call(pool, ECHO, 7, 3000, &told[1]);
	wait_told(told, 2, 2000);
	assert_int_equal(told[0].status, PG_REFUSED);
	assert_string_equal(told[0].sqlstate, "57014");
	assert_int_equal(told[1].status, PG_DONE);
	assert_int_equal(told[1].value, 7);
	pg_pool_free(pool);
}

/* What a role was given stays, unless the pool has a limit of its own. */
static void
role_keeps_its_limits(void **state)
{
	char info[192];

	(void)state;
	(void)snprintf(info, sizeof(info),
	    "host=%s user=limited dbname=postgres options='-c jit=off'",
	    folder);
	for (uint32_t limit_ms = 0; limit_ms <= 456; limit_ms += 456) {
		struct pg_pool *pool = pool_new(info, 1, 4, 8, limit_ms);
		const char *const settings[] = { "statement_timeout", "jit" };
		struct told told[2] = { 0 };

		for (int i = 0; i < 2; i++) {
			struct pg_params params;

			pg_params_init(&params);
			pg_put_text(&params, settings[i]);
			pg_call(pool, SETTING, &params, false, 3000, tell,
			    &told[i]);
		}
		wait_told(told, 2, 3000);
		assert_string_equal(
		    told[0].text, limit_ms == 0 ? "123ms" : "456ms");
		assert_string_equal(told[1].text, "off");
		pg_pool_free(pool);
	}
}

static void
late_call_is_unknown_and_the_connection_lives(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 8, 8, 0);
	struct pg_counts counts;
	struct told told[3];
	uint64_t began_ms;

	(void)state;
	wait_ready(pool, 1, 3000);
	began_ms = clock_monotonic_ms();
	call(pool, SLEEP, 600, 100, &told[0]);
	call(pool, ECHO, 8, 3000, &told[1]);
	call(pool, ECHO, 9, 50, &told[2]);
	wait_told(told, 3, 3000);
	assert_int_equal(told[0].status, PG_UNKNOWN);
	assert_in_range(told[0].at_ms - began_ms, 100, 550);
	assert_int_equal(told[2].status, PG_UNKNOWN);
	assert_in_range(told[2].at_ms - began_ms, 50, 550);
	assert_int_equal(told[1].status, PG_DONE);
	assert_int_equal(told[1].value, 8);
	for (int i = 0; i < 10; i++)
		loop_run(5);
	assert_int_equal(told[0].count, 1);
	assert_int_equal(told[2].count, 1);
	pg_pool_counts(pool, &counts);
	assert_int_equal(counts.reconnects, 0);
	assert_int_equal(counts.expired, 2);
	assert_int_equal(counts.in_flight, 0);
	pg_pool_free(pool);
}

static void
stalled_connection_is_given_up(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 8, 8, 0);
	struct pg_counts counts;
	struct told told[2];

	(void)state;
	wait_ready(pool, 1, 3000);
	call(pool, SLEEP, 20000, 100, &told[0]);
	call(pool, ECHO, 8, 10000, &told[1]);
	wait_told(told, 2, 3000);
	assert_int_equal(told[0].status, PG_UNKNOWN);
	assert_int_equal(told[1].status, PG_UNKNOWN);
	wait_ready(pool, 1, 3000);
	pg_pool_counts(pool, &counts);
	assert_int_equal(counts.reconnects, 1);
	pg_pool_free(pool);
}

/* Nobody asks it anything, and its socket stays open. */
static void
idle_connection_that_hangs_is_given_up(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 1, 1, 0);
	uint64_t end_ms = clock_monotonic_ms() + 10000;
	struct pg_counts counts;
	struct told told;
	pid_t backend;

	(void)state;
	wait_ready(pool, 1, 3000);
	call(pool, BACKEND, 0, 1000, &told);
	wait_told(&told, 1, 2000);
	backend = (pid_t)told.value;
	assert_int_equal(kill(backend, SIGSTOP), 0);
	do {
		loop_run(20);
		pg_pool_counts(pool, &counts);
	} while (counts.reconnects == 0 && clock_monotonic_ms() < end_ms);
	(void)kill(backend, SIGCONT);
	assert_int_equal(counts.reconnects, 1);
	wait_ready(pool, 1, 3000);
	call(pool, ECHO, 7, 1000, &told);
	wait_told(&told, 1, 2000);
	assert_int_equal(told.value, 7);
	pg_pool_free(pool);
}

static void
terminated_backends_come_back(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 4, 8, 64, 0);
	struct pg_options options = { .name = "pg_test_killer",
		.conninfo = conninfo,
		.statements = statements,
		.connections = 1,
		.in_flight = 1,
		.queue = 1 };
	struct pg_pool *killer = pg_pool_new(&options);
	struct pg_params params;
	struct told told[8], killed = { 0 };

	(void)state;
	wait_ready(pool, 4, 3000);
	for (int i = 0; i < 4; i++)
		call(pool, SLEEP, 3000, 5000, &told[i]);
	pg_params_init(&params);
	pg_put_text(&params, "pg_test");
	pg_call(killer, TERMINATE, &params, true, 2000, tell, &killed);
	wait_told(&killed, 1, 3000);
	assert_in_range(killed.value, 4, 5); /* one may be ending */
	wait_told(told, 4, 2000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(told[i].status, PG_UNKNOWN);
	/* Asked at once: waits for the new connections, no error. */
	for (int i = 4; i < 8; i++)
		call(pool, ECHO, i, 3000, &told[i]);
	wait_told(told + 4, 4, 3500);
	for (int i = 4; i < 8; i++) {
		assert_int_equal(told[i].status, PG_DONE);
		assert_int_equal(told[i].value, i);
	}
	wait_ready(pool, 4, 3000);
	pg_pool_free(killer);
	pg_pool_free(pool);
}

static void
server_crash_and_restart(void **state)
{
	enum { CALLS = 200 };
	struct pg_pool *pool = pool_new(conninfo, 4, 8, CALLS, 0);
	struct told *told = calloc(CALLS * 2, sizeof(*told));
	int unknown = 0, unavailable = 0, done = 0;

	(void)state;
	assert_non_null(told);
	wait_ready(pool, 4, 3000);
	call(pool, SLEEP, 5000, 8000, &told[0]);
	for (int i = 1; i < CALLS; i++)
		call(pool, i % 2 ? ECHO : SLEEP, 50, 1500, &told[i]);
	cluster("stop");
	wait_told(told, CALLS, 4000);
	for (int i = 0; i < CALLS; i++) {
		unknown += told[i].status == PG_UNKNOWN;
		unavailable += told[i].status == PG_UNAVAILABLE;
		done += told[i].status == PG_DONE;
	}
	assert_int_equal(unknown + unavailable + done, CALLS);
	assert_int_equal(told[0].status, PG_UNKNOWN);
	assert_in_range(unknown, 1, 32);
	assert_true(unavailable > 0);

	for (int i = 0; i < CALLS; i++)
		call(pool, ECHO, i, 9000, &told[CALLS + i]);
	cluster("start");
	wait_told(told + CALLS, CALLS, 9500);
	for (int i = 0; i < CALLS; i++) {
		assert_int_equal(told[CALLS + i].status, PG_DONE);
		assert_int_equal(told[CALLS + i].value, i);
	}
	wait_ready(pool, 4, 8000);
	free(told);
	pg_pool_free(pool);
}

/* SERVER listens and never says a word. */
static int
blackhole_new(char *info, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(server, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(server, 64), 0);
	assert_int_equal(
	    getsockname(server, (struct sockaddr *)&address, &length), 0);
	(void)snprintf(info, size, "hostaddr=127.0.0.1 port=%d user=test",
	    ntohs(address.sin_port));
	return server;
}

static void
blackholed_server_costs_only_the_deadline(void **state)
{
	char info[128];
	int server = blackhole_new(info, sizeof(info));
	struct pg_pool *pool = pool_new(info, 4, 8, 64, 0);
	struct told told[16];
	uint64_t began_ms = clock_monotonic_ms(), slowest_ms = 0;

	(void)state;
	for (int i = 0; i < 16; i++)
		call(pool, ECHO, i, (uint32_t)(300 - 10 * i), &told[i]);
	while (told[0].count == 0 || told[15].count == 0) {
		uint64_t turn_ms = clock_monotonic_ms();

		loop_run(0);
		turn_ms = clock_monotonic_ms() - turn_ms;
		if (turn_ms > slowest_ms)
			slowest_ms = turn_ms;
		loop_run(5);
	}
	assert_in_range(slowest_ms, 0, 1000); /* connecting waits 3 s */
	for (int i = 0; i < 16; i++) {
		assert_int_equal(told[i].count, 1);
		assert_int_equal(told[i].status, PG_UNAVAILABLE);
		assert_in_range(told[i].at_ms - began_ms, 300 - 10 * i,
		    300 - 10 * i + 1000);
	}
	pg_pool_free(pool);
	close(server);
}

static void
queue_is_bounded_and_expires(void **state)
{
	struct pg_pool *pool =
	    pool_new("host=/nonexistent dbname=none user=test", 2, 4, 3, 0);
	struct told told[5];
	uint64_t began_ms = clock_monotonic_ms();

	(void)state;
	for (int i = 0; i < 5; i++)
		call(pool, ECHO, i, 200, &told[i]);
	loop_run(100);
	assert_int_equal(told[3].count, 1); /* no room: at once */
	assert_int_equal(told[4].count, 1);
	assert_int_equal(told[0].count, 0);
	wait_told(told, 5, 1000);
	for (int i = 0; i < 5; i++)
		assert_int_equal(told[i].status, PG_UNAVAILABLE);
	assert_in_range(told[0].at_ms - began_ms, 200, 1000);
	pg_pool_free(pool);
}

static void
wrong_statement_never_serves(void **state)
{
	static const struct pg_statement wrong[] = {
		{ "good", "select $1::bigint" },
		{ "wrong", "select nothing from nowhere" },
		{ NULL, NULL },
	};
	struct pg_options options = { .name = "pg_test_wrong",
		.conninfo = conninfo,
		.statements = wrong,
		.connections = 2,
		.in_flight = 4,
		.queue = 8 };
	struct pg_pool *pool = pg_pool_new(&options);
	struct pg_counts counts;
	struct told told;

	(void)state;
	assert_non_null(pool);
	call(pool, 0, 1, 400, &told);
	wait_told(&told, 1, 1000);
	assert_int_equal(told.status, PG_UNAVAILABLE);
	pg_pool_counts(pool, &counts);
	assert_int_equal(counts.ready, 0);
	pg_pool_free(pool);
	options.conninfo = "nonsense";
	assert_null(pg_pool_new(&options));
}

struct again {
	struct pg_pool *pool;
	struct told told;
	int left;
};

/* An owner that calls from inside its answer. */
static void
again_tell(void *owner, const struct pg_answer *answer)
{
	struct again *again = owner;

	again->told.count++;
	again->told.status = answer->status;
	if (again->left-- > 0)
		pg_call(
		    again->pool, COUNT, NULL, true, 1000, again_tell, again);
}

static void
free_answers_everything(void **state)
{
	struct pg_pool *pool = pool_new(conninfo, 1, 2, 8, 0);
	struct again again = { .pool = pool, .left = 3 };
	struct told told[6];

	(void)state;
	wait_ready(pool, 1, 3000);
	pg_call(pool, COUNT, NULL, true, 1000, again_tell, &again);
	for (int i = 0; i < 6; i++)
		call(pool, SLEEP, 1000, 5000, &told[i]);
	pg_pool_free(pool);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(told[i].count, 1);
		assert_int_equal(
		    told[i].status, i < 1 ? PG_UNKNOWN : PG_UNAVAILABLE);
	}
	assert_int_equal(again.told.count, 4);
	assert_int_equal(again.told.status, PG_UNAVAILABLE);
	pg_pool_free(NULL);
}

static struct pg_sync *
sync_new(const char *info)
{
	struct pg_sync_options options = { .name = "pg_test_sync",
		.conninfo = info,
		.statements = statements,
		.deadline_ms = 500 };
	struct pg_sync *sync = pg_sync_new(&options);

	assert_non_null(sync);
	return sync;
}

static enum pg_status
sync_call(struct pg_sync *sync, int statement, int64_t value, int64_t *result)
{
	struct pg_params params;
	enum pg_status status;
	PGresult *rows;

	pg_params_init(&params);
	pg_put_int8(&params, value);
	status = pg_sync_call(sync, statement, &params, true, &rows);
	assert_true((status == PG_DONE) == (rows != NULL));
	if (rows != NULL && PQntuples(rows) > 0)
		*result = pg_binary_int(rows, 0, 0);
	PQclear(rows);
	return status;
}

static void
sync_calls_and_transactions(void **state)
{
	struct pg_sync *sync = sync_new(conninfo);
	int64_t value = 0;

	(void)state;
	assert_int_equal(sync_call(sync, ECHO, 1, &value), PG_UNAVAILABLE);
	assert_true(pg_sync_connect(sync));
	assert_true(pg_sync_connect(sync));
	assert_int_equal(sync_call(sync, ECHO, 5, &value), PG_DONE);
	assert_int_equal(value, 5);
	assert_int_equal(sync_call(sync, DIVIDE, 0, &value), PG_REFUSED);
	assert_string_equal(pg_sync_sqlstate(sync), "22012");
	assert_int_equal(sync_call(sync, SLEEP, 5000, &value), PG_REFUSED);
	assert_string_equal(pg_sync_sqlstate(sync), "57014");

	assert_int_equal(pg_sync_begin(sync, true), PG_DONE);
	assert_int_equal(sync_call(sync, DEFER, 100, &value), PG_DONE);
	pg_sync_rollback(sync);
	assert_int_equal(pg_sync_begin(sync, false), PG_DONE);
	assert_int_equal(sync_call(sync, DEFER, 101, &value), PG_DONE);
	assert_int_equal(sync_call(sync, DIVIDE, 0, &value), PG_REFUSED);
	assert_int_equal(pg_sync_commit(sync), PG_REFUSED);
	assert_int_equal(pg_sync_begin(sync, false), PG_DONE);
	assert_int_equal(sync_call(sync, DEFER, 102, &value), PG_DONE);
	assert_int_equal(sync_call(sync, DEFER, 102, &value), PG_DONE);
	assert_int_equal(pg_sync_commit(sync), PG_REFUSED); /* deferred */
	assert_string_equal(pg_sync_sqlstate(sync), "23505");
	assert_int_equal(pg_sync_begin(sync, false), PG_DONE);
	assert_int_equal(sync_call(sync, DEFER, 103, &value), PG_DONE);
	assert_int_equal(pg_sync_commit(sync), PG_DONE);
	pg_sync_free(sync);
	pg_sync_free(NULL);
}

static void
sync_survives_a_lost_connection(void **state)
{
	struct pg_sync *sync = sync_new(conninfo);
	struct pg_params params;
	int64_t value = 0;

	(void)state;
	assert_true(pg_sync_connect(sync));
	pg_params_init(&params);
	pg_put_text(&params, "pg_test_sync");
	assert_int_equal(
	    pg_sync_call(sync, TERMINATE, &params, true, NULL), PG_UNKNOWN);
	assert_int_equal(sync_call(sync, ECHO, 1, &value), PG_UNAVAILABLE);
	assert_int_equal(pg_sync_begin(sync, false), PG_UNAVAILABLE);
	pg_sync_rollback(sync);
	assert_true(pg_sync_connect(sync));
	assert_int_equal(sync_call(sync, ECHO, 6, &value), PG_DONE);
	assert_int_equal(value, 6);
	pg_sync_free(sync);
}

static void
sync_connect_has_a_deadline(void **state)
{
	char info[128];
	int server = blackhole_new(info, sizeof(info));
	struct pg_sync *sync = sync_new(info);
	uint64_t began_ms = clock_monotonic_ms();

	(void)state;
	assert_false(pg_sync_connect(sync));
	assert_in_range(clock_monotonic_ms() - began_ms, 2900, 6000);
	assert_true(strlen(pg_sync_message(sync)) > 0);
	pg_sync_free(sync);
	close(server);
}

static int
set_up(void **state)
{
	(void)state;
	return loop_init() ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	loop_done();
	return 0;
}

static int
cluster_new(void **state)
{
	const char *const psql[] = { "psql", "-q", "-v", "ON_ERROR_STOP=1",
		"-d", conninfo, "-c",
		"create table deferred (id bigint unique deferrable"
		" initially deferred);"
		"create role limited login;"
		"alter role limited set statement_timeout = '123ms';"
		"grant all on deferred to limited",
		NULL };

	(void)state;
	if (!folder_new(folder))
		return -1;
	(void)snprintf(conninfo, sizeof(conninfo),
	    "host=%s user=test dbname=postgres", folder);
	cluster("create");
	cluster("start");
	return program_run(psql) ? 0 : -1;
}

/* In every case: also when a check failed in the set-up, or we are ended. */
static void
cluster_end(void)
{
	const char *const argv[] = { cluster_script, "destroy", folder, NULL };

	if (folder[0] != '\0')
		(void)program_run(argv);
}

static void
ended(int signal_number)
{
	exit(128 + signal_number);
}

int
main(int argc, char **argv)
{
#define PG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		PG_TEST(types_arrive_as_sent),
		PG_TEST(arrays_arrive_as_sent),
		PG_TEST(malformed_parameters_are_never_sent),
		PG_TEST(errors_never_touch_their_neighbours),
		PG_TEST(commit_that_fails_is_not_done),
		PG_TEST(server_ends_a_long_statement),
		PG_TEST(role_keeps_its_limits),
		PG_TEST(late_call_is_unknown_and_the_connection_lives),
		PG_TEST(stalled_connection_is_given_up),
		PG_TEST(idle_connection_that_hangs_is_given_up),
		PG_TEST(terminated_backends_come_back),
		PG_TEST(server_crash_and_restart),
		PG_TEST(blackholed_server_costs_only_the_deadline),
		PG_TEST(queue_is_bounded_and_expires),
		PG_TEST(wrong_statement_never_serves),
		PG_TEST(free_answers_everything),
		cmocka_unit_test(sync_calls_and_transactions),
		cmocka_unit_test(sync_survives_a_lost_connection),
		cmocka_unit_test(sync_connect_has_a_deadline),
	};

	if (argc != 2)
		return 2;
	cluster_script = argv[1];
	(void)atexit(cluster_end);
	(void)signal(SIGTERM, ended);
	(void)signal(SIGINT, ended);
	log_init("unit", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, cluster_new, NULL);
}
