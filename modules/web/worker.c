/*
 * The worker's life, between Kore's hooks and the modules: process-wide
 * things once in the parent, the loop and its timer once in a worker, and for
 * each module its share of the configuration.
 * Must never start a thread or open a connection in the parent.
 */
#include "web/worker.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kore.h>
#include <hooks.h>

#include "io/config.h"
#include "io/http_client.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics.h"
#include "io/redis.h"
#include "web/edge.h"
#include "web/health.h"
#include "web/lifecycle.h"
#include "web/listener.h"
#include "web/seccomp.h"
#include "web/tls.h"

#define TICK_MS 250
#define HOOKS_MAX 32u
#define LINE_SIZE 512u

struct module {
	const char *name;
	const char *init; /* the function of its `load` line */
	unsigned config;
	bool begun;
};

static struct module modules[] = {
	{ "auth", "auth_init", CONFIG_FOR_AUTH, false },
	{ "payment", "payment_init", CONFIG_FOR_PAYMENT, false },
	{ "transaction", "transaction_init", CONFIG_FOR_TRANSACTION, false },
};

#define MODULE_COUNT (sizeof(modules) / sizeof(modules[0]))

struct hooks {
	void (*run[HOOKS_MAX])(void);
	unsigned count;
};

static struct hooks exit_hooks, reload_hooks;
static struct kore_event loop_event;
static bool shared_begun;
static const char *first_module;

/* Kore's own lines are written whole too. */
__attribute__((constructor)) static void
stdout_by_line(void)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
}

static void
hook_add(struct hooks *hooks, void (*run)(void))
{
	unsigned i;

	for (i = 0; i < hooks->count; i++)
		if (hooks->run[i] == run)
			return;
	assert(hooks->count < HOOKS_MAX);
	hooks->run[hooks->count++] = run;
}

void
worker_at_exit(void (*stop)(void))
{
	hook_add(&exit_hooks, stop);
}

void
worker_at_reload(void (*reload)(void))
{
	hook_add(&reload_hooks, reload);
}

bool
worker_draining(void)
{
	return lifecycle_draining();
}

void
worker_busy(int change)
{
	lifecycle_alive(change);
}

static enum log_level
log_level_wanted(void)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = { { "debug", LOG_LEVEL_DEBUG },
		{ "warning", LOG_LEVEL_WARNING },
		{ "error", LOG_LEVEL_ERROR } };
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(config_text(CONFIG_LOG_LEVEL), levels[i].name) == 0)
			return levels[i].level;
	return LOG_LEVEL_INFO;
}

static void
config_want(unsigned wanted)
{
	char error[LINE_SIZE];

	if (!config_load(wanted, error, sizeof(error)))
		fatalx("configuration: %s", error);
}

/* The modules that the conf file loaded, by their init functions. */
static unsigned
modules_loaded(void)
{
	struct kore_runtime_call *call;
	unsigned wanted = 0;
	size_t i;

	for (i = 0; i < MODULE_COUNT; i++) {
		call = kore_runtime_getcall(modules[i].init);
		if (call == NULL)
			continue;
		kore_free(call);
		wanted |= modules[i].config;
	}
	return wanted;
}

void
kore_parent_configure(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	config_want(modules_loaded());
	if (!metrics_init())
		fatalx("metrics: no shared memory: %s", errno_s);
	lifecycle_parent();
	listener_parent();
}

static void
loop_ready(void *argument, int error)
{
	(void)argument;
	(void)error;
	loop_event.flags = 0;
	loop_run(0);
}

/* Also what lets Kore's own timeouts run: without a timer it waits forever. */
static void
tick(void *argument, uint64_t now_ms)
{
	(void)argument;
	(void)now_ms;
	guard_sweep();
	if (lifecycle_closing())
		listener_close();
	if (lifecycle_ending())
		sig_recv = SIGTERM;
}

void
kore_worker_configure(void)
{
	if (worker->restarted)
		metric_add(METRIC_WORKER_RESTARTS, 0, 1);
	if (!loop_init())
		fatalx("loop: %s", errno_s);
	loop_event.handle = loop_ready;
	kore_platform_event_schedule(loop_fd(), EPOLLIN, 0, &loop_event);
	(void)kore_timer_add(tick, TICK_MS, NULL, 0);
	lifecycle_worker();
}

void
kore_worker_teardown(void)
{
	while (exit_hooks.count > 0)
		exit_hooks.run[--exit_hooks.count]();
	if (shared_begun) {
		http_client_done();
		redis_done();
	}
	log_flush();
	if (sandbox_off())
		_exit(0); /* a sanitizer's own exit may wait forever */
}

static void
tls_begin(void)
{
	char error[LINE_SIZE] = "";

	if (*config_text(CONFIG_TLS_CERTIFICATE) == '\0')
		return;
	if (tls_load(config_text(CONFIG_TLS_CERTIFICATE),
		config_text(CONFIG_TLS_KEY), error, sizeof(error)))
		return;
	if (!shared_begun)
		fatalx("tls: %s", error);
	log_event(LOG_LEVEL_ERROR, "tls: the new certificate was not taken",
	    LOG_TEXT("reason", error));
}

/* What every module of this worker shares. */
static void
shared_begin(const char *module)
{
	char wrong[LINE_SIZE] = "";

	log_init(module, log_level_wanted());
	if (!address_trust(
		config_text(CONFIG_TRUSTED_PROXIES), wrong, sizeof(wrong)))
		fatalx("configuration: ONEGATE_TRUSTED_PROXIES: %s is no "
		       "network",
		    wrong);
	tls_begin();
	if (shared_begun)
		return;
	if (!redis_init(config_text(CONFIG_REDIS)))
		fatalx("configuration: ONEGATE_REDIS: %s is no ip:port",
		    config_text(CONFIG_REDIS));
	if (!http_client_init())
		fatalx("http client: cannot start");
	health_use("redis", redis_ready);
	shared_begun = true;
}

static void
reload(void)
{
	unsigned i;

	log_event(LOG_LEVEL_INFO, "worker: reload");
	tls_begin();
	for (i = 0; i < reload_hooks.count; i++)
		reload_hooks.run[i]();
}

void
worker_begin(const char *module)
{
	size_t i;

	for (i = 0; i < MODULE_COUNT; i++)
		if (strcmp(modules[i].name, module) == 0)
			break;
	assert(i < MODULE_COUNT);
	if (modules[i].begun) {
		/* SIGHUP calls every module's init: once is enough. */
		if (strcmp(module, first_module) == 0)
			reload();
		return;
	}
	config_want(modules[i].config);
	if (!shared_begun) {
		first_module = module;
		shared_begin(module);
	} else {
		log_init("onegate", log_level_wanted());
	}
	modules[i].begun = true;
	log_event(LOG_LEVEL_INFO, "worker: module begins",
	    LOG_TEXT("name", module), LOG_NUMBER("worker", worker->id));
}
