/*
 * /health/live, /health/ready, /health and /metrics. A module registers what
 * it needs; ready names the first need that fails. The Kore endpoints are
 * health_live, health_ready, health_all, metrics_page.
 */
#ifndef ONEGATE_WEB_HEALTH_H
#define ONEGATE_WEB_HEALTH_H

#include <stdbool.h>

typedef bool (*health_check_fn)(void);

/* NAME is "postgresql", "sessions", ...; checks are cheap and never wait. */
void health_need(const char *name, health_check_fn check);
/* Something that is used but not needed: shown in /health, never fails ready
 * ("redis", "kafka"). */
void health_use(const char *name, health_check_fn check);

#endif
