#include "routes.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct route routes[] = {
	{ "GET", "/health", VERB_HEALTH, .is_open = true },
	{ "POST", "/run", VERB_RUN, .has_body = true },
	{ "POST", "/sessions", VERB_SESSION_CREATE, .has_body = true },
	{ "GET", "/sessions", VERB_SESSION_LIST,
	    .query = { "limit", "after" } },
	{ "GET", "/sessions/ID", VERB_SESSION_SHOW },
	{ "DELETE", "/sessions/ID", VERB_SESSION_DELETE },
	{ "POST", "/sessions/ID/run", VERB_SESSION_RUN, .has_body = true },
	{ "POST", "/sessions/ID/env", VERB_SESSION_ENV, .has_body = true },
	{ "POST", "/sessions/ID/cwd", VERB_SESSION_CWD, .has_body = true },
	{ "POST", "/sessions/ID/ttl", VERB_SESSION_TTL, .has_body = true },
	{ "POST", "/sessions/ID/snapshots", VERB_SNAPSHOT_CREATE,
	    .has_body = true },
	{ "POST", "/sessions/ID/fork", VERB_SESSION_FORK, .has_body = true },
	{ "GET", "/sessions/ID/tree", VERB_SESSION_TREE },
	{ "GET", "/snapshots", VERB_SNAPSHOT_LIST,
	    .query = { "limit", "after", "session" } },
	{ "GET", "/snapshots/ID", VERB_SNAPSHOT_SHOW },
	{ "DELETE", "/snapshots/ID", VERB_SNAPSHOT_DELETE },
	{ "GET", "/images", VERB_IMAGE_LIST },
	{ "POST", "/images", VERB_IMAGE_PULL, .has_body = true },
	{ "GET", "/images/NAME", VERB_IMAGE_SHOW },
	{ "DELETE", "/images/NAME", VERB_IMAGE_DELETE },
};

const size_t route_count = sizeof(routes) / sizeof(*routes);

/* What can stand for a part of a pattern. */
static const struct hole {
	const char *word;
	bool (*is)(const char *text);
	size_t field; /* of the request, where it goes */
} holes[] = {
	{ "/ID", session_is_id, offsetof(struct request, id) },
	{ "/NAME", image_is_name, offsetof(struct request, image) },
};

/* Does path have the pattern's form? What fills its hole is copied to id. */
static bool
matches(const char *pattern, const char *path, char id[ROUTE_HOLE_MAX + 1])
{
	for (size_t i = 0; i < sizeof(holes) / sizeof(*holes); i++) {
		const char *hole = strstr(pattern, holes[i].word);
		size_t before, len;

		if (hole == NULL)
			continue;
		before = (size_t)(hole - pattern) + 1;
		if (strncmp(pattern, path, before) != 0)
			return false;
		len = strcspn(path + before, "/");
		if (len > ROUTE_HOLE_MAX ||
		    strcmp(path + before + len, hole + strlen(holes[i].word)) !=
			0)
			return false;
		memcpy(id, path + before, len);
		id[len] = '\0';
		return holes[i].is(id);
	}
	return strcmp(pattern, path) == 0;
}

static void
add_method(char *allow, size_t size, const char *method)
{
	size_t len = strlen(allow);

	(void)snprintf(
	    allow + len, size - len, "%s%s", len > 0 ? ", " : "", method);
	if (strcmp(method, "GET") == 0)
		add_method(allow, size, "HEAD");
}

const struct route *
route_find(const struct http_head *h, char id[ROUTE_HOLE_MAX + 1],
    int *ret_status, char *allow, size_t size)
{
	const char *method = strcmp(h->method, "HEAD") == 0 ? "GET" : h->method;
	bool any = strcmp(h->path, "*") == 0;

	*allow = *id = '\0';
	for (size_t i = 0; i < route_count; i++) {
		if (any || !matches(routes[i].path, h->path, id))
			continue;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
		add_method(allow, size, routes[i].method);
	}
	if (any)
		add_method(allow, size, "GET, POST, DELETE");
	*ret_status = *allow == '\0' ? 404 : 405;
	if (*ret_status == 405) {
		if (strcmp(method, "OPTIONS") == 0)
			*ret_status = 204;
		add_method(allow, size, "OPTIONS");
	}
	return NULL;
}

void
route_fill(const struct route *r, char *id, struct request *q)
{
	q->verb = r->verb;
	for (size_t i = 0; i < sizeof(holes) / sizeof(*holes); i++) {
		if (strstr(r->path, holes[i].word) != NULL)
			*(char **)((char *)q + holes[i].field) = id;
	}
}
