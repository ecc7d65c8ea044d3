#include <string.h>

#include "broker.h"
#include "routes.h"
#include "session_json.h"
#include "snapshot.h"

static void
answer_session(struct broker *b, int status, const struct session *s)
{
	struct json j;

	json_init(&j);
	put_session(&j, NULL, s);
	broker_answer(b, status, &j);
}

/* What every session begins with, and what the request says of it. */
static enum session_result
fill(struct broker *b, struct session *s, struct failure *f)
{
	const struct request *q = &b->request;
	enum session_result r;

	session_init(s);
	(void)strcpy(s->owner, b->who.owner);
	s->ttl = q->has_ttl ? q->ttl : (int64_t)b->config->session_ttl;
	s->expires_at = q->has_expires ? q->expires : SESSION_NEVER;
	s->limits = b->config->limits;
	if (q->image != NULL && !image_is_name(q->image)) {
		(void)failure_set(f, "image", 0,
		    "image: there is no image '%.129s'", q->image);
		return SESSION_WRONG;
	}
	if (q->snapshot != NULL && q->image != NULL) {
		(void)failure_set(
		    f, "image", 0, "image: a snapshot has its own");
		return SESSION_WRONG;
	}
	(void)strcpy(s->image, q->image != NULL ? q->image : "");
	if (q->cwd != NULL &&
	    (*q->cwd != '/' || strlen(q->cwd) > SESSION_CWD_MAX)) {
		(void)failure_set(f, "cwd", 0, "cwd: must be an absolute path");
		return SESSION_WRONG;
	}
	if (q->cwd != NULL)
		(void)strcpy(s->cwd, q->cwd);
	for (int i = 0; i < LIMIT_MAX; i++) {
		if (q->limits[i] != NULL &&
		    limits_set(&s->limits, (enum limit)i, q->limits[i],
			f->detail, sizeof(f->detail)) != 0)
			return SESSION_WRONG;
	}
	for (char **e = q->env; e != NULL && *e != NULL; e++) {
		r = session_merge_env(s, *e, f);
		if (r != SESSION_OK)
			return r;
	}
	return SESSION_OK;
}

static void
create(struct broker *b)
{
	static struct session s;
	struct failure f;
	enum session_result r = fill(b, &s, &f);

	if (r == SESSION_OK && b->request.snapshot != NULL)
		r = snapshot_begin(
		    b->config, b->owner, b->request.snapshot, &s, &f);
	else if (r == SESSION_OK)
		r = session_create(b->config, &s, &f);
	if (!broker_refuse_session(b, r, &f))
		answer_session(b, 201, &s);
	session_free(&s);
}

static bool
take(void *context, const struct session *s)
{
	put_session(context, NULL, s);
	return true;
}

static void
list(struct broker *b)
{
	struct failure f;
	struct json j;
	enum session_result r;

	json_init(&j);
	json_array(&j, NULL);
	r = session_list(b->config, b->owner, b->request.after,
	    b->request.limit, take, &j, &f);
	if (broker_refuse_session(b, r, &f))
		json_free(&j);
	else
		broker_answer(b, 200, &j);
}

static void
show(struct broker *b)
{
	static struct session s;
	struct failure f;
	enum session_result r;

	session_init(&s);
	r = session_show(b->config, b->owner, b->request.id, &s, &f);
	if (!broker_refuse_session(b, r, &f))
		answer_session(b, 200, &s);
	session_free(&s);
}

/* What a session becomes; under the lock of its record. */
static enum session_result
change(struct session *s, const void *context, struct failure *f)
{
	const struct request *q = context;
	enum session_result r;

	/* Each verb has its field: another's has not been looked at. */
	if (q->verb == VERB_SESSION_TTL && q->has_ttl)
		s->ttl = q->ttl;
	if (q->verb == VERB_SESSION_TTL && q->has_expires) {
		s->expires_at = q->expires;
		return session_check_expiry(s, f);
	}
	if (q->verb != VERB_SESSION_ENV)
		return SESSION_OK;
	for (char **e = q->env; e != NULL && *e != NULL; e++) {
		r = session_merge_env(s, *e, f);
		if (r != SESSION_OK)
			return r;
	}
	return SESSION_OK;
}

static void
edit(struct broker *b)
{
	static struct session s;
	struct failure f;
	enum session_result r;

	session_init(&s);
	if (b->request.verb == VERB_SESSION_CWD)
		r = session_set_cwd(b->config, b->owner, b->request.id, b->link,
		    b->request.cwd != NULL ? b->request.cwd : "", &s, &f);
	else
		r = session_change(b->config, b->owner, b->request.id, change,
		    &b->request, &s, &f);
	if (!broker_refuse_session(b, r, &f))
		answer_session(b, 200, &s);
	session_free(&s);
}

static void
forget(struct broker *b)
{
	struct failure f;
	enum session_result r =
	    session_delete(b->config, b->owner, b->request.id, &f);

	if (!broker_refuse_session(b, r, &f))
		broker_answer(b, 204, NULL);
}

void
broker_session(struct broker *b)
{
	enum verb verb = (enum verb)b->request.verb;

	if (b->request.id == NULL && verb != VERB_SESSION_CREATE &&
	    verb != VERB_SESSION_LIST) {
		broker_refuse(b, ERROR_NOT_FOUND, "there is no such session");
		return;
	}
	switch (verb) {
	case VERB_SESSION_CREATE:
		create(b);
		break;
	case VERB_SESSION_LIST:
		list(b);
		break;
	case VERB_SESSION_SHOW:
		show(b);
		break;
	case VERB_SESSION_DELETE:
		forget(b);
		break;
	case VERB_SESSION_ENV:
	case VERB_SESSION_CWD:
	case VERB_SESSION_TTL:
		edit(b);
		break;
	default:
		broker_refuse(b, ERROR_NOT_FOUND, "there is no such thing");
		break;
	}
}
