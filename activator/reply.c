#include "reply.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

int
reply_send(struct reply *r, const char *data, size_t len)
{
	struct pollfd p = { .fd = r->client, .events = POLLOUT };
	ssize_t n;

	while (len > 0) {
		n = send(r->client, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno != EINTR &&
			   (errno != EAGAIN ||
			       poll(&p, 1, REPLY_PATIENCE_MS) == 0)) {
			return -1;
		}
	}
	return 0;
}

static const char *
phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Unknown";
}

/* What every response has; returns the length. */
static int
put_head(struct reply *r, char *buf, size_t size, int status, const char *type)
{
	char date[40] = "";
	time_t now = time(NULL);
	struct tm tm;

	r->status = status;
	if (gmtime_r(&now, &tm) != NULL)
		(void)strftime(
		    date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return snprintf(buf, size,
	    "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "X-Request-ID: %s\r\n%s%s%s%s",
	    status, phrase_of(status), date, r->request_id,
	    status == 401 ? "WWW-Authenticate: Bearer\r\n" : "",
	    type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
	    type != NULL ? "\r\n" : "");
}

int
reply_whole(struct reply *r, int status, const char *type, const char *data,
    size_t len, const char *allow)
{
	char head[1024];
	int n = put_head(r, head, sizeof(head), status, type);

	if (allow != NULL && *allow != '\0')
		n += snprintf(
		    head + n, sizeof(head) - (size_t)n, "Allow: %s\r\n", allow);
	/* RFC 9110: never with 204. */
	if (status != 204)
		n += snprintf(head + n, sizeof(head) - (size_t)n,
		    "Content-Length: %zu\r\n", len);
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	/* A small one leaves as one packet. */
	if (!r->head_only && len <= sizeof(head) - (size_t)n) {
		if (len > 0)
			memcpy(head + n, data, len);
		return reply_send(r, head, (size_t)n + len);
	}
	if (reply_send(r, head, (size_t)n) != 0)
		return -1;
	return r->head_only ? 0 : reply_send(r, data, len);
}

int
reply_error(
    struct reply *r, enum error error, const char *message, const char *allow)
{
	struct json j;
	int n;

	json_init(&j);
	json_object(&j, NULL);
	json_text(&j, "code", error_rows[error].code);
	json_text(&j, "message", message);
	json_text(&j, "request_id", r->request_id);
	n = json_finish(&j);
	if (n == 0)
		n = reply_whole(r, error_rows[error].status, "application/json",
		    j.data, j.len, allow);
	json_free(&j);
	return n;
}

int
reply_begin(struct reply *r, const char *type)
{
	char head[1024];
	int n = put_head(r, head, sizeof(head), 200, type);

	/* HTTP/1.0 knows the end of a body by the end of the connection. */
	n += snprintf(head + n, sizeof(head) - (size_t)n, "%s\r\n",
	    r->minor > 0 ? "Transfer-Encoding: chunked\r\n" : "");
	return reply_send(r, head, (size_t)n);
}

int
reply_continue(struct reply *r)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	return reply_send(r, text, sizeof(text) - 1);
}
