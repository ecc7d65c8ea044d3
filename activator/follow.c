#include "follow.h"

#include <poll.h>
#include <string.h>

#include "stream.h"
#include "sys.h"

#define PING_MS 15000

static int
put_error(struct stream_out *s, enum error error, const char *text)
{
	stream_open(s, "error");
	json_text(&s->event, "code", error_rows[error].code);
	json_text(&s->event, "message", text);
	return stream_close(s);
}

/* What the broker says next. 1 when it was the last; -1 when it is lost. */
static int
take_message(struct stream_out *s, int link)
{
	struct packet p;
	struct answer a;

	if (message_receive(link, &p) != 1 ||
	    (p.type != MESSAGE_PROGRESS && p.type != MESSAGE_ANSWER &&
		p.type != MESSAGE_ERROR) ||
	    message_read(&p, &a) != NULL ||
	    (p.type == MESSAGE_ANSWER ? a.body : a.text) == NULL)
		return put_error(s, ERROR_SANDBOX_FAILED, "the broker died") ==
			       0
			   ? 1
			   : -1;
	if (p.type == MESSAGE_ERROR)
		return put_error(s, (enum error)a.error, a.text) == 0 ? 1 : -1;
	if (p.type == MESSAGE_ANSWER) {
		/* In the place of the newline stands its NUL. */
		size_t len = strlen(a.body);

		a.body[len] = '\n';
		return stream_put(s, a.body, len + 1) == 0 ? 1 : -1;
	}
	stream_open(s, "progress");
	json_bytes(&s->event, "message", a.text, strlen(a.text));
	return stream_close(s);
}

/*
 * One turn. 1 after the last event; -1 when the client has gone, or takes
 * nothing.
 */
static int
turn(struct stream_out *s, int link)
{
	bool pending = s->len > 0;
	struct pollfd fds[2] = {
		{ .fd = s->reply->client,
		    .events = (short)(POLLRDHUP | (pending ? POLLOUT : 0)) },
		/* Who reads slowly holds back the broker, not memory. */
		{ .fd = pending ? -1 : link, .events = POLLIN },
	};
	int64_t left = s->last_ms + PING_MS - sys_now_ms();
	int n = poll(fds, 2,
	    pending    ? REPLY_PATIENCE_MS
	    : left > 0 ? (int)left
		       : 0);

	if (n < 0)
		return 0;
	if (n == 0 && pending)
		return -1;
	if (n == 0) {
		stream_open(s, "ping");
		return stream_close(s) != 0 ? -1 : stream_flush(s);
	}
	if ((fds[0].revents & ~POLLOUT) != 0)
		return -1;
	n = fds[1].revents != 0 ? take_message(s, link) : 0;
	return n < 0 || stream_flush(s) != 0 ? -1 : n;
}

int
follow(
    struct reply *r, int link, enum http_accept accept, struct packet *started)
{
	static struct stream_out s;
	struct answer a;
	int n;

	if (message_read(started, &a) != NULL)
		return reply_error(
		    r, ERROR_SANDBOX_FAILED, "the broker is broken", NULL);
	if (stream_begin(&s, r, accept == HTTP_ACCEPT_SSE) != 0)
		return -1;
	stream_open(&s, "start");
	json_text(&s.event, "id", a.id);
	if (stream_close(&s) != 0 || stream_flush(&s) != 0)
		return -1;
	while ((n = turn(&s, link)) == 0)
		;
	return n < 0 ? -1 : stream_end(&s);
}
