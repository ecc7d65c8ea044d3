#include "squash.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deputy.h"
#include "images.h"
#include "merge.h"
#include "names.h"
#include "stack.h"
#include "store.h"
#include "sys.h"
#include "trash.h"

/* How many merges one reaper remembers, for forks of one session. */
#define DONE_MAX 64
/* For a session's turn, in ms: a run is not to wait for a reaper. */
#define WAIT 1000
/* In a session whose layers cannot be merged: nobody tries again. */
#define MARK "unmerged"

/* A run of layers, and what they have become. */
struct done {
	char from[PLAN_LAYERS_MAX][IMAGE_LAYER_MAX + 1];
	size_t count;
	char to[IMAGE_LAYER_MAX + 1];
};

struct squash {
	const struct config *config;
	const struct state *st;
	struct done *done;
	size_t count;
	void (*say)(const char *what, const char *name);
	void (*problem)(const char *name, int error);
};

/* Where the layers of runs begin, which lie above those of an image. */
static size_t
first_of_runs(const struct image *m)
{
	size_t i = m->layer_count;

	while (i > 0 && m->layers[i - 1].is_snapshot)
		i--;
	return i;
}

static bool
is_high(const struct image *m)
{
	return m->layer_count - first_of_runs(m) > STACK_HIGH;
}

/* Puts what they have become in place of them. Are they there? */
static bool
replace(struct image *m, const struct done *d)
{
	size_t first = first_of_runs(m);

	if (m->layer_count - first < d->count)
		return false;
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(m->layers[first + i].name, d->from[i]) != 0)
			return false;
	}
	(void)strcpy(m->layers[first].name, d->to);
	m->layers[first].size_kb = IMAGE_SIZE_UNKNOWN;
	memmove(&m->layers[first + 1], &m->layers[first + d->count],
	    (m->layer_count - first - d->count) * sizeof(*m->layers));
	m->layer_count -= d->count - 1;
	return true;
}

static bool
replace_any(const struct squash *q, struct image *m)
{
	bool any = false;

	for (size_t i = 0; i < q->count; i++)
		any = replace(m, &q->done[i]) || any;
	return any;
}

/*
 * Makes the layer in the trash, from where it is renamed, synced. 0 or
 * -1/errno.
 */
static int
merge(struct squash *q, const struct image *m, struct done *d, bool *ret_ever)
{
	const char *names[PLAN_LAYERS_MAX];
	char fresh[STATE_RANDOM + 8] = "merge-", id[SESSION_ID_LEN + 1] = "";
	size_t first = first_of_runs(m);
	auto_fd layers = openat(q->st->dir, "layers", OPEN_DIR);
	auto_fd ids = openat(q->st->dir, "layers/id", OPEN_DIR);

	if (layers < 0 || ids < 0 ||
	    state_random(fresh + 6, STATE_RANDOM) != 0 ||
	    state_random(id, SESSION_ID_LEN) != 0)
		return -1;
	d->count = m->layer_count - first;
	for (size_t i = 0; i < d->count; i++) {
		(void)strcpy(d->from[i], m->layers[first + i].name);
		names[i] = d->from[i];
	}
	(void)snprintf(d->to, sizeof(d->to), "id/%s", id);
	auto_fd dir = state_make_locked(q->st, fresh);
	if (dir < 0 || mkdirat(dir, "upper", 0700) != 0)
		return -1;
	auto_fd upper = openat(dir, "upper", OPEN_DIR);
	if (upper < 0 || merge_layers(q->config, layers, names, d->count, upper,
			     ret_ever) != 0)
		return -1;
	if (deputy_rename(q->config, dir, "upper", ids, id) != 0 ||
	    stack_reach(q->config, q->st, id) != 0)
		return -1;
	(void)unlinkat(q->st->trash, fresh, AT_REMOVEDIR);
	/* What manifests name from now on is there after a crash as well. */
	return syncfs(ids);
}

/* 0 where it is idle, and its turn is ours. -1: not now. */
static int
lock_session(const struct state *st, const char *id, int dir, uint64_t ms)
{
	auto_fd lock =
	    openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (lock < 0 || turn_wait_run(lock, -1, -1, ms) != 0 ||
	    !state_is_there(st->sessions, id, dir))
		return -1;
	return sys_take(&lock);
}

/* Rewrites the manifest of a session. */
static int
apply(struct squash *q, const char *id, int dir)
{
	static struct session s;
	struct failure f = { 0 };
	auto_fd lock = lock_session(q->st, id, dir, WAIT);
	int r = 0;

	if (lock < 0)
		return 0;
	session_init(&s);
	s.dir = dir;
	if (stack_read(q->config, &s, &f) != 0) {
		r = -1;
	} else if (s.base != NULL && replace_any(q, s.base)) {
		r = images_write_file(dir, "image", s.base, &f);
		if (r == 0)
			r = fsync(dir);
		if (r == 0)
			q->say("layers of session", id);
	}
	s.dir = -1;
	session_free(&s);
	if (r != 0 && f.error != 0)
		errno = f.error;
	return r;
}

static bool
is_idle(struct squash *q, const char *id, int dir)
{
	auto_fd lock = lock_session(q->st, id, dir, 0);

	return lock >= 0;
}

/* Looks at one, merges what it has where that is much. 0 or -1/errno. */
static int
squash_session(struct squash *q, const char *id, bool dry)
{
	static struct image m;
	struct done *d = &q->done[q->count];
	struct failure f;
	bool matters, ever = false;
	int r = 0, error;
	auto_fd dir = store_open_dir(q->st, id);

	image_init(&m);
	if (dir < 0 || images_read_file(dir, "image", &m, &f) != IMAGES_OK) {
		image_free(&m);
		return 0;
	}
	matters = replace_any(q, &m);
	if (is_high(&m) && q->count < DONE_MAX &&
	    faccessat(dir, MARK, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	    is_idle(q, id, dir)) {
		matters = !dry;
		if (dry)
			q->say("layers of session", id);
		else if (merge(q, &m, d, &ever) == 0)
			q->count++;
		else
			r = -1;
	}
	error = errno;
	image_free(&m);
	if (r != 0 && ever) {
		int mark = openat(dir, MARK,
		    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		sys_close(&mark);
	}
	errno = error;
	return r == 0 && matters ? apply(q, id, dir) : r;
}

/* Snapshots that stand on the same layers need them no longer either. */
static int
squash_snapshot(struct squash *q, int snapshots, const char *id)
{
	static struct image m;
	struct failure f = { 0 };
	int r = 0;
	auto_fd dir = openat(snapshots, id, OPEN_DIR);

	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) != 0)
		return 0;
	image_init(&m);
	if (images_read_file(dir, "image", &m, &f) == IMAGES_OK &&
	    replace_any(q, &m)) {
		r = images_write_file(dir, "image", &m, &f);
		if (r == 0)
			r = fsync(dir);
	}
	image_free(&m);
	if (r != 0 && f.error != 0)
		errno = f.error;
	return r;
}

static void
squash_snapshots(struct squash *q)
{
	auto_fd snapshots = openat(q->st->dir, "snapshots", OPEN_DIR);
	char **names;
	size_t n;

	if (snapshots < 0 || names_list(snapshots, &names, &n) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (session_is_id(names[i]) &&
		    squash_snapshot(q, snapshots, names[i]) != 0)
			q->problem(names[i], errno);
	}
	names_free(names, n);
}

void
squash_all(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error))
{
	struct squash q = { c, st, NULL, 0, say, problem };
	struct failure f;
	size_t n = 0;
	char *ids;

	/* Where there was never a snapshot there is nothing to merge. */
	if (faccessat(st->dir, "layers", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	auto_fd hold = images_hold(st, &f);
	if (hold < 0 || store_list(st, NULL, &ids, &n) != 0)
		return;
	q.done = calloc(DONE_MAX + 1, sizeof(*q.done));
	if (q.done == NULL)
		fail_memory();
	for (size_t i = 0; i < n; i++) {
		const char *id = ids + i * (SESSION_ID_LEN + 1);

		if (squash_session(&q, id, dry) != 0)
			problem(id, errno);
	}
	free(ids);
	if (q.count > 0)
		squash_snapshots(&q);
	free(q.done);
}
