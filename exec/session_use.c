#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "command.h"
#include "defence.h"
#include "store.h"
#include "sys.h"
#include "trash.h"

/* How long a deletion waits for what ran to be gone, in ms. */
#define DELETE_WAIT 800
/* What is deleted at once has no more entries than this; a disk is slow. */
#define DELETE_AT_ONCE 64

/* SESSION_FAILED and its like, from what turn_wait() says. */
static enum session_result
why_not(const char *what, struct failure *f)
{
	switch (errno) {
	case ECANCELED:
	case ENOENT:
		return SESSION_NOT_FOUND;
	case ETIMEDOUT:
	case EPIPE:
		return SESSION_BUSY;
	default:
		(void)failure_set(f, "state", errno, "%s", what);
		return SESSION_FAILED;
	}
}

/* Opens what a run needs; dir becomes the session's. */
static enum session_result
open_parts(int *dir, struct session *s, struct failure *f)
{
	/* With a writer of its own a FIFO is never at its end. */
	auto_fd cancel = openat(
	    *dir, "cancel", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_fd lock =
	    openat(*dir, "lock", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (cancel < 0 || lock < 0)
		return why_not("open a session's lock", f);
	s->dir = sys_take(dir);
	s->lock = sys_take(&lock);
	s->cancel = sys_take(&cancel);
	return SESSION_OK;
}

static enum session_result
take_turn(const struct config *c, const struct state *st, const char *owner,
    const char *id, int caller, struct session *s, struct failure *f)
{
	struct session fresh;
	enum session_result r;

	if (DEFENCE(TURNS) &&
	    turn_wait_run(s->lock, caller, s->cancel, c->session_wait) != 0)
		return why_not("lock a session", f);
	if (!state_is_there(st->sessions, id, s->dir))
		return why_not("find a session", f);
	/* The record may have changed while this one waited. */
	session_init(&fresh);
	r = store_read(s->dir, owner, id, &fresh, f);
	if (r == SESSION_OK && store_now() >= fresh.expires_at)
		r = SESSION_NOT_FOUND;
	if (r == SESSION_OK) {
		fresh.dir = sys_take(&s->dir);
		fresh.lock = sys_take(&s->lock);
		fresh.cancel = sys_take(&s->cancel);
		session_free(s);
		*s = fresh;
	} else {
		session_free(&fresh);
	}
	return r;
}

static enum session_result
open_session(const struct config *c, const char *owner, const char *id,
    int caller, bool writes, struct session *s, struct failure *f)
{
	enum session_result r;
	struct state st;
	auto_fd dir = -1;

	r = store_find(c, owner, id, &st, &dir, s, f);
	if (r == SESSION_OK)
		r = open_parts(&dir, s, f);
	if (r == SESSION_OK)
		r = take_turn(c, &st, owner, id, caller, s, f);
	if (r == SESSION_OK && writes && state_check_room(c, &st, f) != 0)
		r = SESSION_FAILED;
	state_close(&st);
	if (r != SESSION_OK)
		session_free(s);
	return r;
}

enum session_result
session_open(const struct config *c, const char *owner, const char *id,
    int caller, struct session *s, struct failure *f)
{
	return open_session(c, owner, id, caller, true, s, f);
}

enum session_result
session_open_to_read(const struct config *c, const char *owner, const char *id,
    struct session *s, struct failure *f)
{
	return open_session(c, owner, id, -1, false, s, f);
}

/* A change is under way only as long as this lock is held. */
static enum session_result
lock_record(int dir, struct failure *f)
{
	if (DEFENCE(RECORD_LOCK) && turn_wait(dir, -1, -1, RECORD_WAIT) != 0)
		return why_not("lock a record", f);
	return SESSION_OK;
}

void
session_close(struct session *s)
{
	enum session_result r;
	struct session now;
	struct failure f;
	char text[320];

	if (s->dir < 0)
		return;
	session_init(&now);
	/* By its directory: what was deleted meanwhile is in the trash. */
	r = lock_record(s->dir, &f);
	if (r == SESSION_OK)
		r = store_read(s->dir, NULL, s->id, &now, &f);
	if (r == SESSION_OK) {
		if (DEFENCE(IDLE_COUNT))
			now.last_used_at = store_now();
		/* On a full disk the time of a file can be set. */
		if (store_write(s->dir, &now, &f) != 0 &&
		    futimens(s->lock, NULL) != 0)
			r = SESSION_FAILED;
	}
	/* What ran has its result all the same; the session may end early. */
	if (r == SESSION_FAILED)
		complain("%s", failure_text(&f, text, sizeof(text)));
	(void)flock(s->dir, LOCK_UN);
	session_free(&now);
	session_free(s);
}

static enum session_result
change_record(const struct state *st, const char *owner, const char *id,
    int dir,
    enum session_result (*change)(
	struct session *s, const void *context, struct failure *f),
    const void *context, struct session *s, struct failure *f)
{
	enum session_result r = lock_record(dir, f);

	if (r != SESSION_OK)
		return r;
	if (!state_is_there(st->sessions, id, dir))
		return why_not("find a session", f);
	r = store_read(dir, owner, id, s, f);
	if (r == SESSION_OK && store_is_expired(s, dir, false) == 1)
		r = SESSION_NOT_FOUND;
	if (r == SESSION_OK)
		r = change(s, context, f);
	if (r != SESSION_OK || store_write(dir, s, f) == 0)
		return r;
	/* It may have been deleted, and taken apart, in this moment. */
	return !state_is_there(st->sessions, id, dir) && errno == ENOENT
		   ? SESSION_NOT_FOUND
		   : SESSION_FAILED;
}

enum session_result
session_change(const struct config *c, const char *owner, const char *id,
    enum session_result (*change)(
	struct session *s, const void *context, struct failure *f),
    const void *context, struct session *s, struct failure *f)
{
	enum session_result r;
	struct state st;
	auto_fd dir = -1;

	/* Not the owner's, not the owner's to wait for. */
	r = store_find(c, owner, id, &st, &dir, s, f);
	session_free(s);
	if (r == SESSION_OK)
		r = change_record(&st, owner, id, dir, change, context, s, f);
	state_close(&st);
	if (r != SESSION_OK)
		session_free(s);
	return r;
}

/*
 * Whoever runs in it, or waits to, has the FIFO open and sees the byte; this
 * is a reader as well, else SIGPIPE would come where the last one has just
 * gone. 0 or -1/errno.
 */
static int
end_runs(const struct config *c, const struct state *st, const char *id,
    int dir, char *name)
{
	auto_fd lock =
	    openat(dir, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_fd cancel =
	    openat(dir, "cancel", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (cancel < 0 ? errno != ENOENT
		       : DEFENCE(DELETE_ENDS) && write(cancel, "", 1) != 1)
		return -1;
	if (lock < 0 || turn_wait_run(lock, -1, -1, DELETE_WAIT) != 0)
		return 0;
	if (*name == '\0' &&
	    store_make_room(c, st, id, dir, DELETE_AT_ONCE, name) != 0)
		return 0;
	(void)trash_remove(c, st->trash, name, DELETE_AT_ONCE, NULL);
	return 0;
}

enum session_result
session_delete(const struct config *c, const char *owner, const char *id,
    struct failure *f)
{
	char name[STORE_TRASH_SIZE];
	enum session_result r;
	auto_fd dir = -1;
	struct session s;
	struct state st;

	session_init(&s);
	r = store_find(c, owner, id, &st, &dir, &s, f);
	session_free(&s);
	/* Root may delete what no version of mayfly can read. */
	if (r == SESSION_FAILED && owner == NULL && dir >= 0)
		r = SESSION_OK;
	if (r == SESSION_OK && store_discard(&st, id, dir, name) != 0)
		r = why_not("rename", f);
	if (r == SESSION_OK) {
		if (fsync(st.sessions) != 0)
			r = why_not("sync", f);
		if (end_runs(c, &st, id, dir, name) != 0)
			r = why_not("end what runs in it", f);
	}
	state_close(&st);
	return r;
}
