#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "box.h"
#include "images.h"
#include "session.h"
#include "verdict.h"

/* It has been there, or somebody deletes the session, or kills its sandbox. */
static enum session_result
judge(const struct session *s, const struct verdict *v, struct failure *f)
{
	struct pollfd cancel = { .fd = s->cancel, .events = POLLIN };

	if (v->reason == REASON_EXIT)
		return SESSION_OK;
	if (poll(&cancel, 1, 0) == 1)
		return SESSION_NOT_FOUND;
	(void)failure_set(f, "session", 0, "its sandbox was ended: %s",
	    reason_name(v->reason));
	return SESSION_FAILED;
}

/* Goes there in a sandbox: a path of a session's is resolved nowhere else. */
static enum session_result
go(const struct config *c, const struct session *s, struct plan *p,
    struct failure *f)
{
	enum session_result r = SESSION_FAILED;
	struct verdict v;
	char why[160];

	if (plan_finish(p, why, sizeof(why)) != 0) {
		(void)failure_set(f, "session", 0, "%s", why);
		return SESSION_WRONG;
	}
	if (box_run(p, c, &v, f) == 0) {
		r = judge(s, &v, f);
		verdict_free(&v);
	} else if (strcmp(f->step, "cwd") == 0 && !fail_is_machines(f->error)) {
		(void)failure_set(f, "session", 0,
		    "cwd: '%.120s' is not a directory in the session", p->cwd);
		r = SESSION_WRONG;
	}
	return r;
}

static enum session_result
try_cwd(const struct config *c, struct session *s, int caller, const char *cwd,
    struct failure *f)
{
	enum session_result r;
	struct plan p;

	plan_init(&p);
	p.limits = c->limits;
	p.cwd = cwd;
	p.caller = caller;
	r = session_plan(c, s, &p, f);
	if (r == SESSION_OK) {
		p.argv = NULL; /* not the image's */
		r = go(c, s, &p, f);
		images_release(&p);
	}
	plan_free(&p);
	return r;
}

static enum session_result
change_cwd(struct session *s, const void *context, struct failure *f)
{
	(void)f;
	(void)snprintf(s->cwd, sizeof(s->cwd), "%s", (const char *)context);
	return SESSION_OK;
}

enum session_result
session_set_cwd(const struct config *c, const char *owner, const char *id,
    int caller, const char *cwd, struct session *s, struct failure *f)
{
	enum session_result r;

	if (*cwd != '/' || strlen(cwd) > SESSION_CWD_MAX) {
		(void)failure_set(f, "session", 0,
		    "cwd: '%.80s' is not an absolute path of at most %d bytes",
		    cwd, SESSION_CWD_MAX);
		return SESSION_WRONG;
	}
	r = session_open(c, owner, id, caller, s, f);
	if (r != SESSION_OK)
		return r;
	r = try_cwd(c, s, caller, cwd, f);
	session_close(s);
	if (r != SESSION_OK)
		return r;
	return session_change(c, owner, id, change_cwd, cwd, s, f);
}
