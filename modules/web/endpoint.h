/*
 * Endpoints: what a path answers to each method, as a table. The route table
 * in conf/ maps paths to endpoints by name; ENDPOINT defines the function
 * that Kore calls.
 */
#ifndef ONEGATE_WEB_ENDPOINT_H
#define ONEGATE_WEB_ENDPOINT_H

#include "web/request.h"

enum access {
	ACCESS_PUBLIC,
	ACCESS_USER /* a bearer token or the auth-token cookie; else 401 */
};

struct operation {
	const char *method; /* "GET" serves HEAD too */
	step_fn begin;
	enum access access;
};

struct endpoint {
	/* Called first for every method, allowed or not (API consumers:
	 * key, limits, access log); goes on with endpoint_continue. NULL:
	 * nothing before. */
	step_fn admit;
	const struct operation *operations; /* ends with a NULL method */
};

/* What Kore calls: finds the operation, checks access, begins. 405 with
 * Allow for every other method, OPTIONS too. */
int endpoint_serve(struct http_request *kore, const struct endpoint *endpoint);

/* True when REQUEST's endpoint has its method. */
bool endpoint_allows(const struct request *request);

/* Goes on after ADMIT; 405 when the method is not allowed. */
void endpoint_continue(struct request *request);

#define ENDPOINT_ADMITTED(name, admit_, ...)                                   \
	__attribute__((visibility("default"))) int name(                       \
	    struct http_request *kore);                                        \
	int name(struct http_request *kore)                                    \
	{                                                                      \
		static const struct operation operations[] = { __VA_ARGS__,    \
			{ NULL, NULL, ACCESS_PUBLIC } };                       \
		static const struct endpoint endpoint = { (admit_),            \
			operations };                                          \
		return endpoint_serve(kore, &endpoint);                        \
	}

#define ENDPOINT(name, ...) ENDPOINT_ADMITTED(name, NULL, __VA_ARGS__)

#endif
