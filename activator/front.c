#include "front.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carry.h"
#include "defence.h"
#include "follow.h"
#include "front_parts.h"
#include "sys.h"

/* After an error: what the client still sends is taken for so long. */
#define LINGER_MS 2000
#define LINGER_BYTES (64U << 20)

noreturn void
front_leave(struct front *f)
{
	int64_t until = sys_now_ms() + LINGER_MS, left;
	struct pollfd p = { .fd = FRONT_CLIENT, .events = POLLIN };
	size_t taken = 0;
	ssize_t n;

	f->note.status = (uint64_t)f->reply.status;
	/* The client need not wait for what is still to be done here. */
	(void)shutdown(FRONT_CLIENT, SHUT_WR);
	(void)message_send(FRONT_LINK, MESSAGE_NOTE, &f->note, NULL, 0);
	/* A close with unread data makes the response vanish: RFC 9112, 9.6 */
	if (f->unread && f->reply.status != 0) {
		while (taken < LINGER_BYTES &&
		       (left = until - sys_now_ms()) > 0 &&
		       poll(&p, 1, (int)left) > 0) {
			n = recv(
			    FRONT_CLIENT, f->buf, sizeof(f->buf), MSG_DONTWAIT);
			if (n <= 0)
				break;
			taken += (size_t)n;
		}
	}
	_exit(0);
}

noreturn void
front_refuse(
    struct front *f, enum error error, const char *why, const char *allow)
{
	front_be_admitted(f);
	f->note.why = (char *)(uintptr_t)why;
	(void)reply_error(&f->reply, error, why, allow);
	front_leave(f);
}

bool
front_wait_client(int64_t until)
{
	struct pollfd p = { .fd = FRONT_CLIENT, .events = POLLIN };
	int64_t left;

	for (;;) {
		left = until - sys_now_ms();
		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) > 0)
			return true;
	}
}

/* Reads the head, and notes what the response needs of it. */
static void
read_head(struct front *f)
{
	int64_t until = sys_now_ms() + FRONT_HEAD_MS;
	int n = 0;
	ssize_t got;

	f->unread = true;
	while (n == 0) {
		if (!front_wait_client(until) && DEFENCE(HEAD_TIME)) {
			if (f->len == 0)
				front_leave(f);
			front_refuse(f, ERROR_TIMEOUT,
			    "the head did not come within 5 seconds", NULL);
		}
		got = recv(FRONT_CLIENT, f->buf + f->len,
		    sizeof(f->buf) - f->len, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0) {
			f->note.why = (char *)(uintptr_t) "no whole request";
			front_leave(f);
		}
		f->len += (size_t)got;
		n = http_parse(f->buf, f->len, &f->head);
	}
	if (n < 0)
		front_refuse(
		    f, error_of_status(f->head.status), f->head.why, NULL);
	f->head_len = (size_t)n;
	f->unread = f->len > f->head_len || f->head.content_length > 0 ||
		    f->head.chunked;
	f->reply.minor = f->head.minor;
	f->reply.head_only = strcmp(f->head.method, "HEAD") == 0;
	if (f->head.request_id[0] != '\0')
		(void)snprintf(f->reply.request_id, sizeof(f->reply.request_id),
		    "%s", f->head.request_id);
}

/* A part of the head as a string, or NULL where there is none. */
static char *
text_of(struct front *f, struct http_text t)
{
	char *text;

	if (t.data == NULL)
		return NULL;
	text = malloc(t.len + 1);
	if (text != NULL) {
		memcpy(text, t.data, t.len);
		text[t.len] = '\0';
		return text;
	}
	front_refuse(f, ERROR_SANDBOX_FAILED, "no memory", NULL);
}

/* What does not fit into a message is refused; else it has not arrived. */
static noreturn void
refuse_unsent(struct front *f, enum error error, const char *why)
{
	if (errno == EMSGSIZE)
		front_refuse(f, error, why, NULL);
	front_refuse(f, ERROR_SANDBOX_FAILED,
	    errno == ENOMEM ? "no memory" : "the broker cannot be asked", NULL);
}

/*
 * What the broker says; the end of this process where it is no. The broker may
 * take its time: then a client that has shut down its sending half has gone,
 * and else only one that has closed all of it.
 */
static void
hear(struct front *f, bool may_last, struct packet *p)
{
	struct pollfd fds[2] = { { .fd = FRONT_LINK, .events = POLLIN },
		{ .fd = FRONT_CLIENT, .events = may_last ? POLLRDHUP : 0 } };
	struct answer a;

	while (poll(fds, 2, -1) <= 0)
		;
	/* The broker notices, and does not go on. */
	if (fds[0].revents == 0)
		front_leave(f);
	if (message_receive(FRONT_LINK, p) != 1)
		front_refuse(f, ERROR_SANDBOX_FAILED, "the broker died", NULL);
	if (p->type == MESSAGE_ERROR) {
		if (message_read(p, &a) != NULL)
			_exit(1);
		front_refuse(f, (enum error)a.error, a.text, NULL);
	}
}

void
front_be_admitted(struct front *f)
{
	struct packet p;

	if (!f->waits)
		return;
	f->waits = false;
	hear(f, false, &p);
	if (p.type != MESSAGE_ALLOWED)
		front_refuse(
		    f, ERROR_SANDBOX_FAILED, "the broker is broken", NULL);
}

/*
 * Says who asks. While the broker thinks about it the request is read on, but
 * a stranger does not learn which paths there are: front_be_admitted().
 */
static void
introduce(struct front *f)
{
	const struct http_head *h = &f->head;
	struct caller c = { .method = f->head.method,
		.path = f->head.path,
		.host = text_of(f, h->host),
		.origin = text_of(f, h->origin),
		.token = text_of(f, h->token),
		.request_id = f->reply.request_id,
		.bad_credential = h->wrong_credential };

	f->route =
	    route_find(h, f->id, &f->no_route, f->allow, sizeof(f->allow));
	c.open = f->route != NULL && f->route->is_open;
	if (message_send(FRONT_LINK, MESSAGE_CALLER, &c, NULL, 0) != 0)
		refuse_unsent(f, ERROR_BAD_REQUEST,
		    "Host, Origin or Authorization is too long");
	f->waits = true;
}

static void
check_route(struct front *f)
{
	char why[160];

	if (f->route == NULL && f->no_route == 204) {
		front_be_admitted(f);
		(void)reply_whole(&f->reply, 204, NULL, NULL, 0, f->allow);
		front_leave(f);
	}
	if (f->route == NULL && f->no_route == 405) {
		(void)snprintf(
		    why, sizeof(why), "only %s is known here", f->allow);
		front_refuse(f, ERROR_METHOD_NOT_ALLOWED, why, f->allow);
	}
	if (f->route == NULL)
		front_refuse(
		    f, ERROR_NOT_FOUND, "there is nothing at this path", NULL);
	route_fill(f->route, f->id, &f->body.request);
	if (request_read_query(
		&f->body, f->route, &f->head, why, sizeof(why)) != 0)
		front_refuse(f, ERROR_INVALID_FIELD, why, NULL);
	if (DEFENCE(CONTENT_TYPE) && f->route->has_body &&
	    !http_is(f->head.content_type, "application/json"))
		front_refuse(f, ERROR_UNSUPPORTED_MEDIA_TYPE,
		    "Content-Type: must be application/json", NULL);
}

/* The words of the API for what the reader of JSON found. */
static noreturn void
refuse_json(struct front *f, const struct json_doc *d)
{
	static const struct {
		const char *found;
		enum error error;
	} codes[] = {
		{ "invalid_json", ERROR_NOT_JSON },
		{ "nul", ERROR_NUL_IN_STRING },
		{ "too_deep", ERROR_TOO_DEEP },
		{ "too_many_tokens", ERROR_TOO_DEEP },
		{ "duplicate_key", ERROR_DUPLICATE_KEY },
		{ "no_memory", ERROR_SANDBOX_FAILED },
		{ "invalid_field", ERROR_INVALID_FIELD },
	};
	size_t i = 0;

	while (i < sizeof(codes) / sizeof(*codes) - 1 &&
	       strcmp(codes[i].found, d->code) != 0)
		i++;
	front_refuse(f, codes[i].error, d->why, NULL);
}

static void
parse_body(struct front *f)
{
	struct json_doc d = { 0 };

	f->body.request.streamed = f->head.accept != HTTP_ACCEPT_JSON;
	if (f->route->has_body &&
	    request_read(&f->body, f->route, f->text, f->text_len, &d) != 0)
		refuse_json(f, &d);
}

/* Whoever does not wait for it ends it. */
static bool
may_last(enum verb verb)
{
	return verb == VERB_RUN || verb == VERB_SESSION_RUN ||
	       verb == VERB_IMAGE_PULL;
}

/* Has the broker do it, and answers. */
static void
ask(struct front *f)
{
	struct packet p;
	struct answer a;

	if (message_send(
		FRONT_LINK, MESSAGE_REQUEST, &f->body.request, NULL, 0) != 0)
		refuse_unsent(f, ERROR_INVALID_FIELD,
		    "a text or list is longer than it may be");
	front_be_admitted(f);
	hear(f, may_last(f->route->verb), &p);
	if (p.type == MESSAGE_STARTED && f->route->verb == VERB_IMAGE_PULL) {
		if (follow(&f->reply, FRONT_LINK, f->head.accept, &p) != 0)
			f->reply.status = 0;
		return;
	}
	if (p.type == MESSAGE_STARTED) {
		if (carry(&f->reply, FRONT_LINK, &f->body, f->head.accept, &p,
			&f->note) != 0)
			f->reply.status = 0;
		return;
	}
	if (p.type != MESSAGE_ANSWER || message_read(&p, &a) != NULL)
		front_refuse(
		    f, ERROR_SANDBOX_FAILED, "the broker is broken", NULL);
	(void)reply_whole(&f->reply, (int)a.status,
	    a.body != NULL ? "application/json" : NULL, a.body,
	    a.body != NULL ? strlen(a.body) : 0, NULL);
	/* Whoever goes on with it may have the connection open, and is no
	 * reason for the client to wait. */
	if (a.status == 202)
		(void)shutdown(FRONT_CLIENT, SHUT_WR);
}

noreturn void
front_run(const char *request_id)
{
	static struct front f;

	f.reply.client = FRONT_CLIENT;
	f.reply.minor = 1;
	(void)snprintf(
	    f.reply.request_id, sizeof(f.reply.request_id), "%s", request_id);
	read_head(&f);
	introduce(&f);
	check_route(&f);
	if (f.route->verb == VERB_HEALTH) {
		front_be_admitted(&f);
		(void)reply_whole(&f.reply, 200, "text/plain", "OK", 2, NULL);
		front_leave(&f);
	}
	if (f.route->has_body)
		front_read_body(&f);
	parse_body(&f);
	ask(&f);
	front_leave(&f);
}
