/*
 * The head of a request, RFC 9112, read strictly: what servers are known to
 * understand differently (bare CR or LF, folded lines, blanks before a colon,
 * lengths said twice) is refused and never repaired.
 */
#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "defence.h"
#include "http_parts.h"

bool
http_is_alnum(char ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
	       (ch >= 'a' && ch <= 'z');
}

bool
http_is_token(char ch)
{
	return http_is_alnum(ch) ||
	       (ch != '\0' && strchr("!#$%&'*+-.^_`|~", ch) != NULL);
}

bool
http_is_text(char ch)
{
	return ch == '\t' || ((unsigned char)ch >= 0x20 && ch != 0x7f);
}

bool
http_is(struct http_text text, const char *word)
{
	return text.len == strlen(word) &&
	       (text.len == 0 || strncasecmp(text.data, word, text.len) == 0);
}

struct http_text
http_trim(struct http_text text)
{
	while (text.len > 0 && (*text.data == ' ' || *text.data == '\t')) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && (text.data[text.len - 1] == ' ' ||
				   text.data[text.len - 1] == '\t'))
		text.len--;
	return text;
}

int
http_refuse(struct http_head *h, int status, const char *sentence, ...)
{
	va_list ap;

	h->status = status;
	va_start(ap, sentence);
	(void)vsnprintf(h->why, sizeof(h->why), sentence, ap);
	va_end(ap);
	return -1;
}

/*
 * Looks at the method as far as it is there, so that a client that speaks
 * something else altogether need not wait for its answer.
 */
static int
check_method(struct http_head *h, const char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (buf[i] == ' ' && i > 0)
			return 0;
		if (!http_is_token(buf[i]) || i == HTTP_METHOD_MAX)
			return http_refuse(
			    h, 400, "the request does not begin with a method");
	}
	return 0;
}

/* The line that begins at `at` is longer than HTTP_LINE_MAX. */
static int
refuse_line(struct http_head *h, const char *buf, size_t at)
{
	const size_t version = strlen(" HTTP/1.1");
	const char *target, *end;

	if (at > 0)
		return http_refuse(h, 431,
		    "the field at byte %zu is longer than %d bytes", at,
		    HTTP_LINE_MAX);
	target = (const char *)memchr(buf, ' ', HTTP_LINE_MAX) + 1;
	end = memchr(target, ' ', HTTP_LINE_MAX - (size_t)(target - buf));
	if (end != NULL && (size_t)(end - buf) + version <= HTTP_LINE_MAX)
		return http_refuse(
		    h, 400, "the request line does not end with a version");
	return http_refuse(
	    h, 414, "the request line is longer than %d bytes", HTTP_LINE_MAX);
}

/*
 * Finds the empty line; refuses what is beyond the limits as soon as it is.
 * As http_parse().
 */
static int
find_end(struct http_head *h, const char *buf, size_t len)
{
	size_t at = 0, n;
	const char *lf;
	bool cr;

	for (int line = 0;; line++) {
		lf = memchr(buf + at, '\n', len - at);
		n = lf != NULL ? (size_t)(lf - buf) - at : len - at;
		cr = n > 0 && buf[at + n - 1] == '\r';
		if (DEFENCE(HEAD_LINE) && n - cr > HTTP_LINE_MAX)
			return refuse_line(h, buf, at);
		if (DEFENCE(HEAD_SIZE) && at + n >= HTTP_HEAD_MAX)
			return http_refuse(h, 431,
			    "the head is larger than %d bytes", HTTP_HEAD_MAX);
		if ((DEFENCE(BARE_LF) && lf != NULL && !cr) ||
		    (DEFENCE(BARE_CR) &&
			memchr(buf + at, '\r', n - cr) != NULL))
			return http_refuse(h, 400,
			    "the line at byte %zu does not end in CR LF", at);
		if (lf == NULL)
			return 0;
		if (n == 1)
			return (int)(at + 2);
		if (DEFENCE(HEAD_FIELDS) && line > HTTP_FIELDS_MAX)
			return http_refuse(h, 431,
			    "the head has more than %d fields",
			    HTTP_FIELDS_MAX);
		at += n + 1;
	}
}

static int
parse_version(struct http_head *h, struct http_text version)
{
	const char *v = version.data;

	if (version.len != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' ||
	    v[5] > '9' || v[6] != '.' || v[7] < '0' || v[7] > '9')
		return http_refuse(
		    h, 400, "the request line does not end with a version");
	if (v[5] != '1' || v[7] > '1')
		return http_refuse(
		    h, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	h->minor = v[7] - '0';
	return 0;
}

/* METHOD SP TARGET SP VERSION, with nothing more between. */
static int
parse_request_line(struct http_head *h, struct http_text line)
{
	const char *end = line.data + line.len, *space;
	struct http_text target, version;

	space = memchr(line.data, ' ', line.len);
	if (space == NULL)
		return http_refuse(h, 400, "the request line has no target");
	memcpy(h->method, line.data, (size_t)(space - line.data));
	target.data = space + 1;
	space = memchr(target.data, ' ', (size_t)(end - target.data));
	if (space == NULL)
		return http_refuse(
		    h, 400, "the request line does not end with a version");
	target.len = (size_t)(space - target.data);
	version.data = space + 1;
	version.len = (size_t)(end - version.data);
	if (parse_version(h, version) != 0)
		return -1;
	return http_target(h, target);
}

int
http_parse(const char *buf, size_t len, struct http_head *h)
{
	unsigned seen = 0;
	const char *from = buf, *end, *lf;
	int size;

	memset(h, 0, sizeof(*h));
	h->content_length = -1;
	if (check_method(h, buf, len) != 0)
		return -1;
	size = find_end(h, buf, len);
	if (size <= 0)
		return size;
	/* Each line was seen to end in CR LF, and the last one is empty. */
	end = buf + size - 2;
	while ((lf = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		struct http_text line = { from, (size_t)(lf - from) - 1 };

		if (from == buf ? parse_request_line(h, line) != 0
				: http_field(h, &seen, line) != 0)
			return -1;
		from = lf + 1;
	}
	return http_fields_check(h) == 0 ? size : -1;
}
