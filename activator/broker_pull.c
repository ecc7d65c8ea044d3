#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "broker.h"
#include "defence.h"
#include "log.h"
#include "puller.h"
#include "reference.h"
#include "registries.h"
#include "reply.h"
#include "slot.h"
#include "source.h"
#include "sys.h"

/* The pull that was asked for. */
static struct task {
	struct reference from;
	char text[REFERENCE_MAX + 300]; /* the source, made anew */
	char name[IMAGE_NAME_MAX + 1];
	struct source source;
	struct puller puller;
	struct broker *broker;
	int64_t began_ms;
} task;

static int
refuse_field(struct broker *b, const char *field, const char *what)
{
	char why[300];

	(void)snprintf(why, sizeof(why), "%s: %s", field, what);
	broker_refuse(b, ERROR_INVALID_FIELD, why);
	return -1;
}

/* Whom it is asked as. A ':' would end the name, a newline is in neither. */
static int
check_auth(struct broker *b)
{
	const struct request *q = &b->request;
	const char *fields[] = { q->username, q->password };

	if ((q->username == NULL) != (q->password == NULL))
		return refuse_field(
		    b, "auth", "needs a username and a password");
	if (q->username == NULL)
		return 0;
	if (*q->username == '\0' || strchr(q->username, ':') != NULL)
		return refuse_field(
		    b, "auth.username", "must not be empty or have a ':'");
	for (size_t i = 0; i < 2; i++) {
		for (const char *p = fields[i]; *p != '\0'; p++) {
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				return refuse_field(
				    b, "auth", "has a control character");
		}
	}
	return 0;
}

/* From the request alone: what is to be pulled, and from where. 0 or -1. */
static int
fill_task(struct broker *b)
{
	const struct request *q = &b->request;
	struct source *s = &task.source;
	char why[200];
	struct failure f;

	if (q->source == NULL)
		return refuse_field(b, "source", "is missing");
	if (reference_parse(q->source, &task.from, why, sizeof(why)) != 0)
		return refuse_field(b, "source", why);
	if (!registries_have(
		b->config->registries, task.from.host, &s->plain_http) &&
	    DEFENCE(PULL_REGISTRY)) {
		(void)snprintf(why, sizeof(why),
		    "%.120s is not one of the configured registries",
		    task.from.host);
		return refuse_field(b, "source", why);
	}
	if (check_auth(b) != 0)
		return -1;
	reference_format(&task.from, task.text, sizeof(task.text));
	s->text = task.text;
	s->name = q->name;
	if (source_name(s, task.name, &f) != 0)
		return refuse_field(b, "name", f.detail);
	s->name = task.name;
	s->registry = task.from.host;
	s->username = q->username;
	s->password = q->password;
	s->pull = &task.puller.record;
	return 0;
}

/* Takes what a pull needs, and starts it. */
static int
start(struct broker *b)
{
	struct puller *p = &task.puller;
	struct failure f;

	if (make_can_pull(&f) != 0) {
		broker_refuse_failure(b, &f);
		return -1;
	}
	p->slot = slot_take_pull(b->config, &f);
	if (p->slot < 0 && f.error == EAGAIN) {
		broker_refuse(
		    b, ERROR_TOO_MANY_PULLS, "max_pulls pulls are going on");
		return -1;
	}
	if (p->slot < 0) {
		broker_refuse_failure(b, &f);
		return -1;
	}
	if (pulls_begin(b->config, task.name, &p->record, &f) != 0) {
		if (f.error == EBUSY)
			broker_refuse(b, ERROR_IMAGE_BUSY,
			    "an image of this name is being pulled");
		else
			broker_refuse_failure(b, &f);
		return -1;
	}
	p->link = b->link;
	if (puller_start(p, b->config, &task.source, &f) != 0) {
		broker_refuse_failure(b, &f);
		return -1;
	}
	return 0;
}

/* A line of the worker's goes to the front. */
static void
tell_progress(void *context, const char *line)
{
	struct answer a = { .text = (char *)(uintptr_t)line };

	broker_tell(context, MESSAGE_PROGRESS, &a);
}

static void
follow(struct broker *b)
{
	struct answer a = { .id = b->request_id };
	char why[PULL_WHY_MAX + 1];

	task.puller.say = tell_progress;
	task.puller.context = b;
	broker_tell(b, MESSAGE_STARTED, &a);
	if (puller_wait(&task.puller, b->link, why) == 0) {
		broker_answer_image(b, 200, "exit", task.name);
		return;
	}
	(void)snprintf(b->because, sizeof(b->because), "%.255s",
	    *why != '\0' ? task.puller.because : "the client went away");
	broker_refuse(b, ERROR_PULL_FAILED, why);
}

void
broker_pull(struct broker *b)
{
	/* A pull takes long, and has a sandbox of its own. */
	if (b->prepared != NULL)
		prepared_drop(b->prepared);
	if (fill_task(b) != 0 || start(b) != 0)
		return;
	if (b->request.streamed) {
		follow(b);
		return;
	}
	task.began_ms = sys_now_ms();
	b->goes_on = true;
	broker_answer_image(b, 202, NULL, task.name);
}

void
broker_finish(struct broker *b)
{
	char why[PULL_WHY_MAX + 1];
	struct log l;
	int r;

	if (!b->goes_on)
		return;
	r = puller_wait(&task.puller, -1, why);
	log_init(&l, LOG_NOTICE);
	log_word(&l, "pull", task.name);
	log_quoted(&l, "id",
	    b->caller.request_id != NULL ? b->caller.request_id
					 : b->request_id);
	log_quoted(&l, "source", task.text);
	log_word(&l, "state", r == 0 ? "ready" : "failed");
	log_number(&l, "wall_ms", sys_now_ms() - task.began_ms);
	if (r != 0)
		log_quoted(&l, "why", task.puller.because);
	log_write(&l);
}
