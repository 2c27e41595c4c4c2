/*
 * The configuration: the table of config.def filled from the environment and
 * from secret files. Read before any thread runs; constant afterwards. Must
 * never print a secret.
 */
#include "io/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_VALUE_MAX 16384 /* bytes of one setting */
#define CONFIG_NAME_MAX 96

enum config_kind { TEXT, SECRET, NUMBER, FLAG };
enum config_origin { ORIGIN_DEFAULT, ORIGIN_ENVIRONMENT, ORIGIN_FILE };

static const char *const origin_names[] = { "default", "environment", "file" };

struct config_row {
	const char *name;
	enum config_kind kind;
	unsigned modules;
	const char *fallback; /* NULL: required */
	int64_t lowest, highest;
	const char *meaning;
};

static const struct config_row rows[CONFIG_COUNT] = {
#define CONFIG(id, kind, modules, fallback, lowest, highest, meaning)          \
	[CONFIG_##id] = { "ONEGATE_" #id, kind, modules, fallback, lowest,     \
		highest, meaning },
#include "config.def"
#undef CONFIG
};

/* Settings that take one word of a few, separated by '|'. */
static const struct {
	enum config_id id;
	const char *words;
} choices[] = {
	{ CONFIG_ENV, "development|production" },
	{ CONFIG_LOG_LEVEL, "debug|info|warning|error" },
};

static struct {
	char *text; /* NULL: the default */
	int64_t number;
	enum config_origin origin;
} values[CONFIG_COUNT];

/* True when WORD is one of WORDS ("a|b|c"). */
static bool
word_among(const char *word, const char *words)
{
	size_t length = strlen(word);

	for (const char *next = words; next != NULL;) {
		const char *bar = strchr(next, '|');
		size_t size = bar ? (size_t)(bar - next) : strlen(next);

		if (size == length && memcmp(next, word, length) == 0)
			return true;
		next = bar ? bar + 1 : NULL;
	}
	return false;
}

/* A decimal number, nothing before or after it. */
static bool
number_read(const char *text, int64_t *number)
{
	const char *digits = text + (*text == '-' ? 1 : 0);

	if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return false;
	errno = 0;
	*number = strtoll(text, NULL, 10);
	return errno == 0;
}

/* Reads the whole file PATH without its last line end into BUFFER. */
static bool
file_read(const char *path, char *buffer, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	size_t length;
	bool read;

	if (file == NULL) {
		(void)snprintf(error, error_size, "%s", strerror(errno));
		return false;
	}
	length = fread(buffer, 1, CONFIG_VALUE_MAX, file);
	read = ferror(file) == 0 && length < CONFIG_VALUE_MAX;
	(void)fclose(file);
	if (!read || memchr(buffer, '\0', length) != NULL) {
		(void)snprintf(error, error_size,
		    "is not a text file of less than %d bytes",
		    CONFIG_VALUE_MAX);
		return false;
	}
	while (length > 0 &&
	    (buffer[length - 1] == '\n' || buffer[length - 1] == '\r'))
		length--;
	buffer[length] = '\0';
	return true;
}

/* Finds what was set for ROW: in BUFFER, or NULL in *FOUND. */
static bool
value_find(const struct config_row *row, char *buffer, const char **found,
    enum config_origin *origin, char *error, size_t error_size)
{
	char file_name[CONFIG_NAME_MAX], why[128];
	const char *path = NULL;

	*found = getenv(row->name);
	*origin = *found ? ORIGIN_ENVIRONMENT : ORIGIN_DEFAULT;
	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", row->name);
	if (row->kind == SECRET)
		path = getenv(file_name);
	if (path == NULL)
		return true;
	if (*found != NULL) {
		(void)snprintf(error, error_size,
		    "%s and %s are both set: keep one", row->name, file_name);
		return false;
	}
	if (!file_read(path, buffer, why, sizeof(why))) {
		(void)snprintf(
		    error, error_size, "%s: %s: %s", file_name, path, why);
		return false;
	}
	*found = buffer;
	*origin = ORIGIN_FILE;
	return true;
}

/* What is wrong with TEXT as a value of ID, for a person, in WHY. */
static bool
value_check(enum config_id id, const char *text, int64_t *number, char *why,
    size_t why_size)
{
	const struct config_row *row = &rows[id];

	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 && row->kind != SECRET) {
			(void)snprintf(
			    why, why_size, "must not have control characters");
			return false;
		}
	}
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (choices[i].id == id &&
		    !word_among(text, choices[i].words)) {
			(void)snprintf(
			    why, why_size, "takes %s", choices[i].words);
			return false;
		}
	}
	if (row->kind == NUMBER &&
	    (!number_read(text, number) || *number < row->lowest ||
		*number > row->highest)) {
		(void)snprintf(why, why_size,
		    "takes a number from %lld to %lld", (long long)row->lowest,
		    (long long)row->highest);
		return false;
	}
	if (row->kind == FLAG && !word_among(text, "0|1")) {
		(void)snprintf(why, why_size, "takes 0 or 1");
		return false;
	}
	if (row->kind == FLAG)
		*number = text[0] == '1';
	return true;
}

static bool
value_keep(enum config_id id, const char *text, int64_t number,
    enum config_origin origin)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return false;
	if (values[id].text != NULL && rows[id].kind == SECRET)
		explicit_bzero(values[id].text, strlen(values[id].text));
	free(values[id].text);
	values[id].text = copy;
	values[id].number = number;
	values[id].origin = origin;
	return true;
}

/* Reads one setting; NEEDED says whether it must be there. */
static bool
row_load(enum config_id id, bool needed, char *buffer, char *error,
    size_t error_size)
{
	const struct config_row *row = &rows[id];
	enum config_origin origin;
	const char *text;
	char why[128];
	int64_t number = 0;

	if (!value_find(row, buffer, &text, &origin, error, error_size))
		return !needed;
	if (text != NULL && text[0] == '\0')
		text = NULL, origin = ORIGIN_DEFAULT; /* empty is not set */
	if (text == NULL && row->fallback == NULL && !needed)
		return true;
	if (text == NULL && row->fallback == NULL) {
		(void)snprintf(error, error_size, "%s is not set: %s",
		    row->name, row->meaning);
		return false;
	}
	text = text ? text : row->fallback;
	if (!value_check(id, text, &number, why, sizeof(why))) {
		(void)snprintf(error, error_size, "%s %s (%s)", row->name, why,
		    row->meaning);
		return !needed;
	}
	if (value_keep(id, text, number, origin))
		return true;
	(void)snprintf(error, error_size, "out of memory");
	return false;
}

bool
config_load(unsigned modules, char *error, size_t error_size)
{
	static char buffer[CONFIG_VALUE_MAX];
	bool loaded = true;

	for (int i = 0; i < CONFIG_COUNT && loaded; i++) {
		bool needed = (rows[i].modules & modules) != 0;

		loaded = row_load(
		    (enum config_id)i, needed, buffer, error, error_size);
	}
	explicit_bzero(buffer, sizeof(buffer));
	return loaded;
}

const char *
config_text(enum config_id id)
{
	const char *fallback = rows[id].fallback;

	if (values[id].text != NULL)
		return values[id].text;
	return fallback ? fallback : "";
}

/* Also right before config_load: the default, as the table has it. */
int64_t
config_number(enum config_id id)
{
	int64_t number = values[id].number;

	assert(rows[id].kind == NUMBER || rows[id].kind == FLAG);
	if (values[id].text == NULL && rows[id].fallback != NULL)
		(void)number_read(rows[id].fallback, &number);
	return number;
}

bool
config_flag(enum config_id id)
{
	assert(rows[id].kind == FLAG);
	return config_number(id) != 0;
}

void
config_print(FILE *out)
{
	for (int i = 0; i < CONFIG_COUNT; i++) {
		const struct config_row *row = &rows[i];
		const char *text = values[i].text ? values[i].text : "";
		bool set = text[0] != '\0';

		if (set && row->kind == SECRET)
			text = "********";
		(void)fprintf(out,
		    "%s=%s\n    %s\n    origin: %s, default: %s\n", row->name,
		    text, row->meaning,
		    set ? origin_names[values[i].origin] : "not set",
		    row->fallback ? row->fallback : "none, required");
	}
}
