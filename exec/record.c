#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defence.h"
#include "fields.h"
#include "moment.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_NUMBER_OR_NONE };

/* The fields that every record has, in the order in which they stand. */
static const struct field {
	const char *name;
	enum kind kind;
	size_t offset, size;
	int64_t min, max;
} fields[] = {
	{ "id", KIND_TEXT, offsetof(struct session, id), SESSION_ID_LEN + 1, 0,
	    0 },
	{ "owner", KIND_TEXT, offsetof(struct session, owner),
	    SESSION_OWNER_MAX + 1, 0, 0 },
	{ "image", KIND_TEXT, offsetof(struct session, image),
	    IMAGE_NAME_MAX + 1, 0, 0 },
	{ "parent", KIND_TEXT, offsetof(struct session, parent),
	    SESSION_ID_LEN + 1, 0, 0 },
	{ "cwd", KIND_TEXT, offsetof(struct session, cwd), SESSION_CWD_MAX + 1,
	    0, 0 },
	{ "created_at", KIND_NUMBER, offsetof(struct session, created_at), 0, 0,
	    MOMENT_MAX },
	{ "last_used_at", KIND_NUMBER, offsetof(struct session, last_used_at),
	    0, 0, MOMENT_MAX },
	{ "ttl", KIND_NUMBER_OR_NONE, offsetof(struct session, ttl), 0, 1,
	    SESSION_TTL_MAX },
	{ "expires_at", KIND_NUMBER_OR_NONE,
	    offsetof(struct session, expires_at), 0, 0, MOMENT_MAX },
};

#define FIELD_COUNT (sizeof(fields) / sizeof(*fields))

static void
put_number(struct fields *w, const char *name, int64_t value, bool or_none)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	fields_put(w, name, or_none && value == SESSION_NEVER ? "none" : text);
}

ssize_t
record_encode(const struct session *s, char *buf, size_t size)
{
	const char *base = (const char *)s;
	struct fields w;

	fields_begin(&w, buf, size, RECORD_HEAD);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		const struct field *f = &fields[i];

		if (f->kind == KIND_TEXT)
			fields_put(&w, f->name, base + f->offset);
		else
			put_number(&w, f->name,
			    *(const int64_t *)(base + f->offset),
			    f->kind == KIND_NUMBER_OR_NONE);
	}
	for (size_t i = 0; i < s->env_count; i++)
		fields_put(&w, "env", s->env[i]);
	for (int i = 0; i < LIMIT_MAX; i++) {
		if (s->limits.asked[i])
			put_number(&w, limit_rules[i].name,
			    (int64_t)s->limits.value[i], false);
	}
	return w.len;
}

/* Digits without a sign or leading zeros, at most max. */
static int
parse_number(const char *text, int64_t max, int64_t *ret)
{
	int64_t n = 0;

	if (*text == '\0' || (*text == '0' && text[1] != '\0'))
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || n > max / 10)
			return -1;
		n = n * 10 + (*text - '0');
		if (n > max)
			return -1;
	}
	*ret = n;
	return 0;
}

static int
take_field(struct session *s, const struct field *f, const char *value,
    char *why, size_t size)
{
	char *place = (char *)s + f->offset;
	size_t len = strlen(value);

	if (f->kind == KIND_TEXT) {
		if (len >= f->size)
			return fields_refuse(why, size, f->name, "too long");
		memcpy(place, value, len + 1);
		return 0;
	}
	if (f->kind == KIND_NUMBER_OR_NONE && strcmp(value, "none") == 0) {
		*(int64_t *)place = SESSION_NEVER;
		return 0;
	}
	if (parse_number(value, f->max, (int64_t *)place) != 0)
		return fields_refuse(
		    why, size, f->name, "not a number in range");
	return 0;
}

static int
take_limit(struct session *s, const char *name, size_t len, const char *value,
    char *why, size_t size)
{
	enum limit which = limits_find(name, len);
	int64_t n;

	if (which == LIMIT_MAX)
		return fields_refuse(why, size, "record", "an unknown field");
	if (s->limits.asked[which])
		return fields_refuse(
		    why, size, limit_rules[which].name, "twice");
	if (parse_number(value, (int64_t)limit_rules[which].max, &n) != 0)
		return fields_refuse(why, size, limit_rules[which].name,
		    "not a number in range");
	s->limits.value[which] = (uint64_t)n;
	s->limits.asked[which] = true;
	return 0;
}

static int
take_env(struct session *s, const char *text, char *why, size_t size)
{
	if (s->env == NULL)
		s->env = calloc(PLAN_ENV_MAX + 1, sizeof(*s->env));
	if (s->env == NULL)
		fail_memory();
	if (s->env_count == PLAN_ENV_MAX)
		return fields_refuse(why, size, "env", "too many variables");
	s->env[s->env_count] = strdup(text);
	if (s->env[s->env_count] == NULL)
		fail_memory();
	s->env_count++;
	return 0;
}

/* The field at text, the nth of the record. */
static int
take(struct session *s, size_t n, const char *text, char *why, size_t size)
{
	size_t len = strcspn(text, "=");

	if (text[len] != '=')
		return fields_refuse(
		    why, size, "record", "a field without '='");
	if (n < FIELD_COUNT) {
		if (strlen(fields[n].name) != len ||
		    memcmp(fields[n].name, text, len) != 0)
			return fields_refuse(
			    why, size, fields[n].name, "not where it belongs");
		return take_field(s, &fields[n], text + len + 1, why, size);
	}
	if (len == 3 && memcmp(text, "env", 3) == 0)
		return take_env(s, text + len + 1, why, size);
	return take_limit(s, text, len, text + len + 1, why, size);
}

int
record_decode(
    struct session *s, const char *data, size_t len, char *why, size_t size)
{
	const size_t head = sizeof(RECORD_HEAD) - 1;
	size_t n = 0;

	if (DEFENCE(RECORD_VERSION) &&
	    (len < head || memcmp(data, RECORD_HEAD, head) != 0))
		return fields_refuse(
		    why, size, "record", "of a version that is not known here");
	if (len > RECORD_MAX || data[len - 1] != '\0')
		return fields_refuse(why, size, "record", "not whole");
	for (const char *p = data + head; p < data + len; p += strlen(p) + 1) {
		if (take(s, n++, p, why, size) != 0)
			return -1;
	}
	if (n < FIELD_COUNT)
		return fields_refuse(why, size, fields[n].name, "missing");
	return record_check(s, why, size);
}

static bool
is_owner(const char *owner)
{
	if (*owner == '\0')
		return false;
	for (; *owner != '\0'; owner++) {
		if (*owner <= ' ' || *owner > '~')
			return false;
	}
	return true;
}

static int
check_env(const struct session *s, char *why, size_t size)
{
	size_t total = 0;

	if (s->env_count > PLAN_ENV_MAX)
		return fields_refuse(why, size, "env", "too many variables");
	for (size_t i = 0; i < s->env_count; i++) {
		size_t len = strcspn(s->env[i], "=");

		if (len == 0 || s->env[i][len] != '=')
			return fields_refuse(
			    why, size, "env", "a variable without a name");
		if (i > 0 && session_compare_env(s->env[i - 1], s->env[i]) >= 0)
			return fields_refuse(why, size, "env", "not in order");
		total += strlen(s->env[i]) + 1;
	}
	if (total > SESSION_ENV_MAX)
		return fields_refuse(
		    why, size, "env", "more than 1048576 bytes of variables");
	return 0;
}

static int
check_limits(const struct session *s, char *why, size_t size)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		const struct limit_rule *r = &limit_rules[i];

		if (s->limits.asked[i] && (s->limits.value[i] < r->min ||
					      s->limits.value[i] > r->max))
			return fields_refuse(
			    why, size, r->name, "out of range");
	}
	return 0;
}

static bool
is_moment(int64_t moment)
{
	return moment >= 0 && moment <= MOMENT_MAX;
}

int
record_check(const struct session *s, char *why, size_t size)
{
	if (!session_is_id(s->id))
		return fields_refuse(why, size, "id", "not an id");
	if (*s->parent != '\0' && !session_is_id(s->parent))
		return fields_refuse(why, size, "parent", "not an id");
	if (!is_owner(s->owner))
		return fields_refuse(why, size, "owner", "not an owner");
	if (!image_is_name(s->image))
		return fields_refuse(
		    why, size, "image", "not the name of an image");
	if (*s->cwd != '/')
		return fields_refuse(why, size, "cwd", "not an absolute path");
	if (!is_moment(s->created_at))
		return fields_refuse(why, size, "created_at", "out of range");
	if (!is_moment(s->last_used_at))
		return fields_refuse(why, size, "last_used_at", "out of range");
	if (DEFENCE(RECORD_RANGES) && s->ttl != SESSION_NEVER &&
	    (s->ttl < 1 || s->ttl > SESSION_TTL_MAX))
		return fields_refuse(why, size, "ttl",
		    "not a whole number of seconds from 1 to 3155760000");
	if (s->expires_at != SESSION_NEVER && !is_moment(s->expires_at))
		return fields_refuse(why, size, "expires",
		    "not before the year "
		    "10000");
	if (check_limits(s, why, size) != 0)
		return -1;
	return check_env(s, why, size);
}
