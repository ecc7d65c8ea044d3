#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "names.h"
#include "record.h"
#include "snapshot.h"
#include "store.h"
#include "sys.h"

/* A note is a session's record without variables and limits. */
#define NOTE_MAX 16384

/* All that there are, sorted by their ids. */
struct family {
	struct relative *all;
	size_t n, size;
};

int
tree_note(const struct state *st, const struct session *s, struct failure *f)
{
	static struct session note;
	char buf[NOTE_MAX];
	ssize_t len;
	auto_fd dir = state_open_private(st->dir, "tree", f);

	if (dir < 0)
		return -1;
	/* What it says never changes. */
	if (faccessat(dir, s->id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	session_init(&note);
	(void)strcpy(note.id, s->id);
	(void)strcpy(note.owner, s->owner);
	(void)strcpy(note.image, s->image);
	(void)strcpy(note.parent, s->parent);
	(void)strcpy(note.cwd, "/");
	note.created_at = note.last_used_at = s->created_at;
	note.ttl = SESSION_NEVER;
	len = record_encode(&note, buf, sizeof(buf));
	errno = EFBIG;
	if (len < 0 || io_write_file(dir, s->id, buf, (size_t)len) != 0 ||
	    fsync(dir) != 0)
		return failure_set(f, "state", errno, "note a session");
	return 0;
}

/* 0, or -1/errno; one that cannot be read is as if it were not there. */
static int
read_note(int dir, const char *id, struct session *s)
{
	char why[160];
	size_t len;
	char *data = io_read_file(dir, id, NOTE_MAX, &len);
	int r;

	if (data == NULL)
		return -1;
	session_init(s);
	r = record_decode(s, data, len, why, sizeof(why));
	free(data);
	if (r == 0 && strcmp(s->id, id) == 0)
		return 0;
	session_free(s);
	errno = EBADMSG;
	return -1;
}

static void
add(struct family *y, const struct session *s, bool deleted)
{
	struct relative *more;

	if (y->n == y->size) {
		y->size = y->size == 0 ? 64 : 2 * y->size;
		more = realloc(y->all, y->size * sizeof(*more));
		if (more == NULL)
			fail_memory();
		y->all = more;
	}
	more = &y->all[y->n++];
	*more = (struct relative){ .created_at = s->created_at,
		.deleted = deleted };
	(void)strcpy(more->id, s->id);
	(void)strcpy(more->parent, s->parent);
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(
	    ((const struct relative *)a)->id, ((const struct relative *)b)->id);
}

static int
by_parent(const void *a, const void *b)
{
	const struct relative *x = a, *y = b;
	int r = strcmp(x->parent, y->parent);

	return r != 0 ? r : strcmp(x->id, y->id);
}

static const struct relative *
find(const struct family *y, const char *id)
{
	struct relative key = { 0 };

	(void)snprintf(key.id, sizeof(key.id), "%s", id);
	return y->n == 0 ? NULL
			 : bsearch(&key, y->all, y->n, sizeof(key), by_id);
}

/* The owner's sessions. Those of others do not exist. 0 or -1/errno. */
static int
gather_sessions(const struct state *st, const char *owner, struct family *y)
{
	struct failure f;
	struct session s;
	size_t n = 0;
	char *ids;

	if (store_list(st, NULL, &ids, &n) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *id = ids + i * (SESSION_ID_LEN + 1);
		auto_fd dir = store_open_dir(st, id);

		session_init(&s);
		if (dir >= 0 &&
		    store_read(dir, owner, id, &s, &f) == SESSION_OK)
			add(y, &s, store_is_expired(&s, dir, false) == 1);
		session_free(&s);
	}
	free(ids);
	return 0;
}

/* And what has been one. 0 or -1/errno. */
static int
gather_notes(const struct state *st, const char *owner, struct family *y)
{
	auto_fd dir = openat(st->dir, "tree", OPEN_DIR);
	const size_t living = y->n;
	struct session s;
	char **names;
	size_t n;

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	if (names_list(dir, &names, &n) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct family sessions = { y->all, living, 0 };

		if (!session_is_id(names[i]) ||
		    find(&sessions, names[i]) != NULL ||
		    read_note(dir, names[i], &s) != 0)
			continue;
		if (owner == NULL || strcmp(owner, s.owner) == 0)
			add(y, &s, true);
		session_free(&s);
	}
	names_free(names, n);
	return 0;
}

static int
gather(const struct state *st, const char *owner, struct family *y)
{
	if (gather_sessions(st, owner, y) != 0 ||
	    gather_notes(st, owner, y) != 0)
		return -1;
	if (y->n > 0)
		qsort(y->all, y->n, sizeof(*y->all), by_id);
	return 0;
}

/* The first of those whose parent it is. */
static size_t
first_child(const struct family *y, const char *id)
{
	size_t low = 0, high = y->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(y->all[middle].parent, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * All below top, and itself, in the order in which they are shown. A deleted
 * one below which nobody is left says nothing.
 */
static void
descend(struct family *y, const struct relative *top, struct family *ret)
{
	size_t next[TREE_DEPTH_MAX + 1], path[TREE_DEPTH_MAX + 1], depth = 0;
	struct relative now = *top, *last;

	qsort(y->all, y->n, sizeof(*y->all), by_parent);
	ret->all = malloc((y->n + 1) * sizeof(*ret->all));
	if (ret->all == NULL)
		fail_memory();
	ret->all[ret->n++] = now;
	path[0] = 0;
	next[0] = first_child(y, now.id);
	for (;;) {
		const struct relative *child = &y->all[next[depth]];

		if (next[depth] < y->n && ret->n < TREE_MAX &&
		    strcmp(child->parent, ret->all[path[depth]].id) == 0) {
			next[depth]++;
			path[depth + 1] = ret->n;
			last = &ret->all[ret->n++];
			*last = *child;
			last->depth = depth + 1;
			next[depth + 1] = first_child(y, last->id);
			if (depth + 1 < TREE_DEPTH_MAX)
				depth++;
			continue;
		}
		if (depth == 0)
			return;
		if (path[depth] == ret->n - 1 && ret->all[path[depth]].deleted)
			ret->n--;
		depth--;
	}
}

enum session_result
tree_show(const struct config *c, const char *owner, const char *id,
    struct relative **ret, size_t *ret_n, struct failure *f)
{
	struct family all = { 0 }, shown = { 0 };
	const struct relative *top, *above;
	enum session_result r = SESSION_OK;
	struct state st;

	if (!session_is_id(id))
		return SESSION_NOT_FOUND;
	if (state_open(c, &st, f) != 0)
		return SESSION_FAILED;
	if (gather(&st, owner, &all) != 0) {
		(void)failure_set(f, "state", errno, "list sessions");
		r = SESSION_FAILED;
	}
	state_close(&st);
	top = r == SESSION_OK ? find(&all, id) : NULL;
	if (r == SESSION_OK && (top == NULL || top->deleted))
		r = SESSION_NOT_FOUND;
	if (r == SESSION_OK) {
		for (int i = 0;
		     i < TREE_DEPTH_MAX / 2 && *top->parent != '\0' &&
		     (above = find(&all, top->parent)) != NULL;
		     i++)
			top = above;
		descend(&all, top, &shown);
		*ret = shown.all;
		*ret_n = shown.n;
	}
	free(all.all);
	return r;
}

/* A note and those of all its ancestors are needed. */
static void
keep(struct family *notes, const char *id)
{
	struct relative *r;

	while (*id != '\0') {
		r = (struct relative *)(uintptr_t)find(notes, id);
		if (r == NULL || !r->deleted)
			return;
		/* Here it says that nobody needs it. */
		r->deleted = false;
		id = r->parent;
	}
}

static bool
keep_snapshot(void *context, const struct snapshot *n)
{
	keep(context, n->as.parent);
	return true;
}

/* What was to become a note, and is none. How many there are; -1/errno. */
static int
drop_half_notes(int dir, bool dry)
{
	int found = 0, r = 0;
	char **names;
	size_t n;

	if (names_list(dir, &names, &n) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (session_is_id(names[i]))
			continue;
		found++;
		if (!dry && unlinkat(dir, names[i], 0) != 0 && errno != ENOENT)
			r = -1;
	}
	names_free(names, n);
	return r == 0 ? found : -1;
}

int
tree_collect(const struct config *c, const struct state *st, bool dry)
{
	struct family notes = { 0 }, living = { 0 };
	struct failure f = { 0 };
	int r = 0, found;
	auto_fd dir = openat(st->dir, "tree", OPEN_DIR);

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	found = drop_half_notes(dir, dry);
	if (found < 0)
		return -1;
	if (gather_notes(st, NULL, &notes) != 0 ||
	    gather_sessions(st, NULL, &living) != 0)
		r = -1;
	if (notes.n > 0)
		qsort(notes.all, notes.n, sizeof(*notes.all), by_id);
	for (size_t i = 0; r == 0 && i < living.n; i++) {
		keep(&notes, living.all[i].id);
		keep(&notes, living.all[i].parent);
	}
	if (r == 0 && snapshot_list(c, NULL, NULL, NULL, UINT64_MAX,
			  keep_snapshot, &notes, &f) != SESSION_OK) {
		errno = f.error;
		r = -1;
	}
	for (size_t i = 0; r == 0 && i < notes.n; i++) {
		if (!notes.all[i].deleted)
			continue;
		found++;
		if (!dry && unlinkat(dir, notes.all[i].id, 0) != 0 &&
		    errno != ENOENT)
			r = -1;
	}
	free(notes.all);
	free(living.all);
	return r == 0 ? found : -1;
}
