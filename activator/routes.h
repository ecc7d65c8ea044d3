#ifndef ACTIVATOR_ROUTES_H
#define ACTIVATOR_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"
#include "image.h"
#include "message.h"
#include "session.h"

/* What can be asked. */
enum verb {
	VERB_HEALTH,
	VERB_RUN,
	VERB_SESSION_CREATE,
	VERB_SESSION_LIST,
	VERB_SESSION_SHOW,
	VERB_SESSION_RUN,
	VERB_SESSION_ENV,
	VERB_SESSION_CWD,
	VERB_SESSION_TTL,
	VERB_SESSION_DELETE,
	VERB_SNAPSHOT_CREATE,
	VERB_SNAPSHOT_LIST,
	VERB_SNAPSHOT_SHOW,
	VERB_SNAPSHOT_DELETE,
	VERB_SESSION_FORK,
	VERB_SESSION_TREE,
	VERB_IMAGE_LIST,
	VERB_IMAGE_SHOW,
	VERB_IMAGE_PULL,
	VERB_IMAGE_DELETE,
	VERB_MAX
};

#define ROUTE_QUERY_MAX 3
#define ROUTE_HOLE_MAX IMAGE_NAME_MAX

/* One of the routes of mayfly-api(7). */
struct route {
	const char *method;
	const char
	    *path; /* "ID" stands for an identifier, "NAME" for an image */
	enum verb verb;
	bool has_body; /* a JSON object is needed */
	bool is_open; /* needs no credential */
	const char *query[ROUTE_QUERY_MAX + 1]; /* the parameters it knows */
};

extern const struct route routes[];
extern const size_t route_count;

/*
 * The route of a request, with the identifier or the name in id; HEAD is looked
 * up as GET. NULL with *ret_status 404, or 405 and in allow the methods there
 * are; 204 for OPTIONS, likewise with allow.
 */
const struct route *route_find(const struct http_head *h,
    char id[ROUTE_HOLE_MAX + 1], int *ret_status, char *allow, size_t size);

/* Puts the route's verb, and the identifier or name, into the request. */
void route_fill(const struct route *r, char *id, struct request *q);

#endif
