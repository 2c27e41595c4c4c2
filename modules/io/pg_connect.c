/*
 * Beginning a connection: the defaults that make a dead peer known within
 * seconds. Must never write a conninfo into a log: it has a password.
 */
#include "io/pg_connect.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "io/log.h"

#define OPTIONS_MAX 1024

/* The value of KEYWORD in CONNINFO, copied into VALUE ("" when not given). */
static bool
conninfo_value(
    const char *conninfo, const char *keyword, char *value, size_t size)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	int length = 0;

	value[0] = '\0';
	if (options == NULL)
		return false;
	for (const PQconninfoOption *o = options; o->keyword != NULL; o++)
		if (strcmp(o->keyword, keyword) == 0 && o->val != NULL)
			length = snprintf(value, size, "%s", o->val);
	PQconninfoFree(options);
	return length >= 0 && (size_t)length < size;
}

/* True when TEXT is a path of a socket or numbers: nothing to resolve. */
static bool
host_is_numeric(const char *text)
{
	struct in6_addr address;

	return text[0] == '\0' || text[0] == '/' || text[0] == '@' ||
	    inet_pton(AF_INET, text, &address) == 1 ||
	    inet_pton(AF_INET6, text, &address) == 1;
}

bool
pg_conninfo_check(const char *conninfo, const char *name)
{
	char host[OPTIONS_MAX], address[OPTIONS_MAX], options[OPTIONS_MAX];

	if (!conninfo_value(conninfo, "host", host, sizeof(host)) ||
	    !conninfo_value(conninfo, "hostaddr", address, sizeof(address)) ||
	    !conninfo_value(conninfo, "options", options, sizeof(options))) {
		log_event(LOG_LEVEL_ERROR, "pg: malformed connection string",
		    LOG_TEXT("pool", name));
		return false;
	}
	if (address[0] == '\0' && !host_is_numeric(host))
		log_event(LOG_LEVEL_WARNING,
		    "pg: host is a name, resolving it waits: give hostaddr",
		    LOG_TEXT("pool", name));
	return true;
}

/* NOTICEs of our own statements say nothing that an answer does not. */
static void
notice_drop(void *owner, const PGresult *notice)
{
	(void)owner, (void)notice;
}

PGconn *
pg_connect_begin(
    const char *conninfo, const char *name, uint32_t statement_timeout_ms)
{
	char given[OPTIONS_MAX], options[OPTIONS_MAX + 128], timeout[64] = "";
	/* A later one wins: defaults, the conninfo, what must hold. */
	const char *const keywords[] = { "connect_timeout", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"gssencmode", "application_name", "dbname", "options", NULL };
	const char *const values[] = { "3", "10", "5", "3", "5000", "disable",
		name, conninfo, options, NULL };
	PGconn *link;

	(void)conninfo_value(conninfo, "options", given, sizeof(given));
	/* None of ours leaves what the role has. */
	if (statement_timeout_ms > 0)
		(void)snprintf(timeout, sizeof(timeout),
		    "-c statement_timeout=%u", (unsigned)statement_timeout_ms);
	/* A backend whose client left stops. */
	(void)snprintf(options, sizeof(options),
	    "-c client_connection_check_interval=2000 %s %s", timeout, given);
	link = PQconnectStartParams(keywords, values, 1);
	if (link != NULL)
		(void)PQsetNoticeReceiver(link, notice_drop, NULL);
	return link;
}
