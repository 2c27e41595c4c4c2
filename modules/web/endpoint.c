/*
 * From Kore's handler to a step, and from the end of the chain back to Kore.
 * Kore calls endpoint_serve once for a request and again when its answer is
 * ready to leave.
 */
#include "web/endpoint.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <kore.h>
#include <http.h>

#include "web/edge.h"
#include "web/reply.h"
#include "web/session.h"

#define ALLOW_SIZE 64

static const struct operation *
operation_find(const struct endpoint *endpoint, const char *method)
{
	const struct operation *operation;

	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (operation = endpoint->operations; operation->method != NULL;
	     operation++)
		if (strcmp(operation->method, method) == 0)
			return operation;
	return NULL;
}

/* RFC 9110 15.5.6: 405 says what is allowed. */
static void
refuse_method(struct request *request)
{
	const struct operation *operation = request->endpoint->operations;
	char allow[ALLOW_SIZE] = "";
	size_t length = 0;

	for (; operation->method != NULL; operation++) {
		int more = snprintf(allow + length, sizeof(allow) - length,
		    "%s%s%s", length > 0 ? ", " : "", operation->method,
		    strcmp(operation->method, "GET") == 0 ? ", HEAD" : "");

		assert(more > 0 && length + (size_t)more < sizeof(allow));
		length += (size_t)more;
	}
	reply_header(request, "allow", allow);
	reply_error(request, ERROR_METHOD_NOT_ALLOWED);
}

bool
endpoint_allows(const struct request *request)
{
	return operation_find(request->endpoint, request->method) != NULL;
}

void
endpoint_continue(struct request *request)
{
	const struct operation *operation;

	operation = operation_find(request->endpoint, request->method);
	if (operation == NULL) {
		refuse_method(request);
		return;
	}
	switch (operation->access) {
	case ACCESS_PUBLIC:
		break;
	case ACCESS_USER:
		if (!session_authenticate(request))
			return;
		break;
	}
	operation->begin(request);
}

int
endpoint_serve(struct http_request *kore, const struct endpoint *endpoint)
{
	struct request *request = kore->hdlr_extra;

	if (request == NULL) {
		request = guard_take(kore->owner);
		if (request == NULL) /* the client left before it began */
			return KORE_RESULT_ERROR;
		request_attach(request, kore);
		request->endpoint = endpoint;
		request_run(request,
		    endpoint->admit != NULL ? endpoint->admit
					    : endpoint_continue);
	}
	if (!reply_ready(request)) {
		http_request_sleep(kore);
		return KORE_RESULT_RETRY;
	}
	reply_send(request);
	return KORE_RESULT_OK;
}
