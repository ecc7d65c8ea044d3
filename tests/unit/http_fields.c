/* The limits and the fields of a request's head. */
#include "http.h"

#include "unit.h"

static struct http_head head;
static char text[40000];

/* Of a GET with these lines and a Host. */
static int
parse_with(const char *lines)
{
	int n = snprintf(
	    text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);

	return http_parse(guarded(text, (size_t)n), (size_t)n, &head);
}

static void
refused_with(const char *lines, int status)
{
	expect_number(parse_with(lines), -1, lines);
	expect_number(head.status, status, lines);
}

/* n bytes of x between, and then so many more lines. */
static int
parse_long(const char *before, size_t n, const char *behind, size_t lines)
{
	size_t len = strlen(before);

	memcpy(text, before, len);
	memset(text + len, 'x', n);
	len += n;
	memcpy(text + len, behind, strlen(behind));
	len += strlen(behind);
	for (; lines > 0; lines--, len += 6)
		memcpy(text + len, "X: y\r\n", 6);
	memcpy(text + len, "\r\n", 2);
	return http_parse(guarded(text, len + 2), len + 2, &head);
}

/* The text without its last n bytes. */
static int
parse_cut(size_t len)
{
	return http_parse(guarded(text, len), len, &head);
}

static void
long_lines(void)
{
	const char *end = " HTTP/1.1\r\nHost: a\r\n";
	const size_t target = HTTP_LINE_MAX - strlen("GET / HTTP/1.1");
	const size_t value = HTTP_LINE_MAX - strlen("X: ");

	HOLDS(parse_long("GET /", target, end, 0) > 0);
	HOLDS(strlen(head.path) == target + 1);
	HOLDS(parse_long("GET /", target + 1, end, 0) == -1);
	expect_number(head.status, 414, "a target, limit + 1");
	HOLDS(parse_cut(HTTP_LINE_MAX) == 0);
	HOLDS(parse_cut(HTTP_LINE_MAX + 1) == -1 && head.status == 414);
	HOLDS(parse_long("GET /", 30000, "", 0) == -1 && head.status == 414);
	HOLDS(parse_long("GET /?", 30000, "", 0) == -1 && head.status == 414);
	HOLDS(parse_long("GET / ", 30000, end, 0) == -1 && head.status == 400);
	HOLDS(parse_long("GET ", 30000, end, 0) == -1 && head.status == 414);
	HOLDS(parse_long("", 30000, "", 0) == -1 && head.status == 400);
	HOLDS(parse_long("GET / HTTP/1.1\r\nHost: a\r\nX: ", value, "\r\n", 0) >
	      0);
	HOLDS(parse_long("GET / HTTP/1.1\r\nHost: a\r\nX: ", value + 1, "\r\n",
		  0) == -1);
	expect_number(head.status, 431, "a field, limit + 1");
	HOLDS(parse_cut(25 + HTTP_LINE_MAX) == 0);
	HOLDS(parse_cut(25 + HTTP_LINE_MAX + 1) == -1 && head.status == 431);
	HOLDS(parse_long("GET / HTTP/1.1\r\n", 30000, "", 0) == -1);
	expect_number(head.status, 431, "an endless name");
	/* The line end may come in two pieces. */
	HOLDS(parse_long("GET /", target, end, 0) > 0);
	HOLDS(parse_cut(HTTP_LINE_MAX + 1) == 0);
}

static void
large_heads(void)
{
	const char *begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
	const size_t room = HTTP_HEAD_MAX - 8180 -
			    strlen("GET / HTTP/1.1\r\nHost: a\r\nX: "
				   "\r\nY: \r\n\r\n");
	char second[8200] = "\r\nY: ";

	memset(second + 5, 'y', 8180);
	strcpy(second + 8185, "\r\n");
	expect_number(parse_long(begin, room, second, 0), HTTP_HEAD_MAX,
	    "as large as may be");
	HOLDS(parse_cut(HTTP_HEAD_MAX - 1) == 0);
	HOLDS(parse_long(begin, room + 1, second, 0) == -1);
	expect_number(head.status, 431, "a head, limit + 1");
	/* It cannot end any more: no need to read on. */
	HOLDS(parse_cut(HTTP_HEAD_MAX) == -1 && head.status == 431);
	HOLDS(parse_cut(HTTP_HEAD_MAX - 1) == 0);
	/* A body behind it does not count. */
	(void)parse_long(begin, 10, "\r\n", 0);
	memset(text + 100, 'b', 30000);
	HOLDS(parse_cut(30000) == 42);
}

static void
many_fields(void)
{
	const char *one = "GET / HTTP/1.1\r\nHost: a";

	HOLDS(parse_long(one, 0, "\r\n", HTTP_FIELDS_MAX - 1) > 0);
	HOLDS(parse_long(one, 0, "\r\n", HTTP_FIELDS_MAX) == -1);
	expect_number(head.status, 431, "fields, limit + 1");
	HOLDS(parse_cut(25 + 6 * HTTP_FIELDS_MAX) == -1);
	HOLDS(parse_cut(25 + 6 * HTTP_FIELDS_MAX - 6) == 0);
}

static void
hosts(void)
{
	static const char *const good[] = { "a", "a:1", "localhost",
		"localhost:8080", "127.0.0.1", "127.0.0.1:80", "[::1]",
		"[::1]:65535", "a-b.c_d", "a.", "[1:2::3.4.5.6]:1",
		"EVIL.com" };
	static const char *const bad[] = { "", ":", ":80", "a:", "a:x", "a:80x",
		"a:65536", "a:100000", "a:+1", "a:-1", "a: 1", "a b", "a,b",
		"a;b", "a/b", "a@b", "a?b", "a#b", "a\\b", "a%41", "[", "]",
		"[]", "[::1", "::1", "::1]", "[::1]x", "[::1]:", "[::1]:x",
		"[::1%25a]", "[a b]", "[[::1]]", "a[::1]", "http://a",
		"a\xc3\xa9", "a:1:2", "\"a\"", "*" };

	for (size_t i = 0; i < LENGTH(good) + LENGTH(bad); i++) {
		bool is_good = i < LENGTH(good);
		const char *host = is_good ? good[i] : bad[i - LENGTH(good)];
		int n = snprintf(text, sizeof(text),
		    "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);

		expect_number(
		    http_parse(text, (size_t)n, &head), is_good ? n : -1, host);
		expect_number(head.status, is_good ? 0 : 400, host);
	}
	refused_with("Host: a\r\n", 400);
	refused_with("hOst: b\r\n", 400);
	HOLDS(http_parse("GET / HTTP/1.1\r\n\r\n", 18, &head) == -1);
	expect_number(head.status, 400, "no Host");
	HOLDS(http_parse("GET / HTTP/1.0\r\n\r\n", 18, &head) == 18);
}

static void
credentials(void)
{
	static const char *const wrong[] = { "", "Bearer", "Bearer ", "Bear a",
		"Bearera", "Bearer\ta", "Bearer a b", "Bearer a,b",
		"Bearer \"a\"", "Basic YTpi", "Basic Bearer a", "Digest x", "a",
		"Bearer: a", "Bearer a\xc3\xa9", "Bearer a;b",
		"Bearer, Bearer a" };
	char line[100];

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		(void)snprintf(
		    line, sizeof(line), "Authorization: %s\r\n", wrong[i]);
		HOLDS(parse_with(line) > 0);
		expect_number(head.wrong_credential, 1, wrong[i]);
		HOLDS(head.token.data == NULL);
	}
	HOLDS(parse_with("authorization: BEARER  abc=\r\n") > 0);
	HOLDS(!head.wrong_credential && http_is(head.token, "abc="));
	refused_with(
	    "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n", 400);
	refused_with("Authorization: Bearer a\r\nauthorization:\r\n", 400);
}

static void
small_fields(void)
{
	HOLDS(
	    parse_with("Expect: 100-continue\r\nexpect: 100-CONTINUE\r\n") > 0);
	HOLDS(head.expect_continue);
	refused_with("Expect: 200-ok\r\n", 417);
	refused_with("Expect:\r\n", 417);
	refused_with("Expect: 100-continue, x\r\n", 417);
	HOLDS(http_parse("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 40,
		  &head) == 40);
	HOLDS(!head.expect_continue);
	refused_with("Origin: a\r\nOrigin: a\r\n", 400);
	refused_with("Origin:\r\n", 400);
	refused_with("Origin: http://a http://b\r\n", 400);
	refused_with("Origin: http://\xc3\xa9\r\n", 400);
	refused_with("Origin: \xc3\xa9\r\n", 400);
	HOLDS(parse_with("Origin: null\r\n") > 0);
	HOLDS(http_is(head.origin, "null"));
	refused_with("Content-Type: a/b\r\nContent-Type: a/b\r\n", 400);
	HOLDS(parse_with("Content-Type:\r\n") > 0);
	HOLDS(head.content_type.data != NULL && head.content_type.len == 0);
	HOLDS(parse_with("Content-Type: a/b;c\r\n") > 0);
	HOLDS(http_is(head.content_type, "A/B"));
	HOLDS(parse_with("Content-Type: a/b, a/c\r\n") > 0);
	HOLDS(!http_is(head.content_type, "a/b"));
}

static void
request_ids(void)
{
	static const char *const bad[] = {
		"", "a b", "a/b", "\"a\"", "a\xc3\xa9", "a,b", "a:b", "a\tb",
		"<a>",
		"12345678901234567890123456789012345678901234567890123456789012345"
	};
	const char *longest = "1234567890123456789012345678901234567890"
			      "123456789012345678901234";
	char line[100];

	for (size_t i = 0; i < LENGTH(bad); i++) {
		(void)snprintf(
		    line, sizeof(line), "X-Request-ID: %s\r\n", bad[i]);
		HOLDS(parse_with(line) > 0);
		expect_text(head.request_id, "", bad[i]);
	}
	(void)snprintf(line, sizeof(line), "x-request-id: %s\r\n", longest);
	HOLDS(parse_with(line) > 0);
	expect_text(head.request_id, longest, "64 characters");
	HOLDS(parse_with("X-Request-ID: a.B_c-9\r\nX-Request-ID: d\r\n") > 0);
	expect_text(head.request_id, "a.B_c-9", "the first of two");
}

static void
accepts(void)
{
#define N HTTP_ACCEPT_NDJSON
#define S HTTP_ACCEPT_SSE
#define J HTTP_ACCEPT_JSON
	static const struct {
		const char *value;
		enum http_accept wanted;
	} tries[] = {
		{ "", J },
		{ "*/*", J },
		{ "application/*", J },
		{ "application/json", J },
		{ "image/png", J },
		{ "application/x-ndjson", N },
		{ "Application/X-NDJSON", N },
		{ "text/event-stream", S },
		{ "text/event-stream, */*", S },
		{ "*/*, text/event-stream", S },
		{ "text/event-stream,application/x-ndjson", S },
		{ "application/x-ndjson , text/event-stream", N },
		{ "application/json, text/event-stream", J },
		{ "text/event-stream, application/json", S },
		{ "image/png,,application/x-ndjson,", N },
		{ "application/x-ndjson;q=0", J },
		{ "application/x-ndjson; q=0.000", J },
		{ "application/x-ndjson;q=0, text/event-stream", S },
		{ "application/x-ndjson;Q=0.1, text/event-stream;q=0.2", S },
		{ "application/x-ndjson;q=0.200,text/event-stream;q=0.2", N },
		{ "application/json;q=0.9, text/event-stream", S },
		{ "application/json;q=0, text/event-stream;q=0", J },
		{ "application/x-ndjson;charset=utf-8", N },
		{ "application/x-ndjson;a=b;q=0", J },
		{ "application/x-ndjson;a=\"x,y;q=0\"", N },
		{ "application/x-ndjson;a=\"\\\",text/plain\";q=0", J },
		{ "a/b;x=\",application/x-ndjson", J },
		{ "application/x-ndjson;q=1.000", N },
		{ "application/x-ndjson;q=1.001", J },
		{ "application/x-ndjson;q=2", J },
		{ "application/x-ndjson;q=x", J },
		{ "application/x-ndjson;q=", J },
		{ "application/x-ndjson;q=0.1234", J },
		{ "application/x-ndjson;q=-1", J },
		{ "application/x-ndjsonx", J },
		{ "xtext/event-stream", J },
		{ "text/event-stream q=1", J },
		{ ";q=1", J },
		{ ",;,;,\"", J },
	};
	char line[100];

	for (size_t i = 0; i < LENGTH(tries); i++) {
		(void)snprintf(
		    line, sizeof(line), "Accept: %s\r\n", tries[i].value);
		HOLDS(parse_with(line) > 0);
		expect_number(head.accept, tries[i].wanted, tries[i].value);
	}
	HOLDS(parse_with("Accept: */*\r\nAccept: text/event-stream\r\n") > 0);
	HOLDS(head.accept == HTTP_ACCEPT_SSE);
	HOLDS(parse_with("Accept: text/event-stream;q=0.5\r\n"
			 "Accept: application/x-ndjson\r\n") > 0);
	HOLDS(head.accept == HTTP_ACCEPT_NDJSON);
}

static const struct testcase cases[] = {
	{ "a line has 8192 bytes and not one more", long_lines },
	{ "a head has 16384 bytes and not one more", large_heads },
	{ "a head has 64 fields and not one more", many_fields },
	{ "there is one Host, a name or address with a port", hosts },
	{ "only a bearer token is a credential, and one of them", credentials },
	{ "Expect, Origin and Content-Type mean one thing", small_fields },
	{ "a request id of up to 64 plain characters is kept", request_ids },
	{ "Accept chooses how the answer comes", accepts },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
