#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "snapshot.h"
#include "stack.h"
#include "store.h"
#include "sys.h"
#include "tree.h"

/* A session that is what s is, and that nobody has been in. */
static enum session_result
make_child(const struct config *c, struct session *s, const char *owner,
    struct session *child, struct failure *f)
{
	enum session_result r;

	session_init(child);
	(void)snprintf(child->owner, sizeof(child->owner), "%s", owner);
	session_inherit(child, s);
	child->ttl = s->ttl;
	child->expires_at = s->expires_at;
	child->root = openat(
	    s->dir, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child->root < 0) {
		(void)failure_set(f, "state", errno, "open an upper");
		return SESSION_FAILED;
	}
	child->base = s->base;
	r = session_create(c, child, f);
	child->base = NULL;
	return r;
}

static enum session_result
fork_held(const struct config *c, const struct state *st, struct session *s,
    const char *owner, uint64_t count, struct session *children,
    uint64_t *ret_n, struct failure *f)
{
	enum session_result r;
	uint64_t size;
	bool counted;

	r = stack_push(c, st, s, &size, &counted, f);
	if (r == SESSION_OK && tree_note(st, s, f) != 0)
		r = SESSION_FAILED;
	while (r == SESSION_OK && *ret_n < count) {
		r = make_child(c, s, owner, &children[*ret_n], f);
		if (r == SESSION_OK)
			(*ret_n)++;
		else
			session_free(&children[*ret_n]);
	}
	return r;
}

enum session_result
session_fork(const struct config *c, const char *owner, const char *id,
    int caller, const char *new_owner, uint64_t count,
    void (*take)(void *context, const struct session *s), void *context,
    struct failure *f)
{
	static struct session s, children[FORK_MAX];
	enum session_result r;
	struct failure ignored;
	struct state st;
	uint64_t n = 0;

	if (count < 1 || count > FORK_MAX) {
		(void)failure_set(f, "session", 0,
		    "count: not a whole number from 1 to %d", FORK_MAX);
		return SESSION_WRONG;
	}
	session_init(&s);
	r = session_open(c, owner, id, caller, &s, f);
	if (r != SESSION_OK)
		return r;
	if (state_open(c, &st, f) != 0) {
		session_close(&s);
		return SESSION_FAILED;
	}
	auto_fd hold = images_hold(&st, f);
	r = hold >= 0 ? fork_held(c, &st, &s, new_owner, count, children, &n, f)
		      : SESSION_FAILED;
	state_close(&st);
	session_close(&s);
	for (uint64_t i = 0; i < n; i++) {
		if (r == SESSION_OK)
			take(context, &children[i]);
		else
			(void)session_delete(c, NULL, children[i].id, &ignored);
		session_free(&children[i]);
	}
	return r;
}
