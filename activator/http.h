#ifndef ACTIVATOR_HTTP_H
#define ACTIVATOR_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_LINE_MAX 8192 /* bytes of a line, without its end */
#define HTTP_HEAD_MAX 16384 /* bytes of the head, with the empty line */
#define HTTP_FIELDS_MAX 64
#define HTTP_METHOD_MAX 16
#define HTTP_ID_MAX 64

/* A part of the buffer; data is NULL where there is none. */
struct http_text {
	const char *data;
	size_t len;
};

/* What the client wants to have. */
enum http_accept {
	HTTP_ACCEPT_JSON, /* also where it says nothing, or nothing we have */
	HTTP_ACCEPT_NDJSON, /* application/x-ndjson */
	HTTP_ACCEPT_SSE, /* text/event-stream */
	HTTP_ACCEPT_MAX
};

/* The head of a request. Texts point into the buffer that was parsed. */
struct http_head {
	char method[HTTP_METHOD_MAX + 1];
	char path[HTTP_LINE_MAX]; /* decoded and canonical, or "*" */
	struct http_text query; /* behind the '?', as it came */
	int minor; /* HTTP/1.minor: 0 or 1 */
	struct http_text host; /* with the port; none only in HTTP/1.0 */
	struct http_text origin;
	struct http_text content_type; /* type/subtype, without parameters */
	int64_t content_length; /* -1 where not given */
	bool chunked;
	bool expect_continue;
	enum http_accept accept;
	int accept_quality; /* of it, in thousandths */
	/* Of "Authorization: Bearer TOKEN"; anything else there is wrong. */
	struct http_text token;
	bool wrong_credential;
	char request_id[HTTP_ID_MAX + 1]; /* "" where none that can be used */

	/* After a failure: what to answer, and a sentence. */
	int status;
	char why[120];
};

/*
 * The length of the head with its empty line; 0 when more is needed, which is
 * never so from HTTP_HEAD_MAX bytes on; -1 when this is not, and will not
 * become, a request that we take: see h->status and h->why. Each call parses
 * buf from its beginning, and h needs no preparation.
 */
int http_parse(const char *buf, size_t len, struct http_head *h);

/* May it stand in a field's name or a method? In a field's value? */
bool http_is_token(char ch);
bool http_is_text(char ch);

/* The text is word, in whatever case. */
bool http_is(struct http_text text, const char *word);

/*
 * Are all parameters of the query among the n names, each at most once? 0,
 * or -1 with a sentence in why.
 */
int http_query_check(const struct http_head *h, const char *const names[],
    size_t n, char *why, size_t size);

/*
 * Copies the decoded value of the parameter, ended by a zero byte, to buf. 1,
 * or 0 where there is none, or -1 where it does not fit.
 */
int
http_query(const struct http_head *h, const char *name, char *buf, size_t size);

#endif
