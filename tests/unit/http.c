/* The head of a request: what is taken, and everything that is not. */
#include "http.h"

#include "unit.h"

static struct http_head head;

/*
 * Parses every beginning of the text, each before a guard page: what is good
 * is never refused half-way, and what is refused stays so.
 */
static int
parse(const char *text, size_t len)
{
	int r = 0, before = 0;

	for (size_t n = 0; n <= len; n++) {
		char *copy = guarded(text, n);

		memset(&head, 'x', sizeof(head));
		r = http_parse(copy, n, &head);
		if (before < 0 || n < len)
			HOLDS(before < 0 ? r == -1 : r <= 0);
		before = r;
	}
	return r;
}

static void
refused(const char *text, int status)
{
	expect_number(parse(text, strlen(text)), -1, text);
	expect_number(head.status, status, text);
	HOLDS(memchr(head.why, '\0', sizeof(head.why)) != NULL);
	HOLDS(head.why[0] != '\0' && strchr(head.why, '\n') == NULL);
}

static void
accepted(const char *text)
{
	size_t len = strlen(text);

	expect_number(parse(text, len), (int64_t)len, text);
	if (failed)
		printf("\t%d %s\n", head.status, head.why);
}

/* A GET of / with a Host and more lines. */
static const char *
with(const char *lines)
{
	static char text[1000];

	(void)snprintf(text, sizeof(text),
	    "GET / HTTP/1.1\r\nHost: localhost\r\n%s\r\n", lines);
	return text;
}

static void
expect_part(struct http_text found, const char *wanted, const char *about)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "%.*s", (int)found.len,
	    found.data != NULL ? found.data : "");
	HOLDS(found.data != NULL || found.len == 0);
	expect_text(text, wanted, about);
}

static void
plain(void)
{
	accepted("GET /health HTTP/1.1\r\nHost: localhost:8080\r\n\r\n");
	expect_text(head.method, "GET", "method");
	expect_text(head.path, "/health", "path");
	expect_part(head.host, "localhost:8080", "host");
	HOLDS(head.minor == 1 && head.content_length == -1);
	HOLDS(!head.chunked && !head.expect_continue);
	HOLDS(!head.wrong_credential && head.accept == HTTP_ACCEPT_JSON);
	HOLDS(head.query.data == NULL && head.origin.data == NULL);
	HOLDS(head.token.data == NULL && head.content_type.data == NULL);
	HOLDS(head.request_id[0] == '\0');
	accepted(
	    "POST /run HTTP/1.1\r\nhOST:localhost\r\n"
	    "Content-Length: 12\r\ncontent-type: Application/JSON ;"
	    " charset=utf-8\r\nX-Request-ID: a.b-C_1\r\n"
	    "Authorization: bEARER  ab-._~+/9==\t\r\nOrigin: http://a:1\r\n"
	    "Expect: 100-Continue\r\nAccept: text/event-stream\r\n"
	    "X: \t \x80\xff \"\r\nY:\r\n\r\n");
	HOLDS(head.content_length == 12 && head.expect_continue);
	HOLDS(http_is(head.content_type, "application/json"));
	HOLDS(!http_is(head.content_type, "application/jso"));
	HOLDS(!http_is(head.content_type, "application/json "));
	expect_text(head.request_id, "a.b-C_1", "id");
	expect_part(head.token, "ab-._~+/9==", "token");
	expect_part(head.origin, "http://a:1", "origin");
	HOLDS(!head.wrong_credential && head.accept == HTTP_ACCEPT_SSE);
	accepted("DELETE /sessions/abc?x=%41&y HTTP/1.0\r\n\r\n");
	expect_part(head.query, "x=%41&y", "query");
	HOLDS(head.minor == 0 && head.host.data == NULL);
	accepted("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_text(head.path, "*", "asterisk");
}

/* More than a head: its length is told, what is behind is not looked at. */
static void
body_behind(void)
{
	static const char text[] = "POST / HTTP/1.1\r\nHost: a\r\n\r\n\0\n\r";

	HOLDS(
	    http_parse(guarded(text, sizeof(text)), sizeof(text), &head) == 28);
}

static void
request_lines(void)
{
	static const struct {
		const char *line;
		int status;
	} tries[] = {
		{ "", 400 },
		{ " ", 400 },
		{ "GET", 400 },
		{ "GET ", 400 },
		{ "GET /", 400 },
		{ "GET / ", 400 },
		{ "GET  / HTTP/1.1", 400 },
		{ "GET /  HTTP/1.1", 400 },
		{ "GET / HTTP/1.1 ", 400 },
		{ "GET / HTTP/1.1 x", 400 },
		{ "GET / x HTTP/1.1", 400 },
		{ " GET / HTTP/1.1", 400 },
		{ "\tGET / HTTP/1.1", 400 },
		{ "GET\t/ HTTP/1.1", 400 },
		{ "GET /\tHTTP/1.1", 400 },
		{ "GET /\vx HTTP/1.1", 400 },
		{ "GET / http/1.1", 400 },
		{ "GET / HTTP/1", 400 },
		{ "GET / HTTP/1.", 400 },
		{ "GET / HTTP/11", 400 },
		{ "GET / HTTP/1.11", 400 },
		{ "GET / HTTP/01.1", 400 },
		{ "GET / HTTP/1,1", 400 },
		{ "GET / HTTP/x.1", 400 },
		{ "GET / HTTP/1.x", 400 },
		{ "GET / HTTPS/1.1", 400 },
		{ "GET / FTP/1.1", 400 },
		{ "GET / HTTP /1.1", 400 },
		{ "GET / HTTP/1.2", 505 },
		{ "GET / HTTP/1.9", 505 },
		{ "GET / HTTP/0.9", 505 },
		{ "GET / HTTP/2.0", 505 },
		{ "PRI * HTTP/2.0", 505 },
		{ "GET / HTTP/3.1", 505 },
		{ "G\xc3\x89T / HTTP/1.1", 400 },
		{ "G(T / HTTP/1.1", 400 },
		{ "GET: / HTTP/1.1", 400 },
		{ "\"GET\" / HTTP/1.1", 400 },
		{ "G\rT / HTTP/1.1", 400 },
		{ "GET /\r HTTP/1.1", 400 },
		{ "GET / HTTP/1.1\r", 400 },
		{ "SEVENTEENLETTERSX / HTTP/1.1", 400 },
		{ "CONNECT localhost:80 HTTP/1.1", 400 },
		{ "GET http://localhost/ HTTP/1.1", 400 },
		{ "GET localhost HTTP/1.1", 400 },
		{ "GET * HTTP/1.1", 400 },
		{ "options * HTTP/1.1", 400 },
		{ "OPTIONS ** HTTP/1.1", 400 },
		{ "OPTIONS *? HTTP/1.1", 400 },
		{ "\x16\x03\x01\x02", 400 },
		{ "\xef\xbb\xbfGET / HTTP/1.1", 400 },
	};
	char text[200];

	for (size_t i = 0; i < LENGTH(tries); i++) {
		(void)snprintf(
		    text, sizeof(text), "%s\r\nHost: a\r\n\r\n", tries[i].line);
		refused(text, tries[i].status);
	}
	accepted("!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n");
	refused("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
	HOLDS(http_parse("GET / HTTP/1.1\0\r\n\r\n", 19, &head) == -1);
	HOLDS(
	    http_parse("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28, &head) == -1);
	HOLDS(
	    http_parse("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", 27, &head) == -1);
}

/* Said at once, for what comes is not going to be a head. */
static void
not_http(void)
{
	HOLDS(http_parse(guarded("\x16\x03\x01", 3), 3, &head) == -1);
	HOLDS(http_parse(guarded("{\"a\"", 4), 4, &head) == -1);
	HOLDS(http_parse(guarded("SEVENTEENLETTERSX", 17), 17, &head) == -1);
	HOLDS(http_parse(guarded("SIXTEENLETTERSXX", 16), 16, &head) == 0);
	HOLDS(http_parse(guarded("GET / HTTP/1.1\n", 15), 15, &head) == -1);
	HOLDS(http_parse(guarded("", 0), 0, &head) == 0);
}

/* What is used to make two servers disagree about one request. */
static const char *const smuggled[] = {
	"Content-Length: 5\r\nContent-Length: 5\r\n",
	"Content-Length: 5\r\nContent-Length: 6\r\n",
	"Content-Length: 5\r\ncontent-length: 5\r\n",
	"Content-Length: 5, 5\r\n",
	"Content-Length: 5,5\r\n",
	"Content-Length: +5\r\n",
	"Content-Length: -5\r\n",
	"Content-Length: 0x5\r\n",
	"Content-Length: 5x\r\n",
	"Content-Length: 5 5\r\n",
	"Content-Length: \"5\"\r\n",
	"Content-Length: 5.0\r\n",
	"Content-Length: 5e1\r\n",
	"Content-Length: 5;\r\n",
	"Content-Length:\r\n",
	"Content-Length: \r\n",
	"Content-Length: five\r\n",
	"Content-Length: 9223372036854775808\r\n",
	"Content-Length: 18446744073709551621\r\n",
	"Content-Length: 99999999999999999999999999\r\n",
	"Content-Length: 5\v\r\n",
	"Content-Length: \f5\r\n",
	"Content-Length: \xb2\r\n",
	"Content-Length: \xd9\xa5\r\n",
	"Content-Length : 5\r\n",
	"Content-Length\t: 5\r\n",
	"Content-Length 5\r\n",
	" Content-Length: 5\r\n",
	"\tContent-Length: 5\r\n",
	"Content-Length: 5\r\n 6\r\n",
	"Content-Length:\r\n 5\r\n",
	"Content-Length: 5\n",
	"Content-Length: 5\r\r\n",
	"Content-Length: 5\rX: y\r\n",
	"X: y\nContent-Length: 5\r\n",
	"Content\\Length: 5\r\n",
	"Content Length: 5\r\n",
	"Content-Length\xa0: 5\r\n",
	"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
	"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
	"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
	"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
	"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
	"Transfer-Encoding: chunked, chunked\r\n",
	"Transfer-Encoding: chunked, identity\r\n",
	"Transfer-Encoding: identity, chunked\r\n",
	"Transfer-Encoding: gzip, chunked\r\n",
	"Transfer-Encoding: chunked,\r\n",
	"Transfer-Encoding: ,chunked\r\n",
	"Transfer-Encoding: chunked;q=1\r\n",
	"Transfer-Encoding: gzip\r\n",
	"Transfer-Encoding: identity\r\n",
	"Transfer-Encoding:\r\n",
	"Transfer-Encoding: xchunked\r\n",
	"Transfer-Encoding: chunkedx\r\n",
	"Transfer-Encoding: chunke\r\n",
	"Transfer-Encoding: \"chunked\"\r\n",
	"Transfer-Encoding: 'chunked'\r\n",
	"Transfer-Encoding: cow\r\n",
	"Transfer-Encoding: chunk ed\r\n",
	"Transfer-Encoding: \vchunked\r\n",
	"Transfer-Encoding: chunked\v\r\n",
	"Transfer-Encoding: \x01\r\n",
	"Transfer-Encoding: \xa0"
	"chunked\r\n",
	"Transfer-Encoding: chun\xc4\xb1ked\r\n",
	"Transfer-Encoding : chunked\r\n",
	"Transfer-Encoding\t:chunked\r\n",
	"Transfer-Encoding\v: chunked\r\n",
	" Transfer-Encoding: chunked\r\n",
	"Transfer-Encoding\r\n : chunked\r\n",
	"Transfer-Encoding:\r\n chunked\r\n",
	"Transfer-Encoding: chunked\r\n\tx\r\n",
	"Transfer-Encoding: chunked\n",
	"X: y\rTransfer-Encoding: chunked\r\n",
	"X:\nTransfer-Encoding: chunked\r\n",
	": chunked\r\n",
	":\r\n",
	"chunked\r\n",
	"X\r\n",
	"X Y: z\r\n",
	"(X): y\r\n",
	"X@: y\r\n",
	"X[]: y\r\n",
	"\"X\": y\r\n",
	"X\x01: y\r\n",
	"X: \x01\r\n",
	"X: \x1b[1m\r\n",
	"X: \x7f\r\n",
	"X: a\rb\r\n",
	"X: \b\r\n",
	"\x80: y\r\n",
	"X: y\r\n\r",
	" \r\n",
	"\t\r\n",
	"\r\r\n",
};

static void
smuggling(void)
{
	for (size_t i = 0; i < LENGTH(smuggled); i++)
		refused(with(smuggled[i]), 400);
	/* The first line cannot be folded either. */
	refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400);
	refused("GET / HTTP/1.1\nHost: a\r\n\r\n", 400);
	refused("GET / HTTP/1.1\r\nHost: a\n\r\n", 400);
	refused("GET / HTTP/1.1\r\nHost: a\r\n\n", 400);
	refused("GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n", 400);
	refused("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
	for (size_t i = 0; i < 5; i++) {
		char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX-Y: z\r\n\r\n";

		text[25 + i] = '\0';
		HOLDS(parse(text, sizeof(text) - 1) == -1);
		expect_number(head.status, 400, "a zero byte");
	}
}

static void
lengths(void)
{
	accepted(with("Content-Length: 0\r\n"));
	HOLDS(head.content_length == 0);
	accepted(with("Content-Length:\t 00042 \t\r\n"));
	HOLDS(head.content_length == 42);
	accepted(with("Content-Length: 9223372036854775807\r\n"));
	HOLDS(head.content_length == INT64_MAX);
	accepted(with("Transfer-Encoding: chunked\r\n"));
	HOLDS(head.chunked && head.content_length == -1);
	accepted(with("TRANSFER-ENCODING:\tChunKeD \r\n"));
	HOLDS(head.chunked);
	/* Other names than those. */
	accepted(with("Content_Length: x\r\nTransfer_Encoding: x\r\n"
		      "Content-Lengt: x\r\nX-Content-Length: x\r\n"));
	HOLDS(!head.chunked && head.content_length == -1);
}

static const struct testcase cases[] = {
	{ "a head is taken apart", plain },
	{ "a body that came with it is left alone", body_behind },
	{ "a request line has one form", request_lines },
	{ "what is not HTTP is refused at its first bytes", not_http },
	{ "whatever could be understood in two ways is 400", smuggling },
	{ "lengths are whole numbers, or chunked alone", lengths },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
