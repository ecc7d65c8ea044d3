#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defence.h"

/* Bytes that are looked at together. */
#define BLOCK 16

void
json_init(struct json *j)
{
	memset(j, 0, sizeof(*j));
	j->first[0] = true;
}

void
json_again(struct json *j)
{
	struct json fresh = { .data = j->data, .size = j->size };

	fresh.first[0] = true;
	*j = fresh;
}

void
json_free(struct json *j)
{
	free(j->data);
	j->data = NULL;
}

/* Room for n more bytes, or NULL. */
static char *
reserve(struct json *j, size_t n)
{
	size_t size = j->size > 0 ? j->size : 1024;
	char *bigger;

	while (size < j->len + n)
		size *= 2;
	if (size > j->size) {
		bigger = realloc(j->data, size);
		if (bigger == NULL) {
			j->failed = true;
			return NULL;
		}
		j->data = bigger;
		j->size = size;
	}
	return j->data + j->len;
}

static void
put(struct json *j, const char *data, size_t len)
{
	char *to = reserve(j, len);

	if (to != NULL) {
		memcpy(to, data, len);
		j->len += len;
	}
}

size_t
json_utf8(const char *data, size_t len)
{
	const unsigned char *s = (const unsigned char *)data;
	size_t n;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, and what is beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Of one block: is there a byte that is no character, or needs an escape? */
static bool
is_plain(const char *data, bool escapes)
{
	unsigned char v __attribute__((vector_size(BLOCK)));
	uint64_t odd[BLOCK / sizeof(uint64_t)];

	memcpy(&v, data, BLOCK);
	__typeof__(v == 0) found = v > 0x7e;
	if (escapes)
		found |= (v < 0x20) | (v == '"') | (v == '\\') | (v == '<') |
			 (v == '>') | (v == '&');
	memcpy(odd, &found, BLOCK);
	return (odd[0] | odd[1]) == 0;
}

/*
 * How many bytes at the beginning, in whole blocks, are characters each and
 * need no escape: output is text as a rule, and to look at each of its bytes
 * would take longer than all else that is done with them.
 */
static size_t
count_plain(const char *data, size_t len, bool escapes)
{
	size_t i = 0;

	while (len - i >= BLOCK && is_plain(data + i, escapes))
		i += BLOCK;
	return i;
}

bool
json_is_utf8(const char *data, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = count_plain(data + i, len - i, false);
		if (n > 0)
			continue;
		n = json_utf8(data + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

/*
 * One character that JSON or a page that embeds it would trip over. U+2028
 * and U+2029 end a line in JavaScript.
 */
static bool
needs_escape(const char *s, size_t n)
{
	unsigned char c = (unsigned char)*s;

	if (n == 3)
		return memcmp(s, "\xe2\x80\xa8", 3) == 0 ||
		       memcmp(s, "\xe2\x80\xa9", 3) == 0;
	return DEFENCE(JSON_ESCAPES) && n == 1 &&
	       (c < 0x20 || c == 0x7f || strchr("\"\\<>&", c) != NULL);
}

static void
put_escape(struct json *j, const char *s, size_t n)
{
	static const char plain[] = "\"\\\n\r\t", named[] = "\"\\nrt";
	const char *p = n == 1 && *s != '\0' ? strchr(plain, *s) : NULL;
	char text[8] = { '\\' };

	if (p != NULL) {
		text[1] = named[p - plain];
		put(j, text, 2);
		return;
	}
	(void)snprintf(text, sizeof(text), "\\u%04x",
	    n == 3 ? 0x2000U | ((unsigned char)s[2] & 0x3fU)
		   : (unsigned char)*s);
	put(j, text, 6);
}

static void
put_string(struct json *j, const char *data, size_t len)
{
	size_t from = 0, i, n;

	put(j, "\"", 1);
	for (i = 0; i < len; i += n) {
		n = count_plain(data + i, len - i, true);
		if (n > 0)
			continue;
		n = json_utf8(data + i, len - i);
		if (n > 0 && !needs_escape(data + i, n))
			continue;
		put(j, data + from, i - from);
		if (n == 0) {
			put(j, "\xef\xbf\xbd", 3);
			n = 1;
		} else {
			put_escape(j, data + i, n);
		}
		from = i + n;
	}
	put(j, data + from, len - from);
	put(j, "\"", 1);
}

/* What stands before a value. */
static void
begin(struct json *j, const char *name)
{
	if (!j->first[j->depth])
		put(j, ",", 1);
	j->first[j->depth] = false;
	if (name != NULL) {
		put_string(j, name, strlen(name));
		put(j, ":", 1);
	}
}

static void
open_scope(struct json *j, const char *name, const char *open, char close)
{
	begin(j, name);
	put(j, open, 1);
	if (j->depth == JSON_LEVELS_MAX) {
		j->failed = true;
		return;
	}
	j->depth++;
	j->first[j->depth] = true;
	j->close[j->depth] = close;
}

void
json_object(struct json *j, const char *name)
{
	open_scope(j, name, "{", '}');
}

void
json_array(struct json *j, const char *name)
{
	open_scope(j, name, "[", ']');
}

void
json_end(struct json *j)
{
	if (j->depth > 0)
		put(j, &j->close[j->depth--], 1);
}

int
json_finish(struct json *j)
{
	while (j->depth > 0)
		json_end(j);
	put(j, "\n", 1);
	return j->failed ? -1 : 0;
}

void
json_bytes(struct json *j, const char *name, const char *data, size_t len)
{
	begin(j, name);
	/* Of nothing there may be no address either. */
	put_string(j, len > 0 ? data : "", len);
}

void
json_text(struct json *j, const char *name, const char *text)
{
	json_bytes(j, name, text, strlen(text));
}

void
json_number(struct json *j, const char *name, int64_t value)
{
	char text[24];

	begin(j, name);
	put(j, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value));
}

void
json_bool(struct json *j, const char *name, bool value)
{
	begin(j, name);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

void
json_null(struct json *j, const char *name)
{
	begin(j, name);
	put(j, "null", 4);
}

void
json_base64(struct json *j, const char *name, const char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = (const unsigned char *)data;
	char *to;

	begin(j, name);
	put(j, "\"", 1);
	to = reserve(j, (len + 2) / 3 * 4);
	for (size_t i = 0; to != NULL && i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)s[i] << 16 |
			     (uint32_t)(left > 1 ? s[i + 1] : 0) << 8 |
			     (uint32_t)(left > 2 ? s[i + 2] : 0);

		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[v & 63] : '=';
		j->len += 4;
	}
	put(j, "\"", 1);
}
