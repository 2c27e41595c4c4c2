/*
 * Metrics in memory that the parent maps before it forks, so that any worker
 * answers for all and a worker's death loses nothing. One atomic addition a
 * count, no lock. Until metrics_init the cells are the process's own.
 */
#include "io/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum metric_kind { COUNTER, GAUGE, SECONDS, SIZE };

static const char *const kind_names[] = { "counter", "gauge", "histogram",
	"histogram" };

struct metric_row {
	enum metric_kind kind;
	const char *name, *label, *values, *help;
};

static const struct metric_row rows[METRIC_COUNT] = {
#define METRIC(id, kind, name, label, values, help)                            \
	[METRIC_##id] = { kind, name, label, values, help },
#include "metrics.def"
#undef METRIC
};

#define BUCKETS 14

/* Upper bounds: microseconds, and bare numbers. */
static const uint64_t second_bounds[BUCKETS] = { 500, 1000, 2500, 5000, 10000,
	25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000,
	10000000 };
static const uint64_t size_bounds[BUCKETS] = { 1, 2, 4, 8, 16, 32, 64, 128, 256,
	512, 1024, 4096, 16384, 65536 };

/* The cells of one label value of one metric. */
struct metric_cells {
	_Atomic int64_t value; /* counter, gauge; histogram: sum */
	_Atomic uint64_t buckets[BUCKETS + 1]; /* not cumulative; +Inf last */
};

typedef struct metric_cells metric_table[METRIC_COUNT][METRIC_LABELS_MAX];

static metric_table own_cells;
static metric_table *cells = &own_cells;

bool
metrics_init(void)
{
	void *shared;

	if (cells != &own_cells)
		return true;
	shared = mmap(NULL, sizeof(metric_table), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return false;
	cells = shared;
	return true;
}

static struct metric_cells *
metric_cells_of(enum metric_id id, unsigned label)
{
	assert((unsigned)id < METRIC_COUNT && label < METRIC_LABELS_MAX);
	return &(*cells)[id][label];
}

void
metric_add(enum metric_id id, unsigned label, uint64_t by)
{
	(void)atomic_fetch_add_explicit(&metric_cells_of(id, label)->value,
	    (int64_t)by, memory_order_relaxed);
}

void
metric_set(enum metric_id id, unsigned label, int64_t value)
{
	atomic_store_explicit(
	    &metric_cells_of(id, label)->value, value, memory_order_relaxed);
}

static void
histogram_add(enum metric_id id, unsigned label, uint64_t value,
    const uint64_t bounds[BUCKETS])
{
	struct metric_cells *cell = metric_cells_of(id, label);
	size_t bucket = 0;

	while (bucket < BUCKETS && value > bounds[bucket])
		bucket++;
	(void)atomic_fetch_add_explicit(
	    &cell->buckets[bucket], 1, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(
	    &cell->value, (int64_t)value, memory_order_relaxed);
}

void
metric_observe_us(enum metric_id id, unsigned label, uint64_t us)
{
	assert(rows[id].kind == SECONDS);
	histogram_add(id, label, us, second_bounds);
}

void
metric_observe(enum metric_id id, unsigned label, uint64_t value)
{
	assert(rows[id].kind == SIZE);
	histogram_add(id, label, value, size_bounds);
}

int64_t
metric_get(enum metric_id id, unsigned label)
{
	return atomic_load_explicit(
	    &metric_cells_of(id, label)->value, memory_order_relaxed);
}

int
metric_label(enum metric_id id, const char *value)
{
	const char *next = rows[id].values;
	size_t size = strlen(value);

	for (int i = 0; next != NULL && i < METRIC_LABELS_MAX; i++) {
		size_t length = strcspn(next, "|");

		if (length == size && memcmp(next, value, size) == 0)
			return i;
		next = next[length] == '|' ? next + length + 1 : NULL;
	}
	return -1;
}

/* VALUE in the metric's unit: microseconds become seconds. */
static void
print_amount(FILE *out, enum metric_kind kind, uint64_t value)
{
	if (kind == SECONDS)
		(void)fprintf(out, "%" PRIu64 ".%06" PRIu64, value / 1000000,
		    value % 1000000);
	else
		(void)fprintf(out, "%" PRIu64, value);
}

/* LABEL is `name="value"` or "". */
static void
print_histogram(FILE *out, const struct metric_row *row, const char *label,
    const struct metric_cells *cell)
{
	const uint64_t *bounds =
	    row->kind == SECONDS ? second_bounds : size_bounds;
	const char *comma = label[0] != '\0' ? "," : "";
	const char *open = label[0] != '\0' ? "{" : "";
	const char *close = label[0] != '\0' ? "}" : "";
	uint64_t count = 0;

	for (size_t i = 0; i <= BUCKETS; i++) {
		count += atomic_load_explicit(
		    &cell->buckets[i], memory_order_relaxed);
		(void)fprintf(
		    out, "%s_bucket{%s%sle=\"", row->name, label, comma);
		if (i < BUCKETS)
			print_amount(out, row->kind, bounds[i]);
		else
			(void)fputs("+Inf", out);
		(void)fprintf(out, "\"} %" PRIu64 "\n", count);
	}
	(void)fprintf(out, "%s_sum%s%s%s ", row->name, open, label, close);
	print_amount(out, row->kind,
	    (uint64_t)atomic_load_explicit(&cell->value, memory_order_relaxed));
	(void)fprintf(out, "\n%s_count%s%s%s %" PRIu64 "\n", row->name, open,
	    label, close, count);
}

static void
print_cell(FILE *out, const struct metric_row *row, const char *label,
    const struct metric_cells *cell)
{
	const char *open = label[0] != '\0' ? "{" : "";
	const char *close = label[0] != '\0' ? "}" : "";

	if (row->kind == SECONDS || row->kind == SIZE)
		print_histogram(out, row, label, cell);
	else
		(void)fprintf(out, "%s%s%s%s %" PRId64 "\n", row->name, open,
		    label, close,
		    atomic_load_explicit(&cell->value, memory_order_relaxed));
}

static void
print_metric(FILE *out, enum metric_id id)
{
	const struct metric_row *row = &rows[id];
	const char *next = row->label != NULL ? row->values : NULL;
	char label[128];

	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
	    row->name, kind_names[row->kind]);
	if (next == NULL)
		print_cell(out, row, "", metric_cells_of(id, 0));
	for (unsigned i = 0; next != NULL && i < METRIC_LABELS_MAX; i++) {
		const char *bar = strchr(next, '|');
		size_t length = bar ? (size_t)(bar - next) : strlen(next);

		(void)snprintf(label, sizeof(label), "%s=\"%.*s\"", row->label,
		    (int)length, next);
		print_cell(out, row, label, metric_cells_of(id, i));
		next = bar ? bar + 1 : NULL;
	}
}

bool
metrics_text(char **text, size_t *length)
{
	FILE *out = open_memstream(text, length);
	bool written;

	if (out == NULL)
		return false;
	for (int i = 0; i < METRIC_COUNT; i++)
		print_metric(out, (enum metric_id)i);
	written = ferror(out) == 0;
	if (fclose(out) == 0 && written)
		return true;
	free(*text);
	*text = NULL;
	return false;
}
