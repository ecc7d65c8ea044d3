#include "wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "defence.h"

#define ABSENT UINT32_MAX /* the length of a text that is NULL */

/* Bytes being made; failed once one did not fit. */
struct bytes {
	char *data;
	size_t len, size;
	bool failed, no_memory;
};

static void
put(struct bytes *b, const void *data, size_t len)
{
	size_t size = b->size > 0 ? b->size : 1024;
	char *bigger;

	if (b->failed || b->len + len > WIRE_SIZE_MAX) {
		b->failed = true;
		return;
	}
	while (size < b->len + len)
		size *= 2;
	if (size > b->size) {
		bigger = realloc(b->data, size);
		if (bigger == NULL) {
			b->failed = b->no_memory = true;
			return;
		}
		b->data = bigger;
		b->size = size;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void
put_length(struct bytes *b, uint32_t n)
{
	put(b, &n, sizeof(n));
}

/* With its NUL, so that the other side can use it where it lies. */
static void
put_text(struct bytes *b, const char *text)
{
	size_t len = strlen(text);

	if (len > WIRE_SIZE_MAX) {
		b->failed = true;
		return;
	}
	put_length(b, (uint32_t)len);
	put(b, text, len + 1);
}

static void
put_list(struct bytes *b, char *const *list, uint64_t max)
{
	size_t count = 0;

	while (list != NULL && list[count] != NULL)
		count++;
	if (count > max)
		b->failed = true;
	put_length(b, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_text(b, list[i]);
}

static void
put_field(struct bytes *b, const struct wire_field *f, const char *from)
{
	uint64_t number;
	char *text, **list;

	switch (f->kind) {
	case WIRE_NUMBER:
		memcpy(&number, from, sizeof(number));
		b->failed = b->failed || number > f->max;
		put(b, &number, sizeof(number));
		break;
	case WIRE_TEXT:
		memcpy(&text, from, sizeof(text));
		if (text == NULL) {
			put_length(b, ABSENT);
			break;
		}
		b->failed = b->failed || strlen(text) > f->max;
		put_text(b, text);
		break;
	case WIRE_LIST:
		memcpy(&list, from, sizeof(list));
		put_list(b, list, f->max);
		break;
	}
}

int
wire_encode(const struct wire_field *fields, size_t n, const void *from,
    char **ret, size_t *ret_len)
{
	struct bytes b = { 0 };

	for (size_t i = 0; i < n; i++)
		put_field(
		    &b, &fields[i], (const char *)from + fields[i].offset);
	if (b.failed) {
		free(b.data);
		errno = b.no_memory ? ENOMEM : EMSGSIZE;
		return -1;
	}
	*ret = b.data;
	*ret_len = b.len;
	return 0;
}

/* What is left of the bytes that are being read. */
struct rest {
	char *data;
	size_t len;
};

static bool
take(struct rest *r, void *to, size_t len)
{
	if (r->len < len)
		return false;
	memcpy(to, r->data, len);
	r->data += len;
	r->len -= len;
	return true;
}

/* A text whose length has been read; it lies where it is. */
static bool
take_text(struct rest *r, uint32_t len, char **ret)
{
	if (r->len <= len ||
	    (DEFENCE(WIRE_NUL) && memchr(r->data, '\0', len) != NULL) ||
	    r->data[len] != '\0')
		return false;
	*ret = r->data;
	r->data += len + 1;
	r->len -= len + 1;
	return true;
}

static bool
take_list(struct rest *r, uint64_t max, char ***ret)
{
	uint32_t count = 0, len = 0;
	char **list;

	/* Each has at least five bytes: no memory for what is not there. */
	if (!take(r, &count, sizeof(count)) ||
	    (DEFENCE(WIRE_LIST) && count > max) || count > r->len / 5)
		return false;
	list = calloc((size_t)count + 1, sizeof(*list));
	if (list == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!take(r, &len, sizeof(len)) ||
		    !take_text(r, len, &list[i])) {
			free(list);
			return false;
		}
	}
	*ret = list;
	return true;
}

static bool
take_field(struct rest *r, const struct wire_field *f, char *to)
{
	uint64_t number = 0;
	uint32_t len = 0;
	char *text = NULL, **list = NULL;

	switch (f->kind) {
	case WIRE_NUMBER:
		if (!take(r, &number, sizeof(number)) ||
		    (DEFENCE(WIRE_NUMBER) && number > f->max))
			return false;
		memcpy(to, &number, sizeof(number));
		return true;
	case WIRE_TEXT:
		if (!take(r, &len, sizeof(len)) ||
		    (len != ABSENT && len > f->max && DEFENCE(WIRE_TEXT)) ||
		    (len != ABSENT && !take_text(r, len, &text)))
			return false;
		memcpy(to, &text, sizeof(text));
		return true;
	default:
		if (!take_list(r, f->max, &list))
			return false;
		memcpy(to, &list, sizeof(list));
		return true;
	}
}

/* Of a struct that was begun and is of no use. */
static void
free_lists(const struct wire_field *fields, size_t n, char *from)
{
	char **list;

	for (size_t i = 0; i < n; i++) {
		if (fields[i].kind != WIRE_LIST)
			continue;
		memcpy(&list, from + fields[i].offset, sizeof(list));
		free(list);
	}
}

const char *
wire_decode(
    const struct wire_field *fields, size_t n, void *to, char *data, size_t len)
{
	struct rest r = { data, len };
	size_t i = 0;

	while (
	    i < n && take_field(&r, &fields[i], (char *)to + fields[i].offset))
		i++;
	if (i == n && (r.len == 0 || !DEFENCE(WIRE_END)))
		return NULL;
	free_lists(fields, i, to);
	return i < n ? fields[i].name : "the end";
}
