#include "jsonread.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "defence.h"
#include "jsoncheck.h"

static int
fail(struct json_doc *d, const char *code, const char *sentence, ...)
{
	va_list ap;

	d->code = code;
	va_start(ap, sentence);
	(void)vsnprintf(d->why, sizeof(d->why), sentence, ap);
	va_end(ap);
	return -1;
}

int
json_no_memory(struct json_doc *d)
{
	return fail(d, "no_memory", "out of memory");
}

static bool
is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

/* The text was checked; as many tokens as that counted are filled. 0 or -1. */
static int
index_text(const char *text, size_t len, jsmntok_t *tokens, size_t count)
{
	jsmn_parser parser;
	size_t from = 0;

	while (is_blank(text[from]))
		from++;
	if (strchr("{[\"", text[from]) == NULL) {
		/* Of a literal jsmn wants to see what is behind it. */
		while (is_blank(text[len - 1]))
			len--;
		tokens->type = JSMN_PRIMITIVE;
		tokens->start = (int)from;
		tokens->end = (int)len;
		tokens->parent = -1;
		return 0;
	}
	jsmn_init(&parser);
	return jsmn_parse(&parser, text, len, tokens, (unsigned)count) ==
		       (int)count
		   ? 0
		   : -1;
}

static enum json_type
type_of(const char *text, const jsmntok_t *tokens, const jsmntok_t *t)
{
	switch (t->type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return t->parent >= 0 && tokens[t->parent].type == JSMN_OBJECT
			   ? JSON_KEY
			   : JSON_STRING;
	default:
		break;
	}
	switch (text[t->start]) {
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static void
fill_nodes(struct json_doc *d, char *text, const jsmntok_t *tokens)
{
	for (size_t i = 0; i < d->count; i++) {
		const jsmntok_t *t = &tokens[i];
		struct json_node *v = &d->nodes[i];

		v->type = type_of(text, tokens, t);
		v->text = text + t->start;
		v->len = (size_t)(t->end - t->start);
		v->at = (size_t)t->start - (t->type == JSMN_STRING);
		v->count = (size_t)t->size;
		v->parent = t->parent < 0 ? 0 : (size_t)t->parent;
		v->next = i + 1;
	}
	/* Parts have higher indexes: when one's turn comes, it is complete. */
	for (size_t i = d->count - 1; i > 0; i--) {
		struct json_node *parent = &d->nodes[d->nodes[i].parent];

		if (parent->next < d->nodes[i].next)
			parent->next = d->nodes[i].next;
	}
}

static unsigned
hex4(const char *digits)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		char ch = digits[i];

		value =
		    value << 4 |
		    (unsigned)(ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10);
	}
	return value;
}

/* Writes the character that stands at *p behind "\u", and moves *p. */
static char *
put_unicode(char *to, const char **p)
{
	unsigned code = hex4(*p);
	unsigned char *u = (unsigned char *)to;

	*p += 4;
	if (code >> 10 == 0xd800 >> 10) {
		code =
		    0x10000 + ((code & 0x3ff) << 10) + (hex4(*p + 2) & 0x3ff);
		*p += 6;
	}
	if (code < 0x80) {
		*u++ = (unsigned char)code;
	} else if (code < 0x800) {
		*u++ = (unsigned char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		*u++ = (unsigned char)(0xe0 | code >> 12);
		*u++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	} else {
		*u++ = (unsigned char)(0xf0 | code >> 18);
		*u++ = (unsigned char)(0x80 | (code >> 12 & 0x3f));
		*u++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		*u++ = (unsigned char)(0x80 | (code & 0x3f));
	return (char *)u;
}

/*
 * Takes the escapes out in place, which makes it shorter, and puts the zero
 * byte at the latest where the quote is.
 */
static void
decode(struct json_node *v)
{
	static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *p = memchr(v->text, '\\', v->len), *end = v->text + v->len;
	char *to = v->text + v->len;

	if (p != NULL)
		to = v->text + (p - v->text);
	while (p != NULL && p < end) {
		const char *name;

		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		p++;
		if (*p == 'u') {
			p++;
			to = put_unicode(to, &p);
			continue;
		}
		name = strchr(names, *p);
		*to++ = name != NULL ? meant[name - names] : *p;
		p++;
	}
	*to = '\0';
	v->len = (size_t)(to - v->text);
}

struct name {
	uint64_t hash;
	const struct json_node *node;
};

/* By the hash, which a hostile text can make equal, then by what it is of. */
static int
compare_names(const struct name *a, const struct name *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->node->parent != b->node->parent)
		return a->node->parent < b->node->parent ? -1 : 1;
	if (a->node->len != b->node->len)
		return a->node->len < b->node->len ? -1 : 1;
	return memcmp(a->node->text, b->node->text, a->node->len);
}

/* Equal ones in the order of the text. */
static int
compare(const void *a, const void *b, void *compared)
{
	const struct name *x = a, *y = b;
	int r = compare_names(x, y);

	++*(size_t *)compared;
	if (r != 0)
		return r;
	return x->node->at < y->node->at ? -1 : x->node->at > y->node->at;
}

/* FNV-1a. */
static uint64_t
hash_name(const struct json_node *v)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ v->parent;

	for (size_t i = 0; i < v->len; i++) {
		hash ^= (unsigned char)v->text[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

/*
 * Sorts all names, so that equal ones of one object stand side by side: to
 * compare each with each would be too much work for a hostile text.
 */
static int
check_names(struct json_doc *d)
{
	struct name *names = calloc(d->count, sizeof(*names));
	const struct json_node *twice = NULL;
	size_t n = 0;

	if (names == NULL)
		return json_no_memory(d);
	for (size_t i = 0; i < d->count; i++) {
		if (d->nodes[i].type != JSON_KEY)
			continue;
		names[n].hash = hash_name(&d->nodes[i]);
		names[n++].node = &d->nodes[i];
	}
	qsort_r(names, n, sizeof(*names), compare, &d->compared);
	for (size_t i = 1; i < n; i++) {
		if (compare_names(&names[i - 1], &names[i]) == 0 &&
		    (twice == NULL || names[i].node->at < twice->at))
			twice = names[i].node;
	}
	free(names);
	if (twice == NULL || !DEFENCE(JSON_NAMES))
		return 0;
	return fail(d, "duplicate_key",
	    "byte %zu: the name '%.40s' is there twice", twice->at,
	    twice->text);
}

int
json_open(struct json_doc *d, char *text, size_t len)
{
	struct json_check_result r;
	jsmntok_t *tokens;
	int indexed;

	memset(d, 0, sizeof(*d));
	if (json_check(text, len, &r) != 0)
		return fail(d, r.code, "byte %zu: %s", r.at, r.why);
	tokens = calloc(r.tokens, sizeof(*tokens));
	d->nodes = calloc(r.tokens, sizeof(*d->nodes));
	if (tokens == NULL || d->nodes == NULL) {
		free(tokens);
		return json_no_memory(d);
	}
	d->count = r.tokens;
	indexed = index_text(text, len, tokens, d->count);
	if (indexed == 0)
		fill_nodes(d, text, tokens);
	free(tokens);
	if (indexed != 0)
		return fail(d, "invalid_json", "the text cannot be indexed");
	for (size_t i = 0; i < d->count; i++) {
		if (d->nodes[i].type == JSON_STRING ||
		    d->nodes[i].type == JSON_KEY)
			decode(&d->nodes[i]);
	}
	return check_names(d);
}

void
json_close(struct json_doc *d)
{
	free(d->nodes);
	d->nodes = NULL;
	d->count = 0;
}
