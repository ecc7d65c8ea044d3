#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "routes.h"
#include "session_json.h"
#include "snapshot.h"
#include "tree.h"

/* As broker_refuse_session(), for what is asked of a snapshot. */
static bool
refuse(struct broker *b, enum session_result r, const struct failure *f)
{
	if (r != SESSION_NOT_FOUND)
		return broker_refuse_session(b, r, f);
	broker_refuse(b, ERROR_NOT_FOUND, "there is no snapshot with this id");
	return true;
}

static void
answer_snapshot(struct broker *b, int status, const struct snapshot *n)
{
	struct json j;

	json_init(&j);
	put_snapshot(&j, NULL, n);
	broker_answer(b, status, &j);
}

static void
create(struct broker *b)
{
	static struct snapshot n;
	const char *name = b->request.name;
	struct failure f;
	enum session_result r;

	snapshot_init(&n);
	(void)strcpy(n.as.owner, b->who.owner);
	if (name != NULL && strlen(name) > SNAPSHOT_NAME_MAX) {
		broker_refuse(b, ERROR_INVALID_FIELD, "name: is too long");
		return;
	}
	(void)strcpy(n.name, name != NULL ? name : "");
	r = snapshot_take(b->config, b->owner, b->request.id, b->link, &n, &f);
	if (r == SESSION_FULL)
		broker_refuse(
		    b, ERROR_TOO_MANY_SNAPSHOTS, "max_snapshots is reached");
	else if (!broker_refuse_session(b, r, &f))
		answer_snapshot(b, 201, &n);
	snapshot_free(&n);
}

static bool
take(void *context, const struct snapshot *n)
{
	put_snapshot(context, NULL, n);
	return true;
}

static void
list(struct broker *b)
{
	const struct request *q = &b->request;
	struct failure f;
	struct json j;
	enum session_result r;

	json_init(&j);
	json_array(&j, NULL);
	r = snapshot_list(
	    b->config, b->owner, q->id, q->after, q->limit, take, &j, &f);
	if (refuse(b, r, &f))
		json_free(&j);
	else
		broker_answer(b, 200, &j);
}

static void
show(struct broker *b)
{
	static struct snapshot n;
	struct failure f;
	enum session_result r;

	snapshot_init(&n);
	r = snapshot_show(b->config, b->owner, b->request.id, &n, &f);
	if (!refuse(b, r, &f))
		answer_snapshot(b, 200, &n);
	snapshot_free(&n);
}

static void
forget(struct broker *b)
{
	struct failure f;
	enum session_result r =
	    snapshot_delete(b->config, b->owner, b->request.id, &f);

	if (!refuse(b, r, &f))
		broker_answer(b, 204, NULL);
}

static void
take_child(void *context, const struct session *s)
{
	put_session(context, NULL, s);
}

static void
fork_session(struct broker *b)
{
	const struct request *q = &b->request;
	uint64_t count = q->count == 0 ? 1 : q->count;
	struct failure f;
	struct json j;
	enum session_result r;

	json_init(&j);
	json_object(&j, NULL);
	json_array(&j, "sessions");
	r = session_fork(b->config, b->owner, q->id, b->link, b->who.owner,
	    count, take_child, &j, &f);
	if (broker_refuse_session(b, r, &f))
		json_free(&j);
	else
		broker_answer(b, 201, &j);
}

static void
show_tree(struct broker *b)
{
	struct relative *all = NULL;
	struct failure f;
	struct json j;
	enum session_result r;
	size_t n = 0;

	r = tree_show(b->config, b->owner, b->request.id, &all, &n, &f);
	if (!broker_refuse_session(b, r, &f)) {
		json_init(&j);
		put_tree(&j, all, n);
		broker_answer(b, 200, &j);
	}
	free(all);
}

void
broker_snapshot(struct broker *b)
{
	enum verb verb = (enum verb)b->request.verb;

	if (b->request.id == NULL && verb != VERB_SNAPSHOT_LIST) {
		broker_refuse(b, ERROR_NOT_FOUND, "there is no such snapshot");
		return;
	}
	switch (verb) {
	case VERB_SNAPSHOT_CREATE:
		create(b);
		break;
	case VERB_SNAPSHOT_LIST:
		list(b);
		break;
	case VERB_SNAPSHOT_SHOW:
		show(b);
		break;
	case VERB_SNAPSHOT_DELETE:
		forget(b);
		break;
	case VERB_SESSION_FORK:
		fork_session(b);
		break;
	case VERB_SESSION_TREE:
		show_tree(b);
		break;
	default:
		broker_refuse(b, ERROR_NOT_FOUND, "there is no such thing");
		break;
	}
}
