#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "defence.h"
#include "images.h"
#include "project.h"
#include "record.h"
#include "stack.h"
#include "store.h"
#include "sys.h"

/* As many as mayfly.socket lets connect; to make one takes some syncs. */
#define AT_ONCE 1024
/* In nanoseconds: what takes no longer can be done each time. */
#define LOOK_SHORT INT64_C(5000000)
#define PAUSE_MAX INT64_C(10000000000)
#define TIME_DIGITS (SESSION_ID_LEN - STATE_RANDOM)

/*
 * The moment, which makes ids sort by age until the year 5188, and what
 * nobody can guess.
 */
int
store_make_id(char id[SESSION_ID_LEN + 1])
{
	struct timespec t;
	uint64_t ms;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
	for (int i = TIME_DIGITS - 1; i >= 0; i--) {
		id[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[ms % 36];
		ms /= 36;
	}
	id[SESSION_ID_LEN] = '\0';
	return state_random(id + TIME_DIGITS, STATE_RANDOM);
}

enum session_result
session_check_expiry(const struct session *s, struct failure *f)
{
	if (s->expires_at > store_now())
		return SESSION_OK;
	(void)failure_set(f, "session", 0, "expires: is in the past");
	return SESSION_WRONG;
}

/* Fills the rest of the session; says what cannot be so. */
static enum session_result
complete(const struct config *c, struct session *s, struct failure *f)
{
	char why[160];

	if (store_make_id(s->id) != 0) {
		(void)failure_set(f, "session", errno, "getrandom");
		return SESSION_FAILED;
	}
	s->created_at = s->last_used_at = store_now();
	if (s->ttl == SESSION_STANDARD)
		s->ttl = (int64_t)c->session_ttl;
	if (*s->image == '\0')
		(void)snprintf(
		    s->image, sizeof(s->image), "%.129s", c->default_image);
	if (*s->cwd == '\0')
		(void)strcpy(s->cwd, "/");
	if (record_check(s, why, sizeof(why)) != 0) {
		(void)failure_set(f, "session", 0, "%s", why);
		return SESSION_WRONG;
	}
	return session_check_expiry(s, f);
}

/* Of what its runs write the kernel can keep account, from the first on. */
static int
make_project(const struct config *c, int dir)
{
	auto_fd upper = openat(dir, "upper", OPEN_DIR);
	auto_fd work = openat(dir, "work", OPEN_DIR);
	const int dirs[] = { upper, work };

	return upper < 0 || work < 0 ? -1 : project_take(c, dirs, 2);
}

/* All that a session's directory holds, synced. 0, or -1 with f. */
static int
fill(
    const struct config *c, int dir, const struct session *s, struct failure *f)
{
	auto_fd lock = openat(dir, "lock",
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	/* The root inside: everybody may enter, whatever the caller's mask. */
	if (lock < 0 || mkfifoat(dir, "cancel", 0600) != 0 ||
	    mkdirat(dir, "upper", 0755) != 0 ||
	    fchmodat(dir, "upper", 0755, 0) != 0 ||
	    mkdirat(dir, "work", 0700) != 0)
		return failure_set(f, "state", errno, "make a session");
	if (make_project(c, dir) != 0)
		return failure_set(f, "state", errno, "make a project");
	if (s->root >= 0 && stack_copy_root(c, s->root, dir, "upper") != 0)
		return failure_set(f, "state", errno, "make its root");
	if (s->base != NULL && images_write_file(dir, "image", s->base, f) != 0)
		return -1;
	return store_write(dir, s, f);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/*
 * What has expired makes room. To look for it takes long where there are many,
 * and who asks again and again is not to keep all processors at it: then it is
 * a tenth of the time. Until when nobody is to look is the directory's time.
 * 0 or -1/errno.
 */
static int
make_room(const struct config *c, const struct state *st)
{
	struct timespec until[2] = { { 0, UTIME_OMIT } };
	int64_t began = now_ns(), pause = 0, took;
	struct stat s;
	int error;

	if (fstat(st->dir, &s) == 0)
		pause = (int64_t)s.st_mtim.tv_sec * 1000000000 +
			s.st_mtim.tv_nsec - began;
	if (pause > 0 && pause < PAUSE_MAX)
		return 0;
	error = store_expire(c, st, false, NULL, NULL) < 0 ? errno : 0;
	took = now_ns() - began;
	errno = error;
	if (took < LOOK_SHORT)
		return error != 0 ? -1 : 0;
	pause = took < PAUSE_MAX / 9 ? 9 * took : PAUSE_MAX;
	until[1].tv_sec = (time_t)((began + took + pause) / 1000000000);
	until[1].tv_nsec = (long)((began + took + pause) % 1000000000);
	(void)futimens(st->dir, until);
	errno = error;
	return error != 0 ? -1 : 0;
}

static enum session_result
refuse_full(const struct config *c, struct failure *f)
{
	(void)failure_set(f, "session", 0,
	    "there are max_sessions already: %" PRIu64, c->max_sessions);
	return SESSION_FULL;
}

/* In time nobody came to the lock: among many whom there is no room for? */
static enum session_result
refuse_locked(const struct config *c, const struct state *st, struct failure *f)
{
	int error = errno;
	uint64_t count;

	(void)failure_set(f, "state", error, "lock sessions");
	if (error != ETIMEDOUT)
		return SESSION_FAILED;
	count = store_count(st);
	return count >= c->max_sessions && count != UINT64_MAX
		   ? refuse_full(c, f)
		   : SESSION_FAILED;
}

/*
 * Takes the one lock that all who make sessions take, else two could be the
 * last one; and sees whether there is room. count: there are no more.
 */
static enum session_result
enter(const struct config *c, const struct state *st, uint64_t *ret_count,
    struct failure *f)
{
	/* Nobody has it for long, however short a run is to wait for one. */
	uint64_t count, wait = c->session_wait > RECORD_WAIT ? c->session_wait
							     : RECORD_WAIT;

	if (DEFENCE(MAKE_LOCK) && turn_wait(st->sessions, -1, -1, wait) != 0)
		return refuse_locked(c, st, f);
	count = store_bound(st);
	if (count >= c->max_sessions)
		count = store_count(st);
	if (count >= c->max_sessions && count != UINT64_MAX) {
		if (make_room(c, st) != 0) {
			(void)failure_set(
			    f, "state", errno, "look for what has expired");
			return SESSION_FAILED;
		}
		count = store_count(st);
	}
	if (count == UINT64_MAX) {
		(void)failure_set(f, "state", errno, "count the sessions");
		return SESSION_FAILED;
	}
	*ret_count = count;
	if (count < c->max_sessions || !DEFENCE(MAX_SESSIONS))
		return SESSION_OK;
	return refuse_full(c, f);
}

static enum session_result
publish(const struct state *st, const char *name, const struct session *s,
    uint64_t count, struct failure *f)
{
	if (store_note_count(st, count + 1) != 0) {
		(void)failure_set(f, "state", errno, "note their number");
		return SESSION_FAILED;
	}
	if (renameat(st->trash, name, st->sessions, s->id) != 0) {
		(void)failure_set(f, "state", errno, "rename");
		return SESSION_FAILED;
	}
	(void)flock(st->sessions, LOCK_UN);
	if (fsync(st->sessions) != 0) {
		(void)failure_set(f, "state", errno, "sync");
		return SESSION_FAILED;
	}
	return SESSION_OK;
}

/* Takes away what could not become a session. */
static void
give_up(const struct state *st, const char *name)
{
	auto_fd dir = openat(st->trash, name, OPEN_DIR);
	static const char *const files[] = { "meta", "lock", "cancel",
		"image" };
	static const char *const dirs[] = { "upper", "work" };

	if (dir < 0)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlinkat(dir, files[i], 0);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		(void)unlinkat(dir, dirs[i], AT_REMOVEDIR);
	(void)unlinkat(st->trash, name, AT_REMOVEDIR);
}

static enum session_result
make(const struct config *c, const struct state *st, const struct session *s,
    struct failure *f)
{
	char name[SESSION_ID_LEN + 5];
	enum session_result r = SESSION_FAILED;
	/* Many make theirs at the same time, as long as there is room for all.
	 */
	uint64_t count = store_bound(st);
	bool alone = count + AT_ONCE >= c->max_sessions;

	if (alone && (r = enter(c, st, &count, f)) != SESSION_OK)
		return r;
	(void)snprintf(name, sizeof(name), "new-%s", s->id);
	auto_fd dir = state_make_locked(st, name);
	if (dir < 0) {
		(void)failure_set(f, "state", errno, "make a directory");
		return SESSION_FAILED;
	}
	r = fill(c, dir, s, f) != 0 ? SESSION_FAILED
	    : alone		    ? SESSION_OK
				    : enter(c, st, &count, f);
	if (r == SESSION_OK)
		r = publish(st, name, s, count, f);
	if (r != SESSION_OK)
		give_up(st, name);
	return r;
}

static enum session_result
read_image(const struct config *c, struct session *s, struct failure *f)
{
	enum images_result r = images_read(c, s->image, session_new_base(s), f);

	if (r != IMAGES_NOT_FOUND)
		return r == IMAGES_OK ? SESSION_OK : SESSION_FAILED;
	(void)failure_set(
	    f, "session", 0, "image: there is no image '%s'", s->image);
	return SESSION_WRONG;
}

/*
 * Its own copy: what becomes of the image later is nothing to the session.
 * Until that names the layers they are held, in ret_hold.
 */
static enum session_result
take_image(const struct config *c, const struct state *st, struct session *s,
    int *ret_hold, struct failure *f)
{
	bool given = s->base != NULL;
	enum session_result r = SESSION_OK;

	if (!given && strcmp(s->image, "host") == 0)
		return SESSION_OK;
	if (!given)
		r = read_image(c, s, f);
	if (r != SESSION_OK)
		return r;
	*ret_hold = images_hold(st, f);
	if (*ret_hold < 0)
		return SESSION_FAILED;
	/* It may have gone before they were. */
	return given ? SESSION_OK : read_image(c, s, f);
}

enum session_result
session_create(const struct config *c, struct session *s, struct failure *f)
{
	bool anywhere = *s->cwd == '\0';
	enum session_result r = complete(c, s, f);
	auto_fd hold = -1;
	struct state st;

	if (r != SESSION_OK)
		return r;
	if (state_open(c, &st, f) != 0)
		return SESSION_FAILED;
	r = state_check_room(c, &st, f) != 0 ? SESSION_FAILED
					     : take_image(c, &st, s, &hold, f);
	if (r == SESSION_OK && anywhere && s->base != NULL &&
	    *s->base->cwd != '\0')
		(void)strcpy(s->cwd, s->base->cwd);
	if (r == SESSION_OK)
		r = make(c, &st, s, f);
	state_close(&st);
	return r;
}

enum session_result
session_show(const struct config *c, const char *owner, const char *id,
    struct session *s, struct failure *f)
{
	enum session_result r;
	struct state st;
	auto_fd dir = -1;

	r = store_find(c, owner, id, &st, &dir, s, f);
	state_close(&st);
	return r;
}

enum session_result
session_list(const struct config *c, const char *owner, const char *after,
    uint64_t limit, bool (*take)(void *context, const struct session *s),
    void *context, struct failure *f)
{
	enum session_result r;
	struct session s;
	struct state st;
	size_t n = 0;
	char *ids;

	if (state_open(c, &st, f) != 0)
		return SESSION_FAILED;
	if (store_list(&st, after, &ids, &n) != 0) {
		(void)failure_set(f, "state", errno, "list sessions");
		state_close(&st);
		return SESSION_FAILED;
	}
	session_init(&s);
	r = SESSION_OK;
	for (size_t i = 0; i < n && limit > 0 && r != SESSION_FAILED; i++) {
		auto_fd dir = -1;

		r = store_look(
		    &st, owner, ids + i * (SESSION_ID_LEN + 1), &dir, &s, f);
		if (r == SESSION_OK)
			limit = take(context, &s) ? limit - 1 : 0;
		/* A record that is damaged hides no other session. */
		if (r == SESSION_FAILED && f->error == 0)
			r = SESSION_OK;
		session_free(&s);
	}
	free(ids);
	state_close(&st);
	return r == SESSION_FAILED ? r : SESSION_OK;
}
