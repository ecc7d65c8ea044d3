#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "broker.h"
#include "collection.h"
#include "defence.h"
#include "images.h"
#include "routes.h"
#include "slot.h"
#include "streams.h"
#include "sys.h"

/* What a collected file may be long where `output` says nothing. */
#define COLLECT_BYTES LIMIT_OUTPUT_KEPT

/* A run while it is prepared. */
struct run {
	struct plan plan;
	struct session session;
	struct image image;
	char why[256];
	char *shell[4]; /* /bin/sh -c TEXT */
	char words[2][8];
};

/* Texts are checked here again, whatever the front has said of them. */
static int
plan_limits(const struct request *q, struct plan *p, char *why, size_t size)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		if (q->limits[i] != NULL &&
		    limits_set(&p->limits, (enum limit)i, q->limits[i], why,
			size) != 0)
			return -1;
	}
	return 0;
}

static int
plan_words(const struct request *q, struct run *r)
{
	struct plan *p = &r->plan;

	if (q->command == NULL || q->command[0] == NULL ||
	    (q->shell && q->command[1] != NULL)) {
		(void)snprintf(r->why, sizeof(r->why), "command: is missing");
		return -1;
	}
	/* Copies: PID 1 wipes the words of the command. */
	(void)strcpy(r->words[0], "/bin/sh");
	(void)strcpy(r->words[1], "-c");
	r->shell[0] = r->words[0];
	r->shell[1] = r->words[1];
	r->shell[2] = q->command[0];
	p->argv = q->shell ? r->shell : q->command;
	if (DEFENCE(BROKER_CWD) && q->cwd != NULL && *q->cwd != '/') {
		(void)snprintf(
		    r->why, sizeof(r->why), "cwd: must be an absolute path");
		return -1;
	}
	p->cwd = q->cwd;
	for (char **e = q->env; e != NULL && *e != NULL; e++) {
		if (plan_env(p, *e, r->why, sizeof(r->why)) != 0)
			return -1;
	}
	return q->user != NULL ? plan_user(p, q->user, r->why, sizeof(r->why))
			       : 0;
}

/* From the request alone. 0, or -1 with a sentence. */
static int
plan_request(struct broker *b, struct run *r)
{
	const struct request *q = &b->request;
	struct plan *p = &r->plan;

	plan_init(p);
	p->limits = b->config->limits;
	p->image = q->image != NULL ? q->image : b->config->default_image;
	p->network = (enum network)q->network;
	if (plan_words(q, r) != 0 ||
	    plan_limits(q, p, r->why, sizeof(r->why)) != 0)
		return -1;
	return 0;
}

/* Those that were made with the sandbox. */
static void
take_streams(struct prepared *from, struct plan *p, int front[STARTED_MAX])
{
	p->in = from->plan.in;
	p->out = from->plan.out;
	p->err = from->plan.err;
	for (int i = 0; i < 3; i++)
		front[i] = sys_take(&from->front[i]);
}

/* Makes the pipes; from: but for those. Returns how many, or -1/errno. */
static int
open_streams(struct broker *b, struct plan *p, struct prepared *from,
    int front[STARTED_MAX])
{
	const struct request *q = &b->request;
	int n = 0;
	struct {
		bool wanted, input;
		int *fd;
	} all[STARTED_MAX] = {
		[STARTED_IN] = { true, true, &p->in.fd },
		[STARTED_OUT] = { true, false, &p->out.fd },
		[STARTED_ERR] = { true, false, &p->err.fd },
		[STARTED_FILES] = { q->files, true, &p->files_in },
		[STARTED_COLLECT] = { q->collect != NULL &&
					  q->collect[0] != NULL,
		    false, &p->files_out },
	};

	if (from != NULL) {
		take_streams(from, p, front);
		n = STARTED_ERR + 1;
	}
	for (int i = n; i < STARTED_MAX; i++) {
		if (all[i].wanted &&
		    streams_pipe(all[i].input, all[i].fd, &front[n++]) != 0)
			return -1;
	}
	p->in.direct = p->out.direct = p->err.direct = true;
	return n;
}

/* What else a run has that somebody waits for. */
static void
plan_answer(struct broker *b, struct plan *p)
{
	p->caller = b->link;
	p->limits.value[LIMIT_OUTPUT] =
	    limits_output(&p->limits, !b->request.streamed);
	p->collect_max = p->limits.asked[LIMIT_OUTPUT]
			     ? p->limits.value[LIMIT_OUTPUT]
			     : COLLECT_BYTES;
	/* Who collects has it in memory. */
	if (p->collect_max > COLLECTION_MAX)
		p->collect_max = COLLECTION_MAX;
	p->collect = b->request.collect;
	while (p->collect != NULL && p->collect[p->collect_count] != NULL)
		p->collect_count++;
}

/* Gives the front its ends of them. */
static int
tell_started(struct broker *b, const struct plan *p, const int front[], int n)
{
	struct answer a = { .id = b->request_id,
		.output = p->limits.value[LIMIT_OUTPUT] };
	int r = message_send(b->link, MESSAGE_STARTED, &a, front, n);

	for (int i = 0; i < n; i++)
		(void)close(front[i]);
	return r;
}

/* With what the image says of how to run in it. */
static bool
use_image(struct broker *b, struct run *r)
{
	const char *name = r->plan.image;
	enum images_result result = IMAGES_OK;
	struct failure f;

	image_init(&r->image);
	if (strcmp(name, "host") != 0)
		result = images_read(b->config, name, &r->image, &f);
	if (result == IMAGES_NOT_FOUND) {
		(void)snprintf(r->why, sizeof(r->why),
		    "image: there is no image '%.129s'", name);
		broker_refuse(b, ERROR_INVALID_FIELD, r->why);
		return false;
	}
	if (result == IMAGES_OK)
		result = images_plan(b->config, &r->image, &r->plan, &f);
	if (result == IMAGES_WRONG)
		broker_refuse(b, ERROR_INVALID_FIELD, f.detail);
	else if (result != IMAGES_OK)
		broker_refuse_failure(b, &f);
	return result == IMAGES_OK;
}

/* One that was ready in vain goes while the other one is built. */
static int
start_cold(struct broker *b, struct box *box)
{
	const bool spares = b->prepared != NULL && b->prepared->there;
	int r;

	if (spares)
		ready_spare(&b->prepared->box);
	r = box_start(box);
	if (!spares)
		return r;
	while (r == 0 && !box->ready && !box->dead)
		watch_turn(box);
	/* Its range of ids is for others while this one runs. */
	ready_hand_mask(&b->prepared->box, box);
	prepared_drop(b->prepared);
	return r;
}

/*
 * Runs the plan, in a sandbox that is ready where there is one: that is told
 * first, and the front then. 0 with the verdict, or -1 with f.
 */
static int
run_in(struct broker *b, const struct plan *p, struct box *box, bool is_ready,
    const int front[STARTED_MAX], int n, struct failure *f)
{
	if (is_ready) {
		if (ready_tell(box, p, &b->verdict, f) != 0)
			return -1;
	} else {
		box_init(box, p, b->config, &b->verdict, f);
	}
	if (tell_started(b, p, front, n) != 0)
		return failure_set(f, "streams", errno, "send");
	if (is_ready)
		return ready_run(box);
	return box_verdict(box, start_cold(b, box));
}

/* In a slot, which it gives back. */
static void
run_slot(struct broker *b, struct plan *p, int *slot)
{
	static struct box cold;
	struct prepared *from =
	    b->prepared != NULL && prepared_suits(b->prepared, b->config, p)
		? b->prepared
		: NULL;
	struct box *box = from != NULL ? &from->box : &cold;
	int front[STARTED_MAX], n = open_streams(b, p, from, front);
	struct failure f;

	if (n < 0) {
		(void)failure_set(&f, "streams", errno, "pipe");
		broker_refuse_failure(b, &f);
		return;
	}
	if (from != NULL)
		from->there = false;
	if (run_in(b, p, box, from != NULL, front, n, &f) == 0) {
		b->has_verdict = true;
		/* Free before the client knows: its next request may need it.
		 */
		(void)close(sys_take(slot));
		broker_tell(b, MESSAGE_VERDICT, &b->verdict);
		box_end(box);
	} else {
		box_end(box);
		broker_refuse_failure(b, &f);
	}
}

static void
run_plan(struct broker *b, struct plan *p)
{
	struct failure f;
	/* Who waits for a session's turn is not running yet. */
	auto_fd slot = slot_take(b->config, &f);

	plan_answer(b, p);
	if (slot >= 0)
		run_slot(b, p, &slot);
	else if (f.error == EAGAIN)
		broker_refuse(
		    b, ERROR_TOO_MANY_RUNS, "max_runs runs are going on");
	else
		broker_refuse_failure(b, &f);
}

static void
finish_and_run(struct broker *b, struct run *r)
{
	if (plan_finish(&r->plan, r->why, sizeof(r->why)) != 0)
		broker_refuse(b, ERROR_INVALID_FIELD, r->why);
	else
		run_plan(b, &r->plan);
}

/* In the session, whose turn it is now. */
static void
run_in_session(struct broker *b, struct run *r)
{
	struct failure f;
	enum session_result result;

	session_init(&r->session);
	result = session_open(
	    b->config, b->owner, b->request.id, b->link, &r->session, &f);
	if (broker_refuse_session(b, result, &f))
		return;
	result = session_plan(b->config, &r->session, &r->plan, &f);
	if (!broker_refuse_session(b, result, &f))
		finish_and_run(b, r);
	session_close(&r->session);
}

void
broker_run(struct broker *b)
{
	static struct run r;
	bool in_session = b->request.verb == VERB_SESSION_RUN;

	if (in_session && b->request.id == NULL) {
		broker_refuse(b, ERROR_NOT_FOUND, "there is no such session");
		return;
	}
	if (plan_request(b, &r) != 0)
		broker_refuse(b, ERROR_INVALID_FIELD, r.why);
	else if (in_session)
		run_in_session(b, &r);
	else if (use_image(b, &r))
		finish_and_run(b, &r);
	images_release(&r.plan);
}
