#include "jsonread.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

/* Each level is a value and, in an object, its name. */
#define PLACES_MAX (2 * (JSON_DEPTH_MAX + 1))

static const char *const type_words[JSON_TYPE_MAX] = {
	[JSON_OBJECT] = "an object",
	[JSON_ARRAY] = "an array",
	[JSON_STRING] = "a string",
	[JSON_NUMBER] = "a number",
	[JSON_BOOL] = "true or false",
	[JSON_NULL] = "null",
	[JSON_KEY] = "a name",
};

struct json_node *
json_each(struct json_doc *d, const struct json_node *of,
    const struct json_node *prev)
{
	size_t i = prev != NULL ? prev->next : (size_t)(of - d->nodes) + 1;

	if ((of->type != JSON_OBJECT && of->type != JSON_ARRAY) ||
	    i >= of->next)
		return NULL;
	return &d->nodes[of->type == JSON_OBJECT ? i + 1 : i];
}

const char *
json_name(const struct json_doc *d, const struct json_node *v)
{
	const struct json_node *name = &d->nodes[v->parent];

	return name->type == JSON_KEY ? name->text : NULL;
}

struct json_node *
json_member(
    struct json_doc *d, const struct json_node *object, const char *name)
{
	struct json_node *v = NULL;

	if (object->type != JSON_OBJECT)
		return NULL;
	while ((v = json_each(d, object, v)) != NULL) {
		if (strcmp(json_name(d, v), name) == 0)
			break;
	}
	return v;
}

/* The name as it would stand in a program, without what could confuse. */
static int
put_name(char *to, size_t size, const struct json_node *name, bool first)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	char text[41];
	size_t n = 0;

	while (n < sizeof(text) - 1 && n < name->len) {
		unsigned char ch = (unsigned char)name->text[n];

		text[n++] = ch < 0x20 || ch == 0x7f ? '?' : (char)ch;
	}
	text[n] = '\0';
	if (n > 0 && n == name->len && strspn(text, plain) == n)
		return snprintf(to, size, "%s%s", first ? "" : ".", text);
	return snprintf(
	    to, size, "[\"%s%s\"]", text, n < name->len ? "..." : "");
}

/* "files[2].mode", as much as there is room for. */
static void
put_place(
    const struct json_doc *d, const struct json_node *v, char *to, size_t size)
{
	size_t places[PLACES_MAX], n = 0, len = 0;

	(void)snprintf(to, size, "the document");
	for (size_t i = (size_t)(v - d->nodes); i > 0; i = d->nodes[i].parent)
		places[n++] = i;
	while (n > 0 && len < size) {
		const struct json_node *p = &d->nodes[places[--n]];
		const struct json_node *parent = &d->nodes[p->parent];
		size_t which = 0;

		if (p->type == JSON_KEY) {
			len +=
			    (size_t)put_name(to + len, size - len, p, len == 0);
			continue;
		}
		if (parent->type != JSON_ARRAY)
			continue;
		for (const struct json_node *e = parent + 1; e != p;
		     e = &d->nodes[e->next])
			which++;
		len += (size_t)snprintf(to + len, size - len, "[%zu]", which);
	}
}

int
json_refuse(
    struct json_doc *d, const struct json_node *v, const char *sentence, ...)
{
	char place[120], what[sizeof(d->why) - sizeof(place) - 2];
	va_list ap;

	va_start(ap, sentence);
	(void)vsnprintf(what, sizeof(what), sentence, ap);
	va_end(ap);
	put_place(d, v, place, sizeof(place));
	d->code = "invalid_field";
	(void)snprintf(d->why, sizeof(d->why), "%s: %s", place, what);
	return -1;
}

int
json_want(struct json_doc *d, const struct json_node *v, enum json_type type)
{
	if (v->type == type)
		return 0;
	return json_refuse(d, v, "must be %s", type_words[type]);
}

int
json_read_text(struct json_doc *d, const struct json_node *v, char **ret_text)
{
	if (json_want(d, v, JSON_STRING) != 0)
		return -1;
	*ret_text = v->text;
	return 0;
}

/* 0, or -1 where it is no whole number or larger than any. */
static int
parse_whole(const struct json_node *v, int64_t *ret)
{
	bool negative = *v->text == '-';
	int64_t n = 0;

	for (size_t i = negative; i < v->len; i++) {
		int digit = v->text[i] - '0';

		if (digit < 0 || digit > 9 ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, negative ? -digit : digit, &n))
			return -1;
	}
	*ret = n;
	return 0;
}

int
json_read_number(struct json_doc *d, const struct json_node *v, int64_t min,
    int64_t max, int64_t *ret)
{
	int64_t n;

	if (v->type != JSON_NUMBER || parse_whole(v, &n) != 0 || n < min ||
	    n > max)
		return json_refuse(d, v,
		    "must be a whole number from %" PRId64 " to %" PRId64, min,
		    max);
	*ret = n;
	return 0;
}

int
json_read_decimal(
    struct json_doc *d, const struct json_node *v, char *buf, size_t size)
{
	if (json_want(d, v, JSON_NUMBER) != 0)
		return -1;
	if (memchr(v->text, 'e', v->len) != NULL ||
	    memchr(v->text, 'E', v->len) != NULL)
		return json_refuse(d, v, "must be written without an exponent");
	if (v->len >= size)
		return json_refuse(d, v, "has too many digits");
	memcpy(buf, v->text, v->len);
	buf[v->len] = '\0';
	return 0;
}
