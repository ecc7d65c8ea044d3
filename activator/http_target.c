/* The target of a request: a path, decoded once, and a query, kept as it is. */
#include <stdio.h>
#include <string.h>

#include "defence.h"
#include "http_parts.h"

/* The byte that two hexadecimal digits stand for, or -1. */
static int
hex_byte(const char *p, const char *end)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	int value = 0;

	if (end - p < 2)
		return -1;
	for (int i = 0; i < 2; i++) {
		const char *digit = memchr(digits, p[i], sizeof(digits) - 1);
		int n = digit != NULL ? (int)(digit - digits) : -1;

		if (n < 0)
			return -1;
		value = value << 4 | (n < 16 ? n : n - 6);
	}
	return value;
}

/*
 * The character at *p, decoded, and *p moved behind it; -1 where it may not
 * stand there. Control characters never may: they end lines in a log.
 */
static int
next_char(const char **p, const char *end)
{
	char ch = *(*p)++;
	int value;

	if (ch == '%') {
		value = hex_byte(*p, end);
		*p += 2;
		return value < 0x20 || value == 0x7f ? -1 : value;
	}
	if (http_is_alnum(ch) ||
	    (ch != '\0' && strchr("-._~!$&'()*+,;=:@/?", ch) != NULL))
		return ch;
	return -1;
}

/*
 * What stands for a path in more than one way could be refused in one and
 * let through in the other.
 */
static bool
is_canonical(const char *path)
{
	size_t len;

	for (; *path == '/'; path += len) {
		path++;
		len = strcspn(path, "/");
		if ((len == 0 && *path == '/') ||
		    (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
	}
	return true;
}

static int
parse_path(struct http_head *h, struct http_text text)
{
	const char *p = text.data, *end = p + text.len;
	size_t n = 0;

	while (p < end) {
		const char *from = p;
		int ch = next_char(&p, end);

		/* An encoded '/' is no separator, and no name has one. */
		if (ch < 0 || ch >= 0x80 ||
		    (DEFENCE(PATH_SLASH) && *from == '%' &&
			(ch == '/' || ch == '\\')))
			return http_refuse(h, 400,
			    "the path has a character that is not allowed, "
			    "at its byte %zu",
			    (size_t)(from - text.data));
		h->path[n++] = (char)ch;
	}
	h->path[n] = '\0';
	if (DEFENCE(PATH_FORM) && !is_canonical(h->path))
		return http_refuse(h, 400,
		    "the path has a part that is empty, \".\" or \"..\"");
	return 0;
}

static int
check_query(struct http_head *h)
{
	const char *p = h->query.data, *end = p + h->query.len;

	while (p < end) {
		const char *from = p;

		if (next_char(&p, end) < 0)
			return http_refuse(h, 400,
			    "the query has a character that is not allowed, "
			    "at its byte %zu",
			    (size_t)(from - h->query.data));
	}
	return 0;
}

int
http_target(struct http_head *h, struct http_text target)
{
	struct http_text path = target;
	const char *mark;

	if (http_is(target, "*") && strcmp(h->method, "OPTIONS") == 0) {
		strcpy(h->path, "*");
		return 0;
	}
	if (target.len == 0 || *target.data != '/')
		return http_refuse(h, 400,
		    "the request's target is not a path that begins with /");
	mark = memchr(target.data, '?', target.len);
	if (mark != NULL) {
		path.len = (size_t)(mark - target.data);
		h->query.data = mark + 1;
		h->query.len = target.len - path.len - 1;
	}
	if (parse_path(h, path) != 0)
		return -1;
	return mark != NULL ? check_query(h) : 0;
}

struct pair {
	struct http_text name, value;
};

/* Cuts one name=value off the query; false at its end. */
static bool
next_pair(struct http_text *rest, struct pair *p)
{
	const char *end;

	if (rest->data == NULL)
		return false;
	p->name = *rest;
	end = memchr(rest->data, '&', rest->len);
	if (end != NULL) {
		p->name.len = (size_t)(end - rest->data);
		rest->data = end + 1;
		rest->len -= p->name.len + 1;
	} else {
		rest->data = NULL;
	}
	end = memchr(p->name.data, '=', p->name.len);
	p->value = (struct http_text){ p->name.data + p->name.len, 0 };
	if (end != NULL) {
		p->value.data = end + 1;
		p->value.len = p->name.len - (size_t)(end + 1 - p->name.data);
		p->name.len = (size_t)(end - p->name.data);
	}
	return true;
}

/* Its characters, decoded, and a zero byte. -1 where they do not fit. */
static int
decode(struct http_text text, char *buf, size_t size)
{
	const char *p = text.data, *end = p + text.len;
	size_t n = 0;

	for (; p < end && n < size; n++) {
		int ch = next_char(&p, end);

		buf[n] = (char)(ch == '+' && p[-1] == '+' ? ' ' : ch);
	}
	if (n >= size)
		return -1;
	buf[n] = '\0';
	return 0;
}

static bool
is_named(const struct pair *p, const char *name)
{
	char text[64];

	return decode(p->name, text, sizeof(text)) == 0 &&
	       strcmp(text, name) == 0;
}

int
http_query_check(const struct http_head *h, const char *const names[], size_t n,
    char *why, size_t size)
{
	struct http_text rest = h->query;
	uint64_t seen = 0;
	struct pair p;
	size_t i;

	/* "/sessions?" asks nothing. */
	while (rest.len > 0 && next_pair(&rest, &p)) {
		for (i = 0; i < n && !is_named(&p, names[i]);)
			i++;
		if (i < n && (seen >> i & 1) == 0) {
			seen |= UINT64_C(1) << i;
			continue;
		}
		(void)snprintf(why, size, "the query has %s '%.*s'%s",
		    i < n ? "the parameter" : "an unknown parameter",
		    (int)(p.name.len < 40 ? p.name.len : 40), p.name.data,
		    i < n ? " twice" : "");
		return -1;
	}
	return 0;
}

int
http_query(const struct http_head *h, const char *name, char *buf, size_t size)
{
	struct http_text rest = h->query;
	struct pair p;

	while (next_pair(&rest, &p)) {
		if (is_named(&p, name))
			return decode(p.value, buf, size) == 0 ? 1 : -1;
	}
	return 0;
}
