/*
 * Counters, gauges and histograms in memory that all workers of a process
 * share; written in Prometheus text. metrics.def is the table. Safe from any
 * thread, never blocks.
 */
#ifndef ONEGATE_IO_METRICS_H
#define ONEGATE_IO_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_id {
#define METRIC(id, ...) METRIC_##id,
#include "metrics.def"
#undef METRIC
	METRIC_COUNT
};

#define METRIC_LABELS_MAX 16 /* values of a metric's one label */

/* Once, in the parent, before any worker. False when memory ran out. Until
 * then the process counts for itself. */
bool metrics_init(void);

/* A gauge is lowered by (uint64_t)-1. */
void metric_add(enum metric_id id, unsigned label, uint64_t by);
void metric_set(enum metric_id id, unsigned label, int64_t value);
/* Histograms: seconds in microseconds. */
void metric_observe_us(enum metric_id id, unsigned label, uint64_t us);
/* Histograms of sizes: the bare number. */
void metric_observe(enum metric_id id, unsigned label, uint64_t value);
/* The label that stands for VALUE ("gopay"), or -1. */
int metric_label(enum metric_id id, const char *value);
int64_t metric_get(enum metric_id id, unsigned label);

/* Prometheus text format 0.0.4 of all metrics. The caller frees *TEXT. */
bool metrics_text(char **text, size_t *length);

#endif
