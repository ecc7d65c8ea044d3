#include "broker.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "defence.h"
#include "log.h"
#include "routes.h"

/* Who serves what can be asked, and what its id is of, for the log. */
static const struct {
	void (*serve)(struct broker *b);
	const char *of;
} verbs[VERB_MAX] = {
	[VERB_RUN] = { broker_run, "session" },
	[VERB_SESSION_CREATE] = { broker_session, "session" },
	[VERB_SESSION_LIST] = { broker_session, "session" },
	[VERB_SESSION_SHOW] = { broker_session, "session" },
	[VERB_SESSION_RUN] = { broker_run, "session" },
	[VERB_SESSION_ENV] = { broker_session, "session" },
	[VERB_SESSION_CWD] = { broker_session, "session" },
	[VERB_SESSION_TTL] = { broker_session, "session" },
	[VERB_SESSION_DELETE] = { broker_session, "session" },
	[VERB_SNAPSHOT_CREATE] = { broker_snapshot, "session" },
	[VERB_SNAPSHOT_LIST] = { broker_snapshot, "session" },
	[VERB_SNAPSHOT_SHOW] = { broker_snapshot, "snapshot" },
	[VERB_SNAPSHOT_DELETE] = { broker_snapshot, "snapshot" },
	[VERB_SESSION_FORK] = { broker_snapshot, "session" },
	[VERB_SESSION_TREE] = { broker_snapshot, "session" },
	[VERB_IMAGE_LIST] = { broker_image, "session" },
	[VERB_IMAGE_SHOW] = { broker_image, "session" },
	[VERB_IMAGE_PULL] = { broker_image, "session" },
	[VERB_IMAGE_DELETE] = { broker_image, "session" },
};

static bool
is_verb(const struct broker *b)
{
	return b->request.verb < VERB_MAX &&
	       verbs[b->request.verb].serve != NULL;
}

void
broker_tell(struct broker *b, enum message type, const void *body)
{
	/*
	 * A front that has gone is noticed when its note is awaited; one that
	 * is there must not wait for what cannot be sent.
	 */
	if (message_send(b->link, type, body, NULL, 0) != 0)
		(void)shutdown(b->link, SHUT_RDWR);
}

/* The log's reason for a refusal, as much of it as fits. */
static void
keep_why(struct broker *b, const char *text)
{
	size_t len = strnlen(text, sizeof(b->because) - 1);

	memcpy(b->because, text, len);
	b->because[len] = '\0';
}

void
broker_refuse(struct broker *b, enum error error, const char *message)
{
	struct answer a = { .error = error,
		.text = (char *)(uintptr_t)message };

	if (*b->because == '\0')
		(void)snprintf(b->because, sizeof(b->because), "%s", message);
	broker_tell(b, MESSAGE_ERROR, &a);
}

void
broker_answer(struct broker *b, int status, struct json *j)
{
	struct answer a = { .status = (uint64_t)status };

	if (j != NULL && json_finish(j) != 0) {
		json_free(j);
		broker_refuse(b, ERROR_SANDBOX_FAILED, "no memory");
		return;
	}
	if (j != NULL) {
		/* A text's end. Room is there: it grows by doubling. */
		j->data[j->len - 1] = '\0';
		a.body = j->data;
	}
	broker_tell(b, MESSAGE_ANSWER, &a);
	if (j != NULL)
		json_free(j);
}

bool
broker_refuse_session(
    struct broker *b, enum session_result r, const struct failure *f)
{
	switch (r) {
	case SESSION_OK:
		return false;
	case SESSION_NOT_FOUND:
		broker_refuse(
		    b, ERROR_NOT_FOUND, "there is no session with this id");
		break;
	case SESSION_BUSY:
		broker_refuse(b, ERROR_SESSION_BUSY,
		    "another run goes on in this session");
		break;
	case SESSION_FULL:
		broker_refuse(
		    b, ERROR_TOO_MANY_SESSIONS, "max_sessions is reached");
		break;
	case SESSION_WRONG:
		broker_refuse(b, ERROR_INVALID_FIELD, f->detail);
		break;
	default:
		broker_refuse_failure(b, f);
		break;
	}
	return true;
}

/* Is there no changing the request such that it could be done? */
static bool
is_machines(const struct failure *f)
{
	/* So much was not to be had of the limit `disk`, or it is the host's.
	 */
	if (strcmp(f->step, "files") == 0 &&
	    (f->error == ENOSPC || f->error == EDQUOT || f->error == EROFS))
		return false;
	/* What is wrong with a limit that was asked for is no error number. */
	if (strcmp(f->step, "limits") == 0 && f->error != 0)
		return true;
	/* Nobody asks for an RLIMIT by its name. */
	return fail_is_machines(f->error) ||
	       strncmp(f->detail, "RLIMIT_", 7) == 0;
}

void
broker_refuse_failure(struct broker *b, const struct failure *f)
{
	/* What the request brought along: its own words may come back. */
	static const char *const its_own[] = { "cwd", "files", "user", "image",
		"limits" };
	char text[320];

	(void)failure_text(f, text, sizeof(text));
	keep_why(b, text);
	for (size_t i = 0; i < sizeof(its_own) / sizeof(*its_own); i++) {
		if (strcmp(its_own[i], f->step) == 0 && !is_machines(f)) {
			broker_refuse(b, ERROR_INVALID_FIELD, text);
			return;
		}
	}
	(void)snprintf(text, sizeof(text),
	    "the sandbox could not be built: step %s%s%s", f->step,
	    f->error != 0 ? ": " : "", f->error != 0 ? strerror(f->error) : "");
	broker_refuse(b, ERROR_SANDBOX_FAILED, text);
}

/*
 * Hears who calls, and tells whether it may; true when more is to come. What
 * the front says of a request that it refused itself is in n.
 */
static bool
admit(struct broker *b, const char *wrong, struct note *n)
{
	struct packet p;
	char why[256];
	int status;

	if (message_receive(b->link, &p) != 1)
		return false;
	if (p.type == MESSAGE_NOTE) {
		if (message_read(&p, n) == NULL && n->why != NULL)
			keep_why(b, n->why);
		return false;
	}
	if (p.type != MESSAGE_CALLER || message_read(&p, &b->caller) != NULL)
		return false;
	/* Nobody can tell who it was, and nobody waits for an answer. */
	if (b->peer.kind == PEER_GONE)
		return false;
	b->refused = true;
	if (wrong != NULL) {
		(void)snprintf(b->because, sizeof(b->because), "%s", wrong);
		broker_refuse(b, ERROR_BAD_CONFIGURATION,
		    "mayfly's configuration is wrong; its log says where");
		return true;
	}
	status = authorize(b->config, &b->peer, &b->caller, &b->who, why,
	    b->because, sizeof(why));
	if (status != 0) {
		broker_refuse(b,
		    status == 500 ? ERROR_BAD_CONFIGURATION
				  : error_of_status(status),
		    why);
		return true;
	}
	b->refused = false;
	b->owner = b->who.sees_all ? NULL : b->who.owner;
	/* What needs no credential needs nothing of us either. */
	b->allowed = !b->caller.open || !DEFENCE(BROKER_OPEN);
	return message_send(b->link, MESSAGE_ALLOWED, NULL, NULL, 0) == 0;
}

static void
log_run(const struct broker *b, struct log *l)
{
	const struct verdict *v = &b->verdict;

	log_word(l, "reason", reason_name(v->reason));
	if (v->exit_code >= 0)
		log_number(l, "exit", v->exit_code);
	if (v->signal >= 0)
		log_number(l, "signal", v->signal);
	log_number(l, "cpu_ms", (long long)v->cpu_ms);
	log_number(l, "wall_ms", (long long)v->wall_ms);
	log_number(l, "memory_kb", (long long)v->memory_kb);
}

static void
log_request(struct broker *b, struct note *n)
{
	const struct caller *c = &b->caller;
	struct log l;

	log_init(&l, n->status >= 500 ? LOG_ERR : LOG_NOTICE);
	log_quoted(
	    &l, "id", c->request_id != NULL ? c->request_id : b->request_id);
	log_word(&l, "peer", b->peer.text);
	if (*b->who.owner != '\0')
		log_word(&l, "owner", b->who.owner);
	log_quoted(&l, "method", c->method != NULL ? c->method : "-");
	log_quoted(&l, "path", c->path != NULL ? c->path : "-");
	if (b->request.id != NULL)
		log_word(&l, is_verb(b) ? verbs[b->request.verb].of : "id",
		    b->request.id);
	log_number(&l, "status", (long long)n->status);
	if (b->has_verdict) {
		if (n->output_over)
			verdict_exceed(&b->verdict, REASON_OUTPUT);
		log_run(b, &l);
	}
	if (*b->because != '\0')
		log_quoted(&l, "why", b->because);
	else if (n->why != NULL)
		log_quoted(&l, "why", n->why);
	log_write(&l);
}

static void
serve_verb(struct broker *b)
{
	if (is_verb(b))
		verbs[b->request.verb].serve(b);
	else
		broker_refuse(
		    b, ERROR_NOT_FOUND, "there is nothing at this path");
}

/*
 * One message of the front's; false when there is nothing more to come. One
 * that may not be is the last: each costs memory, and descriptors it has none
 * to give.
 */
static bool
take_message(struct broker *b, struct packet *p, struct note *n)
{
	if (p->fds[0] >= 0)
		goto broken;
	if (p->type == MESSAGE_NOTE) {
		if (message_read(p, n) == NULL)
			return false;
		goto broken;
	}
	if (p->type != MESSAGE_REQUEST)
		goto broken;
	if (b->refused && DEFENCE(BROKER_ALLOWED)) {
		/* It was on its way, and is not even read. */
		b->refused = false;
		free(p->data);
		return true;
	}
	if ((DEFENCE(BROKER_ALLOWED) && !b->allowed) ||
	    message_read(p, &b->request) != NULL ||
	    (DEFENCE(BROKER_ID) && b->request.id != NULL &&
		!session_is_id(b->request.id)))
		goto broken;
	/* One request a connection. */
	b->allowed = !DEFENCE(BROKER_ONCE);
	serve_verb(b);
	return true;
broken:
	(void)snprintf(
	    b->because, sizeof(b->because), "the front broke the protocol");
	return false;
}

void
broker_serve(struct broker *b, const char *wrong)
{
	struct note n = { 0 };
	struct packet p;

	if (admit(b, wrong, &n)) {
		/* A request, or how it ended without one. */
		while (message_receive(b->link, &p) == 1 &&
		       take_message(b, &p, &n))
			;
	}
	if (b->caller.method == NULL && *b->because == '\0')
		return; /* a connection without a request */
	log_request(b, &n);
}
