/* The fields of a head: the few that mean something here, one row each. */
#include <string.h>

#include "defence.h"
#include "http_parts.h"

static bool
is_made_of(struct http_text v, const char *marks)
{
	for (size_t i = 0; i < v.len; i++) {
		if (!http_is_alnum(v.data[i]) &&
		    (v.data[i] == '\0' || strchr(marks, v.data[i]) == NULL))
			return false;
	}
	return true;
}

/* Decimal digits, at least one. 0 or -1. */
static int
read_digits(struct http_text v, int64_t *ret)
{
	int64_t n = 0;

	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i] < '0' || v.data[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, v.data[i] - '0', &n))
			return -1;
	}
	if (v.len == 0)
		return -1;
	*ret = n;
	return 0;
}

/* A name, an address, or an IPv6 address in brackets, and perhaps a port. */
static int
read_host(struct http_head *h, struct http_text v)
{
	bool bracket = v.len > 0 && *v.data == '[', good;
	const char *end = memchr(v.data, bracket ? ']' : ':', v.len);
	struct http_text name = v, port = v;
	int64_t n = 0;

	if (end != NULL)
		name.len = (size_t)(end - v.data) + bracket;
	port.data += name.len;
	port.len -= name.len;
	if (bracket) {
		name.data++;
		name.len -= end != NULL ? 2 : 1;
	}
	good = name.len > 0 && (!bracket || end != NULL) &&
	       is_made_of(name, bracket ? ":." : "-._");
	if (port.len > 0) {
		good = good && *port.data == ':' && port.len <= 6;
		port.data++;
		port.len--;
		good = good && read_digits(port, &n) == 0 && n <= 65535;
	}
	if (!good)
		return http_refuse(
		    h, 400, "Host is not a name or address with its port");
	h->host = v;
	return 0;
}

static int
read_length(struct http_head *h, struct http_text v)
{
	if (read_digits(v, &h->content_length) != 0)
		return http_refuse(
		    h, 400, "Content-Length is not a whole number");
	return 0;
}

static int
read_coding(struct http_head *h, struct http_text v)
{
	if (DEFENCE(CODING) && !http_is(v, "chunked"))
		return http_refuse(
		    h, 400, "Transfer-Encoding is not chunked alone");
	h->chunked = true;
	return 0;
}

static int
read_expect(struct http_head *h, struct http_text v)
{
	if (!http_is(v, "100-continue"))
		return http_refuse(h, 417, "Expect is not 100-continue");
	h->expect_continue = true;
	return 0;
}

static int
read_type(struct http_head *h, struct http_text v)
{
	const char *semicolon = memchr(v.data, ';', v.len);

	if (semicolon != NULL)
		v.len = (size_t)(semicolon - v.data);
	h->content_type = http_trim(v);
	return 0;
}

/* What is not decoded is not JSON. */
static int
read_encoding(struct http_head *h, struct http_text v)
{
	return http_is(v, "identity")
		   ? 0
		   : http_refuse(h, 415, "Content-Encoding is not identity");
}

static int
read_authorization(struct http_head *h, struct http_text v)
{
	static const char scheme[] = "Bearer ";
	struct http_text word = { v.data, sizeof(scheme) - 1 };

	h->wrong_credential = true;
	if (v.len <= word.len || !http_is(word, scheme))
		return 0;
	v.data += word.len;
	v.len -= word.len;
	v = http_trim(v);
	if (is_made_of(v, "-._~+/=")) {
		h->wrong_credential = false;
		h->token = v;
	}
	return 0;
}

static int
read_origin(struct http_head *h, struct http_text v)
{
	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i] <= ' ' || v.data[i] > '~')
			v.len = 0;
	}
	if (v.len == 0)
		return http_refuse(h, 400, "Origin is not one origin");
	h->origin = v;
	return 0;
}

/* An id that cannot be used is as good as none: it only helps the client. */
static int
read_id(struct http_head *h, struct http_text v)
{
	if (v.len <= HTTP_ID_MAX && is_made_of(v, "._-"))
		memcpy(h->request_id, v.data, v.len);
	return 0;
}

/* Cuts what stands before the next mark that is not quoted. */
static struct http_text
cut(struct http_text *rest, char mark)
{
	struct http_text part = *rest;
	bool quoted = false;
	size_t i;

	for (i = 0; i < rest->len && (quoted || rest->data[i] != mark); i++) {
		if (rest->data[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->data[i] == '\\' && i + 1 < rest->len)
			i++;
	}
	part.len = i;
	i += i < rest->len;
	rest->data += i;
	rest->len -= i;
	return http_trim(part);
}

/* "q=0.5" in thousandths; 1000 for another parameter, 0 for nonsense. */
static int
read_quality(struct http_text v)
{
	int n = 0, unit = 1000;

	if (v.len < 2 || (v.data[0] | 0x20) != 'q' || v.data[1] != '=')
		return 1000;
	for (size_t i = 2; i < v.len; i++) {
		if (i == 3 ? v.data[i] != '.'
			   : v.data[i] < '0' || v.data[i] > '9' || unit == 0)
			return 0;
		if (i != 3) {
			n += (v.data[i] - '0') * unit;
			unit /= 10;
		}
	}
	return v.len > 2 && n <= 1000 ? n : 0;
}

/* The best of the types that we have, of equal ones the first. */
static int
read_accept(struct http_head *h, struct http_text v)
{
	static const char *const types[] = {
		[HTTP_ACCEPT_JSON] = "application/json",
		[HTTP_ACCEPT_NDJSON] = "application/x-ndjson",
		[HTTP_ACCEPT_SSE] = "text/event-stream",
	};

	while (v.len > 0) {
		struct http_text range = cut(&v, ',');
		struct http_text type = cut(&range, ';');
		int quality = 1000;

		while (range.len > 0 && quality == 1000)
			quality = read_quality(cut(&range, ';'));
		for (int i = 0; i < HTTP_ACCEPT_MAX; i++) {
			if (quality > h->accept_quality &&
			    http_is(type, types[i])) {
				h->accept_quality = quality;
				h->accept = (enum http_accept)i;
			}
		}
	}
	return 0;
}

enum { MANY, ONCE, FIRST }; /* twice: all count, is refused, first counts */

static const struct row {
	const char *name;
	int count;
	int (*read)(struct http_head *h, struct http_text v);
} rows[] = {
	/* Servers differ in which of two they believe. */
	{ "Host", ONCE, read_host },
	{ "Content-Length", ONCE, read_length },
	{ "Transfer-Encoding", ONCE, read_coding },
	{ "Content-Type", ONCE, read_type },
	{ "Content-Encoding", MANY, read_encoding },
	{ "Authorization", ONCE, read_authorization },
	{ "Origin", ONCE, read_origin },
	{ "Expect", MANY, read_expect },
	{ "Accept", MANY, read_accept },
	{ "X-Request-ID", FIRST, read_id },
};

static int
apply(struct http_head *h, unsigned *seen, struct http_text name,
    struct http_text value)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool again = (*seen >> i & 1) != 0;

		if (!http_is(name, rows[i].name))
			continue;
		*seen |= 1U << i;
		if (DEFENCE(FIELD_ONCE) && again && rows[i].count == ONCE)
			return http_refuse(h, 400,
			    "the field %s is there twice", rows[i].name);
		if (again && rows[i].count == FIRST)
			return 0;
		return rows[i].read(h, value);
	}
	return 0;
}

int
http_field(struct http_head *h, unsigned *seen, struct http_text line)
{
	struct http_text name = { line.data, 0 }, value = line;

	if (*line.data == ' ' || *line.data == '\t')
		return http_refuse(
		    h, 400, "a line of the head continues the one before");
	while (name.len < line.len && http_is_token(line.data[name.len]))
		name.len++;
	if ((name.len == 0 || name.len == line.len ||
		line.data[name.len] != ':') &&
	    DEFENCE(FIELD_NAME))
		return http_refuse(h, 400,
		    "a line of the head is not of the form name: value");
	value.data += name.len + 1;
	value.len -= name.len + 1;
	for (size_t i = 0; i < value.len; i++) {
		if (DEFENCE(FIELD_TEXT) && !http_is_text(value.data[i]))
			return http_refuse(h, 400,
			    "the field %.*s has a control character",
			    (int)(name.len < 40 ? name.len : 40), name.data);
	}
	return apply(h, seen, name, http_trim(value));
}

int
http_fields_check(struct http_head *h)
{
	if (h->minor == 1 && h->host.data == NULL)
		return http_refuse(h, 400, "the field Host is missing");
	if (DEFENCE(TWO_LENGTHS) && h->chunked && h->content_length >= 0)
		return http_refuse(h, 400,
		    "there are both Transfer-Encoding and Content-Length");
	if (h->chunked && h->minor == 0)
		return http_refuse(
		    h, 400, "HTTP/1.0 knows no Transfer-Encoding");
	/* Nor does it know what to do with 100 Continue. */
	if (h->minor == 0)
		h->expect_continue = false;
	return 0;
}
