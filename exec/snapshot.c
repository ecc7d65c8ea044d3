#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "io.h"
#include "names.h"
#include "record.h"
#include "snapshot_parts.h"
#include "stack.h"
#include "store.h"
#include "sys.h"
#include "tree.h"

#define SNAPSHOT_RECORD_MAX (RECORD_MAX + 1024)

enum session_result
snapshot_failed(struct failure *f, const char *what)
{
	(void)failure_set(f, "state", errno, "%s", what);
	return SESSION_FAILED;
}

enum session_result
snapshot_read(int dir, const char *owner, const char *id, struct snapshot *n,
    struct failure *f)
{
	char why[160];
	size_t len = 0;
	char *data = io_read_file(dir, "meta", SNAPSHOT_RECORD_MAX, &len);
	int r;

	if (data == NULL && errno == ENOENT)
		return SESSION_NOT_FOUND;
	if (data == NULL)
		return snapshot_failed(f, "read a snapshot's record");
	r = snapshot_decode(n, data, len, why, sizeof(why));
	free(data);
	if (r == 0 && strcmp(n->as.id, id) != 0) {
		(void)snprintf(why, sizeof(why), "id: of another snapshot");
		r = -1;
	}
	if (r != 0) {
		(void)failure_set(f, "state", 0, "%s: its record: %s", id, why);
		return SESSION_FAILED;
	}
	return owner != NULL && strcmp(owner, n->as.owner) != 0
		   ? SESSION_NOT_FOUND
		   : SESSION_OK;
}

enum session_result
snapshot_find(int snapshots, const char *owner, const char *id,
    struct snapshot *n, int *ret_dir, struct failure *f)
{
	enum session_result r;
	auto_fd dir = openat(snapshots, id, OPEN_DIR);

	if (dir < 0 && errno == ENOENT)
		return SESSION_NOT_FOUND;
	if (dir < 0)
		return snapshot_failed(f, "open a snapshot");
	r = snapshot_read(dir, owner, id, n, f);
	if (r == SESSION_OK && ret_dir != NULL)
		*ret_dir = sys_take(&dir);
	return r;
}

int
snapshot_write(int dir, const struct snapshot *n)
{
	char *buf = malloc(SNAPSHOT_RECORD_MAX);
	ssize_t len =
	    buf != NULL ? snapshot_encode(n, buf, SNAPSHOT_RECORD_MAX) : -1;
	int r = -1;

	errno = EFBIG;
	if (len >= 0)
		r = io_write_file(dir, "meta", buf, (size_t)len);
	free(buf);
	return r;
}

void
session_inherit(struct session *to, const struct session *from)
{
	(void)strcpy(to->image, from->image);
	(void)strcpy(to->parent, from->id);
	(void)strcpy(to->cwd, from->cwd);
	to->env = calloc(PLAN_ENV_MAX + 1, sizeof(*to->env));
	if (to->env == NULL)
		fail_memory();
	for (size_t i = 0; i < from->env_count; i++) {
		to->env[i] = strdup(from->env[i]);
		if (to->env[i] == NULL)
			fail_memory();
		to->env_count++;
	}
	to->limits = from->limits;
}

/* Whole and synced in the trash, from where it is renamed. */
static enum session_result
publish(const struct state *st, int snapshots, const struct snapshot *n,
    const struct image *base, struct failure *f)
{
	char name[SESSION_ID_LEN + 10];
	enum session_result r = SESSION_FAILED;

	(void)snprintf(name, sizeof(name), "snapshot-%s", n->as.id);
	auto_fd dir = state_make_locked(st, name);
	if (dir < 0)
		return snapshot_failed(f, "make a directory");
	if (images_write_file(dir, "image", base, f) != 0)
		r = SESSION_FAILED;
	else if (snapshot_write(dir, n) != 0 || fsync(dir) != 0)
		r = snapshot_failed(f, "write a snapshot's record");
	else if (sys_rename_new(st->trash, name, snapshots, n->as.id) != 0)
		r = snapshot_failed(f, "rename");
	else
		return fsync(snapshots) == 0 ? SESSION_OK
					     : snapshot_failed(f, "sync");
	(void)unlinkat(dir, "image", 0);
	(void)unlinkat(dir, "meta", 0);
	(void)unlinkat(st->trash, name, AT_REMOVEDIR);
	return r;
}

static enum session_result
take_held(const struct config *c, const struct state *st, int snapshots,
    struct session *s, struct snapshot *n, struct failure *f)
{
	static struct image nothing;
	enum session_result r =
	    stack_push(c, st, s, &n->size_kb, &n->counted, f);

	if (r != SESSION_OK)
		return r;
	if (store_make_id(n->as.id) != 0)
		return snapshot_failed(f, "getrandom");
	session_inherit(&n->as, s);
	n->as.created_at = n->as.last_used_at = store_now();
	n->as.ttl = SESSION_NEVER;
	/* Nothing was ever written in a session of the host's. */
	(void)snprintf(nothing.name, sizeof(nothing.name), "%s", s->image);
	nothing.created_at = s->created_at;
	if (tree_note(st, s, f) != 0)
		return SESSION_FAILED;
	return publish(
	    st, snapshots, n, s->base != NULL ? s->base : &nothing, f);
}

static enum session_result
check_count(const struct config *c, int snapshots, struct failure *f)
{
	char **names;
	size_t n;

	if (names_list(snapshots, &names, &n) != 0)
		return snapshot_failed(f, "count the snapshots");
	names_free(names, n);
	if (n < c->max_snapshots)
		return SESSION_OK;
	(void)failure_set(f, "session", 0, "there are max_snapshots already");
	return SESSION_FULL;
}

enum session_result
snapshot_take(const struct config *c, const char *owner, const char *id,
    int caller, struct snapshot *n, struct failure *f)
{
	static struct session s;
	enum session_result r;
	struct state st;

	if (!snapshot_is_name(n->name)) {
		(void)failure_set(f, "session", 0,
		    "name: longer than %d bytes, or with control characters",
		    SNAPSHOT_NAME_MAX);
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
	auto_fd snapshots = state_open_private(st.dir, "snapshots", f);
	auto_fd hold = snapshots >= 0 ? images_hold(&st, f) : -1;
	r = hold >= 0 ? check_count(c, snapshots, f) : SESSION_FAILED;
	if (r == SESSION_OK)
		r = take_held(c, &st, snapshots, &s, n, f);
	state_close(&st);
	session_close(&s);
	return r;
}

enum session_result
snapshot_open_all(
    const struct config *c, struct state *st, int *ret_fd, struct failure *f)
{
	enum session_result r = SESSION_NOT_FOUND;

	*ret_fd = -1;
	if (state_open(c, st, f) != 0)
		return SESSION_FAILED;
	if (faccessat(st->dir, "snapshots", F_OK, 0) == 0 || errno != ENOENT) {
		*ret_fd = state_open_private(st->dir, "snapshots", f);
		r = *ret_fd < 0 ? SESSION_FAILED : SESSION_OK;
	}
	if (r != SESSION_OK)
		state_close(st);
	return r;
}

enum session_result
snapshot_show(const struct config *c, const char *owner, const char *id,
    struct snapshot *n, struct failure *f)
{
	enum session_result r;
	auto_fd snapshots = -1;
	struct state st;

	if (!session_is_id(id))
		return SESSION_NOT_FOUND;
	r = snapshot_open_all(c, &st, &snapshots, f);
	if (r != SESSION_OK)
		return r;
	r = snapshot_find(snapshots, owner, id, n, NULL, f);
	state_close(&st);
	return r;
}

enum session_result
snapshot_list(const struct config *c, const char *owner, const char *of,
    const char *after, uint64_t limit,
    bool (*take)(void *context, const struct snapshot *n), void *context,
    struct failure *f)
{
	static struct snapshot one;
	enum session_result r;
	auto_fd snapshots = -1;
	struct state st;
	char **names;
	size_t n;

	r = snapshot_open_all(c, &st, &snapshots, f);
	if (r != SESSION_OK)
		return r == SESSION_NOT_FOUND ? SESSION_OK : r;
	state_close(&st);
	if (names_list(snapshots, &names, &n) != 0)
		return snapshot_failed(f, "list snapshots");
	for (size_t i = 0; i < n && limit > 0 && r != SESSION_FAILED; i++) {
		if (!session_is_id(names[i]) ||
		    (after != NULL && strcmp(names[i], after) <= 0))
			continue;
		snapshot_init(&one);
		r = snapshot_find(snapshots, owner, names[i], &one, NULL, f);
		if (r == SESSION_OK &&
		    (of == NULL || strcmp(of, one.as.parent) == 0))
			limit = take(context, &one) ? limit - 1 : 0;
		/* One that is damaged hides no other. */
		if (r == SESSION_FAILED && f->error == 0)
			r = SESSION_OK;
		snapshot_free(&one);
	}
	names_free(names, n);
	return r == SESSION_FAILED ? r : SESSION_OK;
}

int
snapshot_remove_files(int snapshots, const char *id, int dir)
{
	static const char *const files[] = { "image", "image.new", "meta.new" };

	if ((unlinkat(dir, "meta", 0) != 0 && errno != ENOENT) ||
	    fsync(dir) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlinkat(dir, files[i], 0);
	(void)unlinkat(snapshots, id, AT_REMOVEDIR);
	return 0;
}

/* A reaper that is writing in it would bring it back. */
static enum session_result
remove_locked(int snapshots, const char *id, int dir, struct failure *f)
{
	if (turn_wait(dir, -1, -1, RECORD_WAIT) != 0)
		return snapshot_failed(f, "lock a snapshot");
	if (!state_is_there(snapshots, id, dir) ||
	    faccessat(dir, "meta", F_OK, AT_SYMLINK_NOFOLLOW) != 0 ||
	    snapshot_remove_files(snapshots, id, dir) != 0)
		return errno == ENOENT
			   ? SESSION_NOT_FOUND
			   : snapshot_failed(f, "remove a snapshot");
	return SESSION_OK;
}

enum session_result
snapshot_delete(const struct config *c, const char *owner, const char *id,
    struct failure *f)
{
	static struct snapshot n;
	enum session_result r;
	auto_fd snapshots = -1, dir = -1;
	struct state st;

	if (!session_is_id(id))
		return SESSION_NOT_FOUND;
	r = snapshot_open_all(c, &st, &snapshots, f);
	if (r != SESSION_OK)
		return r;
	snapshot_init(&n);
	r = snapshot_find(snapshots, owner, id, &n, &dir, f);
	snapshot_free(&n);
	/* Root may delete what no version of mayfly can read. */
	if (r == SESSION_FAILED && owner == NULL &&
	    (dir = openat(snapshots, id, OPEN_DIR)) >= 0)
		r = SESSION_OK;
	if (r == SESSION_OK)
		r = remove_locked(snapshots, id, dir, f);
	state_close(&st);
	return r;
}
