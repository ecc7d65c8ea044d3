#include "carry.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collection.h"
#include "feed.h"
#include "stream.h"
#include "sys.h"

#define PING_MS 15000
#define READ_SIZE 65536
#define TOO_LARGE                                                              \
	"the output is too large to be answered as a whole: ask for a stream"

/* One of the command's outputs. */
struct outlet {
	int fd;
	const char *type; /* of its events */
	struct kept *kept;
	uint64_t passed;
	char buf[READ_SIZE + 4];
	size_t tail; /* bytes of a character in buf, not whole yet */
};

struct carrier {
	struct reply *reply;
	int link;
	const struct body *body;
	bool streamed;
	struct stream_out stream;
	struct feed feeds[2];
	struct outlet outlets[2];
	struct collection collection;
	uint64_t output; /* limit, LIMIT_UNSET for none */
	bool told; /* the broker, that it was passed */
	struct verdict verdict;
	bool has_verdict;
	bool failed; /* the broker sent an error instead */
	struct answer error;
};

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int
send_data(struct carrier *c, const struct outlet *o, size_t len)
{
	if (len == 0)
		return 0;
	stream_open(&c->stream, o->type);
	if (json_is_utf8(o->buf, len))
		json_bytes(&c->stream.event, "data", o->buf, len);
	else
		json_base64(&c->stream.event, "base64", o->buf, len);
	return stream_close(&c->stream);
}

/* Sends what is whole, and at the end all. */
static int
pass_on(struct carrier *c, struct outlet *o, size_t len, bool ended)
{
	size_t whole;

	len += o->tail;
	o->tail = ended ? 0 : stream_tail(o->buf, len);
	whole = len - o->tail;
	if (send_data(c, o, whole) != 0)
		return -1;
	memmove(o->buf, o->buf + whole, o->tail);
	return 0;
}

/* One byte tells it; the rest of the output is not read any more. */
static void
tell_over(struct carrier *c, struct outlet *o)
{
	o->kept->truncated = true;
	close_fd(&o->fd);
	if (!c->told)
		(void)send(c->link, "o", 1, MSG_NOSIGNAL);
	c->told = true;
}

static void
fail(struct carrier *c, const char *why)
{
	c->failed = true;
	c->error = (struct answer){ .error = ERROR_SANDBOX_FAILED,
		.text = (char *)(uintptr_t)why };
}

/* There is no memory for more of it; what was kept makes room to say so. */
static int
give_up(struct carrier *c)
{
	fail(c, TOO_LARGE);
	free(c->verdict.out.data);
	free(c->verdict.err.data);
	c->verdict.out.data = c->verdict.err.data = NULL;
	return 0;
}

static int
read_output(struct carrier *c, struct outlet *o)
{
	ssize_t n = read(o->fd, o->buf + o->tail, READ_SIZE);
	bool over;
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) {
		fail(c, "output was lost");
		return 0;
	}
	if (n == 0) {
		close_fd(&o->fd);
		return c->streamed ? pass_on(c, o, 0, true) : 0;
	}
	over = c->output != LIMIT_UNSET && (uint64_t)n > c->output - o->passed;
	if (over)
		n = (ssize_t)(c->output - o->passed);
	o->passed += (uint64_t)n;
	if (c->streamed)
		r = pass_on(c, o, (size_t)n, over);
	else if ((r = kept_add(o->kept, o->buf, (size_t)n)) != 0)
		r = give_up(c);
	if (over)
		tell_over(c, o);
	return r;
}

/* The verdict, or the error that there is instead. -1: the broker died. */
static int
read_link(struct carrier *c)
{
	struct packet p;

	if (message_receive(c->link, &p) != 1)
		return -1;
	if (p.type == MESSAGE_VERDICT) {
		struct verdict v;

		if (message_read(&p, &v) != NULL)
			return -1;
		v.out = c->verdict.out;
		v.err = c->verdict.err;
		c->verdict = v;
		c->outlets[0].kept = &c->verdict.out;
		c->outlets[1].kept = &c->verdict.err;
		c->has_verdict = true;
		return 0;
	}
	if (p.type != MESSAGE_ERROR || message_read(&p, &c->error) != NULL)
		return -1;
	c->failed = true;
	return 0;
}

static bool
is_done(const struct carrier *c)
{
	return c->failed || (c->has_verdict && c->outlets[0].fd < 0 &&
				c->outlets[1].fd < 0 && c->collection.fd < 0);
}

/* Which of poll's descriptors is which. */
enum {
	AT_CLIENT,
	AT_LINK,
	AT_COLLECTION,
	AT_FEED,
	AT_OUTLET = AT_FEED + 2,
	AT_MAX = AT_OUTLET + 2
};

static int
wait_all(struct carrier *c, struct pollfd fds[AT_MAX])
{
	bool pending = c->streamed && c->stream.len > 0;
	int64_t left = -1;

	fds[AT_CLIENT] = (struct pollfd){ .fd = c->reply->client,
		.events = (short)(POLLRDHUP | (pending ? POLLOUT : 0)) };
	fds[AT_LINK] = (struct pollfd){ .fd = c->has_verdict ? -1 : c->link,
		.events = POLLIN };
	fds[AT_COLLECTION] =
	    (struct pollfd){ .fd = c->collection.fd, .events = POLLIN };
	for (int i = 0; i < 2; i++) {
		fds[AT_FEED + i] =
		    (struct pollfd){ .fd = c->feeds[i].fd, .events = POLLOUT };
		/* Who reads slowly holds back the command, not memory. */
		fds[AT_OUTLET + i] =
		    (struct pollfd){ .fd = pending ? -1 : c->outlets[i].fd,
			    .events = POLLIN };
	}
	if (c->streamed && !pending) {
		left = c->stream.last_ms + PING_MS - sys_now_ms();
		if (left < 0)
			left = 0;
	}
	/* With the run over nothing but the client can keep us. */
	if (pending && c->has_verdict)
		left = REPLY_PATIENCE_MS;
	return poll(fds, AT_MAX, (int)left);
}

static int
handle(struct carrier *c, const struct pollfd fds[AT_MAX])
{
	if ((fds[AT_CLIENT].revents & ~POLLOUT) != 0 ||
	    (c->streamed && stream_flush(&c->stream) != 0))
		return -1;
	for (int i = 0; i < 2; i++) {
		if (fds[AT_FEED + i].revents != 0)
			feed_move(&c->feeds[i]);
	}
	for (int i = 0; i < 2; i++) {
		if (fds[AT_OUTLET + i].revents != 0 &&
		    read_output(c, &c->outlets[i]) != 0)
			return -1;
	}
	if (fds[AT_COLLECTION].revents != 0)
		collection_read(&c->collection);
	if (fds[AT_LINK].revents != 0 && read_link(c) != 0)
		fail(c, "the broker died");
	return c->streamed ? stream_flush(&c->stream) : 0;
}

/* A command that came to its own end had all of its input and files? */
static void
check_whole(struct carrier *c)
{
	bool own = c->verdict.reason == REASON_EXIT ||
		   c->verdict.reason == REASON_SIGNAL;

	if (c->failed || c->told || !own)
		return;
	if (c->feeds[0].lost || c->feeds[1].lost)
		fail(c, "input was lost");
	else if (!c->collection.whole)
		fail(c, "the files could not all be collected");
}

/* Until all is said. -1 when the client has gone. */
static int
carry_all(struct carrier *c)
{
	struct pollfd fds[AT_MAX];
	int n;

	while (!is_done(c)) {
		n = wait_all(c, fds);
		if (n < 0)
			continue;
		if (n == 0 && c->stream.len > 0)
			return -1;
		if (n == 0) {
			stream_open(&c->stream, "ping");
			if (stream_close(&c->stream) != 0 ||
			    stream_flush(&c->stream) != 0)
				return -1;
			continue;
		}
		if (handle(c, fds) != 0)
			return -1;
	}
	return 0;
}

static int
answer_stream(struct carrier *c)
{
	if (c->failed) {
		stream_open(&c->stream, "error");
		json_text(
		    &c->stream.event, "code", error_rows[c->error.error].code);
		json_text(&c->stream.event, "message", c->error.text);
	} else {
		stream_open(&c->stream, "exit");
		result_put(&c->stream.event, &c->verdict, false,
		    c->collection.files, c->collection.count);
	}
	return stream_close(&c->stream) != 0 ? -1 : stream_end(&c->stream);
}

static int
answer_whole(struct carrier *c)
{
	struct json j;
	int r;

	if (c->failed)
		return reply_error(
		    c->reply, (enum error)c->error.error, c->error.text, NULL);
	json_init(&j);
	json_object(&j, NULL);
	result_put(
	    &j, &c->verdict, true, c->collection.files, c->collection.count);
	if (json_finish(&j) != 0) {
		json_free(&j);
		return reply_error(
		    c->reply, ERROR_SANDBOX_FAILED, TOO_LARGE, NULL);
	}
	r = reply_whole(c->reply, 200, "application/json", j.data, j.len, NULL);
	json_free(&j);
	return r;
}

static int
begin(struct carrier *c, const struct answer *a, const struct packet *started)
{
	static const char *const types[] = { "stdout", "stderr" };
	const int *fd = started->fds;

	c->output = a->output;
	c->feeds[0] =
	    (struct feed){ *fd++, c->body->in, c->body->in_len, false };
	for (int i = 0; i < 2; i++) {
		c->outlets[i].fd = *fd++;
		c->outlets[i].type = types[i];
	}
	c->outlets[0].kept = &c->verdict.out;
	c->outlets[1].kept = &c->verdict.err;
	c->feeds[1].fd = -1;
	if (c->body->request.files)
		c->feeds[1] = (struct feed){ *fd++, c->body->files,
			c->body->files_len, false };
	return collection_begin(&c->collection,
	    c->body->request.collect != NULL ? *fd++ : -1,
	    c->body->request.collect);
}

int
carry(struct reply *r, int link, const struct body *b, enum http_accept accept,
    struct packet *started, struct note *note)
{
	static struct carrier c;
	struct answer a;
	int done;

	c.reply = r;
	c.link = link;
	c.body = b;
	c.streamed = accept != HTTP_ACCEPT_JSON;
	if (message_read(started, &a) != NULL ||
	    started->fds[STARTED_ERR] < 0 || begin(&c, &a, started) != 0)
		return reply_error(
		    r, ERROR_SANDBOX_FAILED, "the broker is broken", NULL);
	if (c.streamed) {
		if (stream_begin(&c.stream, r, accept == HTTP_ACCEPT_SSE) != 0)
			return -1;
		stream_open(&c.stream, "start");
		json_text(&c.stream.event, "id", a.id);
		if (stream_close(&c.stream) != 0 ||
		    stream_flush(&c.stream) != 0)
			return -1;
	}
	if (carry_all(&c) != 0)
		return -1;
	check_whole(&c);
	if (c.told)
		verdict_exceed(&c.verdict, REASON_OUTPUT);
	note->output_over = c.told;
	done = c.streamed ? answer_stream(&c) : answer_whole(&c);
	return done;
}
