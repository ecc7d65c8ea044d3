#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moment.h"
#include "request_parts.h"
#include "snapshot.h"

#define RUNS (1U << VERB_RUN | 1U << VERB_SESSION_RUN)
#define CREATES (1U << VERB_SESSION_CREATE)
#define PULLS (1U << VERB_IMAGE_PULL)

static int
read_command(struct reader *r, const struct json_node *v)
{
	struct request *q = &r->b->request;

	if (v->type == JSON_STRING) {
		q->command = calloc(2, sizeof(*q->command));
		q->shell = 1;
		if (q->command == NULL)
			return json_no_memory(r->d);
		return json_read_text(r->d, v, &q->command[0]);
	}
	if (v->type != JSON_ARRAY)
		return json_refuse(
		    r->d, v, "must be an array of strings, or a string");
	if (v->count == 0)
		return json_refuse(r->d, v, "must not be empty");
	return request_read_list(r, v, &q->command);
}

/* "NAME=VALUE" of its own, or "NAME" for one that is to go. */
static char *
join(const char *name, const char *value)
{
	size_t n = strlen(name), m = value != NULL ? strlen(value) + 1 : 0;
	char *text = malloc(n + m + 1);

	if (text == NULL)
		return NULL;
	memcpy(text, name, n + 1);
	if (value != NULL) {
		text[n] = '=';
		memcpy(text + n + 1, value, m);
	}
	return text;
}

static int
read_env(struct reader *r, const struct json_node *v)
{
	struct json_node *e = NULL;
	char **list, *value;
	size_t n = 0;

	if (json_want(r->d, v, JSON_OBJECT) != 0)
		return -1;
	if (v->count > PLAN_ENV_MAX)
		return json_refuse(
		    r->d, v, "has more than %d variables", PLAN_ENV_MAX);
	list = calloc(v->count + 1, sizeof(*list));
	while (list != NULL && (e = json_each(r->d, v, e)) != NULL) {
		const char *name = json_name(r->d, e);

		value = NULL;
		if (*name == '\0' || strchr(name, '=') != NULL)
			return json_refuse(r->d, e,
			    "is not the name of a variable: it is empty or "
			    "has a '='");
		if ((e->type != JSON_NULL || r->verb != VERB_SESSION_ENV) &&
		    json_read_text(r->d, e, &value) != 0)
			return -1;
		list[n] = join(name, value);
		if (list[n++] == NULL)
			return json_no_memory(r->d);
	}
	r->b->request.env = list;
	return list != NULL ? 0 : json_no_memory(r->d);
}

/* null is as if it were not there. */
static int
read_optional(
    struct reader *r, const struct json_node *v, char **ret, size_t max)
{
	if (v->type == JSON_NULL)
		return 0;
	if (json_read_text(r->d, v, ret) != 0)
		return -1;
	if (strlen(*ret) > max)
		return json_refuse(r->d, v, "is longer than %zu bytes", max);
	return 0;
}

static int
read_cwd(struct reader *r, const struct json_node *v)
{
	if (r->verb == VERB_SESSION_CWD && v->type == JSON_NULL)
		return json_want(r->d, v, JSON_STRING);
	return read_optional(r, v, &r->b->request.cwd, SESSION_CWD_MAX);
}

static int
read_user(struct reader *r, const struct json_node *v)
{
	return read_optional(r, v, &r->b->request.user, PLAN_USER_MAX);
}

static int
read_image(struct reader *r, const struct json_node *v)
{
	if (r->verb == VERB_SESSION_RUN)
		return json_refuse(r->d, v, "a session has its image already");
	return read_optional(r, v, &r->b->request.image, IMAGE_NAME_MAX);
}

static int
read_snapshot(struct reader *r, const struct json_node *v)
{
	return read_optional(r, v, &r->b->request.snapshot, SESSION_ID_LEN);
}

static int
read_name(struct reader *r, const struct json_node *v)
{
	if (r->verb == VERB_IMAGE_PULL)
		return read_optional(r, v, &r->b->request.name, IMAGE_NAME_MAX);
	if (read_optional(r, v, &r->b->request.name, SNAPSHOT_NAME_MAX) != 0)
		return -1;
	return r->b->request.name == NULL ||
		       snapshot_is_name(r->b->request.name)
		   ? 0
		   : json_refuse(r->d, v, "has a control character");
}

static int
read_count(struct reader *r, const struct json_node *v)
{
	int64_t count;

	if (v->type == JSON_NULL)
		return 0;
	if (json_read_number(r->d, v, 1, FORK_MAX, &count) != 0)
		return -1;
	r->b->request.count = (uint64_t)count;
	return 0;
}

static int
read_network(struct reader *r, const struct json_node *v)
{
	char *name;

	if (json_read_text(r->d, v, &name) != 0)
		return -1;
	if (strcmp(name, "off") == 0)
		r->b->request.network = NETWORK_OFF;
	else if (strcmp(name, "none") != 0)
		return json_refuse(r->d, v, "must be \"none\" or \"off\"");
	return 0;
}

static int
read_ttl(struct reader *r, const struct json_node *v)
{
	struct request *q = &r->b->request;

	q->has_ttl = 1;
	q->ttl = SESSION_NEVER;
	if (v->type == JSON_NULL)
		return 0;
	return json_read_number(r->d, v, 1, SESSION_TTL_MAX, &q->ttl);
}

static int
read_expires(struct reader *r, const struct json_node *v)
{
	struct request *q = &r->b->request;
	char *text;

	q->has_expires = 1;
	q->expires = SESSION_NEVER;
	if (v->type == JSON_NULL)
		return 0;
	if (json_read_text(r->d, v, &text) != 0)
		return -1;
	if (moment_parse(text, &q->expires) != 0)
		return json_refuse(
		    r->d, v, "must be a moment like 2030-01-31T12:00:00Z");
	return 0;
}

static int
read_limit(struct reader *r, const struct json_node *v, enum limit which)
{
	char buf[32];

	if (json_read_decimal(r->d, v, buf, sizeof(buf)) != 0)
		return -1;
	r->b->request.limits[which] = strdup(buf);
	return r->b->request.limits[which] != NULL ? 0 : json_no_memory(r->d);
}

static int
read_limits(struct reader *r, const struct json_node *v)
{
	struct json_node *e = NULL;

	if (json_want(r->d, v, JSON_OBJECT) != 0)
		return -1;
	while ((e = json_each(r->d, v, e)) != NULL) {
		const char *name = json_name(r->d, e);
		enum limit which = limits_find(name, strlen(name));

		if (which == LIMIT_MAX)
			return json_refuse(r->d, e, "is not a known limit");
		if (read_limit(r, e, which) != 0)
			return -1;
	}
	return 0;
}

/* The fields of all bodies; verbs says in which ones. */
static const struct key {
	const char *name;
	unsigned verbs;
	int (*read)(struct reader *r, const struct json_node *v);
} keys[] = {
	{ "command", RUNS, read_command },
	{ "stdin", RUNS, request_read_stdin },
	{ "env", RUNS | CREATES | 1U << VERB_SESSION_ENV, read_env },
	{ "cwd", RUNS | CREATES | 1U << VERB_SESSION_CWD, read_cwd },
	{ "user", RUNS, read_user },
	{ "image", RUNS | CREATES, read_image },
	{ "snapshot", CREATES, read_snapshot },
	{ "network", RUNS, read_network },
	{ "files", RUNS, request_read_files },
	{ "collect", RUNS, request_read_collect },
	{ "name", 1U << VERB_SNAPSHOT_CREATE | PULLS, read_name },
	{ "source", PULLS, request_read_source },
	{ "auth", PULLS, request_read_auth },
	{ "count", 1U << VERB_SESSION_FORK, read_count },
	{ "ttl", CREATES | 1U << VERB_SESSION_TTL, read_ttl },
	{ "expires", CREATES | 1U << VERB_SESSION_TTL, read_expires },
	{ "limits", CREATES, read_limits },
};

static int
read_member(struct reader *r, const struct json_node *v)
{
	const char *name = json_name(r->d, v);
	enum limit which;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if ((keys[i].verbs >> r->verb & 1) != 0 &&
		    strcmp(keys[i].name, name) == 0)
			return keys[i].read(r, v);
	}
	which = limits_find(name, strlen(name));
	if (which != LIMIT_MAX && (RUNS >> r->verb & 1) != 0)
		return read_limit(r, v, which);
	return json_refuse(r->d, v, "is not a known field");
}

/* The fields that there must be. */
static int
check_whole(struct reader *r, const struct json_node *whole)
{
	const struct request *q = &r->b->request;
	const char *missing = NULL;

	if ((RUNS >> r->verb & 1) != 0 && q->command == NULL)
		missing = "command";
	if (r->verb == VERB_SESSION_ENV && q->env == NULL)
		missing = "env";
	if (r->verb == VERB_SESSION_CWD && q->cwd == NULL)
		missing = "cwd";
	if (r->verb == VERB_IMAGE_PULL && q->source == NULL)
		missing = "source";
	if (r->verb == VERB_SESSION_TTL && !q->has_ttl && !q->has_expires)
		missing = "ttl or expires";
	if (missing == NULL)
		return 0;
	(void)json_refuse(r->d, whole, "is missing");
	(void)snprintf(r->d->why, sizeof(r->d->why), "%s: is missing", missing);
	return -1;
}

int
request_read(struct body *b, const struct route *route, char *text, size_t len,
    struct json_doc *d)
{
	struct reader r = { b, d, route->verb };
	struct json_node *v = NULL, *whole;

	if (json_open(d, text, len) != 0)
		return -1;
	whole = &d->nodes[0];
	if (whole->type != JSON_OBJECT) {
		(void)json_refuse(d, whole, "the body must be an object");
		return -1;
	}
	while ((v = json_each(d, whole, v)) != NULL) {
		if (read_member(&r, v) != 0)
			return -1;
	}
	return check_whole(&r, whole);
}

int
request_read_query(struct body *b, const struct route *r,
    const struct http_head *h, char *why, size_t size)
{
	static char after[SESSION_ID_LEN + 1], of[SESSION_ID_LEN + 1];
	struct request *q = &b->request;
	char number[16];
	size_t n = 0;
	int found;

	while (n < ROUTE_QUERY_MAX && r->query[n] != NULL)
		n++;
	if (http_query_check(h, r->query, n, why, size) != 0)
		return -1;
	q->limit = 100;
	found = n > 0 ? http_query(h, "limit", number, sizeof(number)) : 0;
	if (found != 0) {
		char *end = number;
		unsigned long value = 0;

		if (found > 0 && *number >= '0' && *number <= '9')
			value = strtoul(number, &end, 10);
		if (end == number || *end != '\0' || value < 1 ||
		    value > 1000) {
			(void)snprintf(why, size,
			    "limit: must be a whole number from 1 to 1000");
			return -1;
		}
		q->limit = value;
	}
	found = n > 0 ? http_query(h, "after", after, sizeof(after)) : 0;
	if (found != 0) {
		if (found < 0 || !session_is_id(after)) {
			(void)snprintf(why, size, "after: must be an id");
			return -1;
		}
		q->after = after;
	}
	found = n > 2 ? http_query(h, "session", of, sizeof(of)) : 0;
	if (found < 0 || (found > 0 && !session_is_id(of))) {
		(void)snprintf(why, size, "session: must be an id");
		return -1;
	}
	if (found > 0)
		q->id = of;
	return 0;
}
