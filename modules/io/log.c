/*
 * Structured logs. A line is built on the stack and written by one write of
 * at most PIPE_BUF bytes, so lines of several threads and processes never mix.
 * Must never be given a secret or a personal datum.
 */
#include "io/log.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "domain/decimal.h"
#include "domain/plain.h"
#include "domain/utf8.h"
#include "io/clock.h"

#define LOG_LINE_MAX PIPE_BUF
#define LOG_TAIL 2 /* "}\n" always fits */
#define LOG_MODULE_MAX 32

static const char *const level_names[] = { "debug", "info", "warning",
	"error" };

static char log_module[LOG_MODULE_MAX] = "onegate";
static _Atomic enum log_level log_lowest = LOG_LEVEL_INFO;

struct line {
	char bytes[LOG_LINE_MAX];
	size_t length;
};

/* True when COUNT more bytes leave room for the closing quote and tail. */
static bool
line_fits(const struct line *line, size_t count)
{
	return line->length + count + 1 + LOG_TAIL <= LOG_LINE_MAX;
}

static void
line_put(struct line *line, const char *bytes, size_t length)
{
	if (!line_fits(line, length))
		return;
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

/* A JSON string; cut where the line is full. */
static void
line_put_string(struct line *line, const char *text)
{
	const uint8_t *next = (const uint8_t *)text;
	size_t left = strlen(text);
	char escaped[8];

	line_put(line, "\"", 1);
	while (left > 0) {
		size_t plain = plain_length(next, left), length, written;

		if (plain > 0 && line_fits(line, plain)) {
			line_put(line, (const char *)next, plain);
			next += plain;
			left -= plain;
			continue;
		}
		length = utf8_sequence(next, left, NULL);
		written = length;
		if (length == 0 || *next < 0x20 || *next == 0x7f ||
		    *next == '"' || *next == '\\')
			written = (size_t)snprintf(escaped, sizeof(escaped),
			    "\\u%04x", length == 0 ? 0xfffdu : *next);
		else
			memcpy(escaped, next, length);
		if (!line_fits(line, written))
			break;
		line_put(line, escaped, written);
		length += length == 0;
		next += length;
		left -= length;
	}
	line->bytes[line->length++] = '"';
}

/* Room for a whole name and the shortest value, or the field is left out. */
static void
line_put_field(struct line *line, const struct log_field *field)
{
	char number[DECIMAL_TEXT_SIZE];

	if (!line_fits(line, strlen(field->name) + 4 + sizeof(number)))
		return;
	line_put(line, ",", 1);
	line_put_string(line, field->name);
	line_put(line, ":", 1);
	if (field->text != NULL)
		line_put_string(line, field->text);
	else
		line_put(line, number, decimal_format(field->number, number));
}

/* RFC 3339, UTC, milliseconds; the seconds' text is made once a second. */
static void
line_put_time(struct line *line)
{
	static _Thread_local char begin[48];
	static _Thread_local time_t begin_seconds = -1;
	uint64_t now_ms = clock_unix_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	unsigned ms = (unsigned)(now_ms % 1000);
	char end[] = { (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
		(char)('0' + ms % 10), 'Z', '"' };
	struct tm parts;

	if (seconds != begin_seconds &&
	    (gmtime_r(&seconds, &parts) == NULL ||
		strftime(begin, sizeof(begin), "{\"time\":\"%Y-%m-%dT%H:%M:%S.",
		    &parts) == 0))
		return;
	begin_seconds = seconds;
	line_put(line, begin, strlen(begin));
	line_put(line, end, sizeof(end));
}

void
log_init(const char *module, enum log_level level)
{
	(void)snprintf(log_module, sizeof(log_module), "%s", module);
	log_lowest = level;
}

static void
line_write(struct line *line, enum log_level level, const char *event,
    const struct log_field *fields)
{
	line->length = 0;
	line_put_time(line);
	line_put_field(line, &LOG_TEXT("level", level_names[level]));
	line_put_field(line, &LOG_TEXT("module", log_module));
	line_put_field(line, &LOG_TEXT("event", event));
	for (; fields != NULL && fields->name != NULL; fields++)
		line_put_field(line, fields);
	memcpy(line->bytes + line->length, "}\n", LOG_TAIL);
	line->length += LOG_TAIL;
}

static void
bytes_send(const char *bytes, size_t length)
{
	size_t sent = 0;

	while (sent < length) {
		ssize_t wrote =
		    write(STDOUT_FILENO, bytes + sent, length - sent);

		if (wrote == -1 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return; /* nobody reads: there is no one to tell */
		sent += (size_t)wrote;
	}
}

void
log_write(
    enum log_level level, const char *event, const struct log_field *fields)
{
	struct line line;

	if (level < log_lowest)
		return;
	line_write(&line, level, event, fields);
	bytes_send(line.bytes, line.length);
}

/* Lines that wait; a write holds whole lines and at most LOG_LINE_MAX bytes,
 * so those of several processes never mix. */
static _Thread_local struct line waiting;

void
log_flush(void)
{
	bytes_send(waiting.bytes, waiting.length);
	waiting.length = 0;
}

bool
log_queue(
    enum log_level level, const char *event, const struct log_field *fields)
{
	bool first;
	struct line line;

	if (level < log_lowest)
		return false;
	line_write(&line, level, event, fields);
	if (waiting.length + line.length > LOG_LINE_MAX)
		log_flush();
	first = waiting.length == 0;
	memcpy(waiting.bytes + waiting.length, line.bytes, line.length);
	waiting.length += line.length;
	return first;
}
