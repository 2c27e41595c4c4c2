/*
 * Structured logs: one JSON object a line on standard output, written whole.
 * Safe from any thread. Never give it a secret or a personal datum.
 */
#ifndef ONEGATE_IO_LOG_H
#define ONEGATE_IO_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
};

/* A field of a line: text, or a number when text is NULL. */
struct log_field {
	const char *name;
	const char *text;
	int64_t number;
};

#define LOG_TEXT(name_, text_) ((struct log_field){ (name_), (text_), 0 })
#define LOG_NUMBER(name_, number_)                                             \
	((struct log_field){ (name_), NULL, (int64_t)(number_) })
#define LOG_END ((struct log_field){ NULL, NULL, 0 })

/* MODULE names the process in each line; LEVEL is the lowest written. */
void log_init(const char *module, enum log_level level);

/* EVENT is a short constant phrase ("pg: connection lost"). FIELDS end with
 * LOG_END and may be NULL. */
void log_write(
    enum log_level level, const char *event, const struct log_field *fields);

/*
 * As log_write, for lines that come by the thousand: the line waits in this
 * thread's memory until log_flush, or until a few lines are there. True when
 * none waited before: the caller then sees to a log_flush soon.
 */
bool log_queue(
    enum log_level level, const char *event, const struct log_field *fields);
void log_flush(void);

#define log_event(level, event, ...)                                           \
	log_write((level), (event),                                            \
	    (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ) LOG_END })

#endif
