/*
 * The regulators' programs: who they are (API key), what they may do
 * (permissions) and how often (limits). Everything they ask leaves a row in
 * the access log before its answer leaves.
 */
#ifndef ONEGATE_TRANSACTION_API_CLIENT_H
#define ONEGATE_TRANSACTION_API_CLIENT_H

#include "web/rate_limit.h"
#include "web/request.h"

#define PERMISSION_READ_TRANSACTIONS 1u
#define PERMISSION_READ_REPORTS 2u

/* One call of an API client: the state of every request of this module. */
struct visit {
	bool known; /* the key named a service */
	bool nowhere; /* the path leads to nothing: 404 whoever asks */
	struct uuid service_id, key_id; /* zero while unknown */
	unsigned permissions;
	struct rate_window windows[RATE_WINDOWS_MAX]; /* of the service */
	unsigned window_count;
	struct rate_window own; /* of this key beside them; 0 s: none */
	const struct rate_verdict *verdict; /* on the service's windows */
	char service_text[UUID_TEXT_SIZE], key_text[UUID_TEXT_SIZE];
	void *state; /* the handler's own */
};

/* The admission of every endpoint here: key, limits, access row. Replies 401,
 * 429 or 503 by itself, else goes on to the operation. */
void api_client_admit(struct request *request);

/* The same for a path that leads to nothing: 404 whatever the key, and its
 * access row names who asked. */
void api_client_nowhere(struct request *request);

/* True when the client has PERMISSION; else it has replied 403. */
bool api_client_permitted(struct request *request, unsigned permission);

#endif
