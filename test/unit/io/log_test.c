/* Is each line one JSON object, whatever the fields hold? */
#include "cmocka_all.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

#include "io/log.h"

static int kept_stdout, pipe_ends[2];

static void
output_catch(void)
{
	assert_int_equal(pipe(pipe_ends), 0);
	(void)fflush(stdout);
	kept_stdout = dup(STDOUT_FILENO);
	dup2(pipe_ends[1], STDOUT_FILENO);
}

/* What was written meanwhile, NUL-terminated. */
static size_t
output_release(char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	dup2(kept_stdout, STDOUT_FILENO);
	close(kept_stdout);
	close(pipe_ends[1]);
	while (length + 1 < size &&
	    (got = read(pipe_ends[0], text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	close(pipe_ends[0]);
	text[length] = '\0';
	return length;
}

static yajl_val
line_parse(char *line)
{
	char error[256];
	yajl_val tree = yajl_tree_parse(line, error, sizeof(error));

	if (tree == NULL)
		fail_msg("not JSON: %s: %s", error, line);
	return tree;
}

static const char *
line_text(yajl_val tree, const char *name)
{
	const char *path[] = { name, NULL };
	yajl_val value = yajl_tree_get(tree, path, yajl_t_string);

	assert_non_null(value);
	return YAJL_GET_STRING(value);
}

static void
fields_come_out_as_given(void **state)
{
	static const struct {
		const char *given, *read;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "quote\" back\\slash", "quote\" back\\slash" },
		{ "line\nend\ttab\x01\x7f", "line\nend\ttab\x01\x7f" },
		{ "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80",
		    "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "over\xc0\xaf", "over\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80",
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	const char *path[] = { "number", NULL };
	char text[PIPE_BUF * 2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		yajl_val tree;

		output_catch();
		log_event(LOG_LEVEL_INFO, "test: event",
		    LOG_TEXT("field", rows[i].given),
		    LOG_NUMBER("number", INT64_MIN));
		output_release(text, sizeof(text));
		tree = line_parse(text);
		assert_string_equal(line_text(tree, "field"), rows[i].read);
		assert_string_equal(line_text(tree, "event"), "test: event");
		assert_string_equal(line_text(tree, "module"), "unit");
		assert_string_equal(line_text(tree, "level"), "info");
		assert_int_equal(strlen(line_text(tree, "time")), 24);
		assert_true(YAJL_GET_INTEGER(yajl_tree_get(
				tree, path, yajl_t_number)) == INT64_MIN);
		yajl_tree_free(tree);
	}
}

static void
levels_below_are_silent(void **state)
{
	char text[PIPE_BUF * 2];

	(void)state;
	output_catch();
	log_event(LOG_LEVEL_DEBUG, "test: silent");
	assert_int_equal(output_release(text, sizeof(text)), 0);
}

static void
long_text_is_cut_inside_one_line(void **state)
{
	char text[PIPE_BUF * 2], *filler = calloc(1, 100001);

	(void)state;
	assert_non_null(filler);
	for (size_t pad = 0; pad < 12; pad++) {
		yajl_val tree;
		size_t length;

		memset(filler, 'x', pad);
		for (size_t i = pad; i + 4 < 100000; i += 4)
			memcpy(filler + i, "\n\xe2\x82\xac", 4);
		output_catch();
		log_event(LOG_LEVEL_ERROR, "test: long",
		    LOG_TEXT("filler", filler), LOG_TEXT("next", filler));
		length = output_release(text, sizeof(text));
		assert_in_range(length, PIPE_BUF - 32, PIPE_BUF);
		assert_ptr_equal(strchr(text, '\n'), text + length - 1);
		tree = line_parse(text);
		yajl_tree_free(tree);
	}
	free(filler);
}

static void *
write_lines(void *name)
{
	for (int i = 0; i < 50; i++)
		log_event(LOG_LEVEL_INFO, "test: thread", LOG_TEXT("who", name),
		    LOG_NUMBER("i", i));
	return NULL;
}

static void
threads_never_mix_lines(void **state)
{
	static char text[65536];
	pthread_t threads[4];
	char *rest, *line;
	int lines = 0;

	(void)state;
	output_catch();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, write_lines, "thread");
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	output_release(text, sizeof(text));
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		yajl_tree_free(line_parse(line));
		lines++;
	}
	assert_int_equal(lines, 200);
}

/* Lines that wait come out whole, in order, none twice, with the flush. */
static void
queued_lines_come_out_whole(void **state)
{
	static char text[65536];
	const char *path[] = { "i", NULL };
	char *rest = text, *line;
	int lines = 0;

	(void)state;
	output_catch();
	assert_true(log_queue(LOG_LEVEL_INFO, "test: queued",
	    (const struct log_field[]){ LOG_NUMBER("i", 0), LOG_END }));
	for (int i = 1; i < 300; i++)
		(void)log_queue(LOG_LEVEL_INFO, "test: queued",
		    (const struct log_field[]){ LOG_NUMBER("i", i), LOG_END });
	assert_false(log_queue(LOG_LEVEL_DEBUG, "test: silent", NULL));
	log_flush();
	log_flush();
	output_release(text, sizeof(text));
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		yajl_val tree = line_parse(line);

		assert_int_equal(
		    YAJL_GET_INTEGER(yajl_tree_get(tree, path, yajl_t_number)),
		    lines++);
		yajl_tree_free(tree);
	}
	assert_int_equal(lines, 300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_come_out_as_given),
		cmocka_unit_test(levels_below_are_silent),
		cmocka_unit_test(long_text_is_cut_inside_one_line),
		cmocka_unit_test(threads_never_mix_lines),
		cmocka_unit_test(queued_lines_come_out_whole),
	};

	log_init("unit", LOG_LEVEL_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
