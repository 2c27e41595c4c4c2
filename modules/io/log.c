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

/* The length of the UTF-8 character at TEXT, 0 when it is not one. */
static size_t
utf8_length(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead, least, most;
		size_t length;
	} forms[] = {
		{ 0x80, 0x00, 0, 0, 1 },
		{ 0xff, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xff, 0xed, 0x80, 0x9f, 3 },
		{ 0xff, 0xf0, 0x90, 0xbf, 4 },
		{ 0xff, 0xf4, 0x80, 0x8f, 4 },
		{ 0xfe, 0xc0, 1, 0, 2 },
		{ 0xe0, 0xc0, 0x80, 0xbf, 2 },
		{ 0xf0, 0xe0, 0x80, 0xbf, 3 },
		{ 0xfc, 0xf0, 0x80, 0xbf, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((text[0] & forms[i].mask) != forms[i].lead)
			continue;
		if (forms[i].length == 1)
			return 1;
		if (text[1] < forms[i].least || text[1] > forms[i].most)
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if ((text[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

/* How many characters from TEXT on stand for themselves in a JSON string. */
static size_t
plain_length(const unsigned char *text)
{
	size_t length = 0;

	while (text[length] >= 0x20 && text[length] < 0x7f &&
	    text[length] != '"' && text[length] != '\\')
		length++;
	return length;
}

/* A JSON string; cut where the line is full. */
static void
line_put_string(struct line *line, const char *text)
{
	const unsigned char *next = (const unsigned char *)text;
	char escaped[8];

	line_put(line, "\"", 1);
	while (*next != '\0') {
		size_t plain = plain_length(next), length, written;

		if (plain > 0 && line_fits(line, plain)) {
			line_put(line, (const char *)next, plain);
			next += plain;
			continue;
		}
		length = utf8_length(next);
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
		next += length == 0 ? 1 : length;
	}
	line->bytes[line->length++] = '"';
}

/* Room for a whole name and the shortest value, or the field is left out. */
static void
line_put_field(struct line *line, const struct log_field *field)
{
	char number[24];
	int digits = 0;

	if (field->text == NULL)
		digits = snprintf(
		    number, sizeof(number), "%lld", (long long)field->number);
	if (!line_fits(line, strlen(field->name) + 4 + sizeof(number)))
		return;
	line_put(line, ",", 1);
	line_put_string(line, field->name);
	line_put(line, ":", 1);
	if (field->text != NULL)
		line_put_string(line, field->text);
	else
		line_put(line, number, (size_t)digits);
}

/* RFC 3339, UTC, milliseconds; the seconds' text is made once a second. */
static void
line_put_time(struct line *line)
{
	static _Thread_local char day[32];
	static _Thread_local time_t day_seconds = -1;
	uint64_t now_ms = clock_unix_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	char text[48];
	struct tm parts;
	int length;

	if (seconds != day_seconds &&
	    (gmtime_r(&seconds, &parts) == NULL ||
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts) == 0))
		return;
	day_seconds = seconds;
	length = snprintf(text, sizeof(text), "{\"time\":\"%s.%03uZ\"", day,
	    (unsigned)(now_ms % 1000));
	line_put(line, text, (size_t)length);
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
