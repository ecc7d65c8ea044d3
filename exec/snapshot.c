#include "snapshot.h"

#include <sys/file.h>

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
#include "stack.h"
#include "store.h"
#include "sys.h"
#include "tally.h"
#include "tree.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define SNAPSHOT_RECORD_MAX (RECORD_MAX + 1024)

static enum session_result
failed(struct failure *f, const char *what)
{
	(void)failure_set(f, "state", errno, "%s", what);
	return SESSION_FAILED;
}

/* The record of the directory dir, which has the snapshot's id. */
static enum session_result
read_record(int dir, const char *owner, const char *id, struct snapshot *n,
    struct failure *f)
{
	char why[160];
	size_t len = 0;
	char *data = io_read_file(dir, "meta", SNAPSHOT_RECORD_MAX, &len);
	int r;

	if (data == NULL && errno == ENOENT)
		return SESSION_NOT_FOUND;
	if (data == NULL)
		return failed(f, "read a snapshot's record");
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

/* Opens its directory, and reads its record, if it is the owner's. */
static enum session_result
find(int snapshots, const char *owner, const char *id, struct snapshot *n,
    int *ret_dir, struct failure *f)
{
	enum session_result r;
	auto_fd dir = openat(snapshots, id, OPEN_DIR);

	if (dir < 0 && errno == ENOENT)
		return SESSION_NOT_FOUND;
	if (dir < 0)
		return failed(f, "open a snapshot");
	r = read_record(dir, owner, id, n, f);
	if (r == SESSION_OK && ret_dir != NULL)
		*ret_dir = sys_take(&dir);
	return r;
}

static int
write_record(int dir, const struct snapshot *n)
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
		return failed(f, "make a directory");
	if (images_write_file(dir, "image", base, f) != 0)
		r = SESSION_FAILED;
	else if (write_record(dir, n) != 0 || fsync(dir) != 0)
		r = failed(f, "write a snapshot's record");
	else if (sys_rename_new(st->trash, name, snapshots, n->as.id) != 0)
		r = failed(f, "rename");
	else
		return fsync(snapshots) == 0 ? SESSION_OK : failed(f, "sync");
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
		return failed(f, "getrandom");
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
		return failed(f, "count the snapshots");
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
		session_close(c, &s);
		return SESSION_FAILED;
	}
	auto_fd snapshots = state_open_private(st.dir, "snapshots", f);
	auto_fd hold = snapshots >= 0 ? images_hold(&st, f) : -1;
	r = hold >= 0 ? check_count(c, snapshots, f) : SESSION_FAILED;
	if (r == SESSION_OK)
		r = take_held(c, &st, snapshots, &s, n, f);
	state_close(&st);
	session_close(c, &s);
	return r;
}

/*
 * Opens the state and the snapshots in it. Whoever only looks makes no
 * directory: SESSION_NOT_FOUND where there are none, and st is closed.
 */
static enum session_result
open_all(
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
	r = open_all(c, &st, &snapshots, f);
	if (r != SESSION_OK)
		return r;
	r = find(snapshots, owner, id, n, NULL, f);
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

	r = open_all(c, &st, &snapshots, f);
	if (r != SESSION_OK)
		return r == SESSION_NOT_FOUND ? SESSION_OK : r;
	state_close(&st);
	if (names_list(snapshots, &names, &n) != 0)
		return failed(f, "list snapshots");
	for (size_t i = 0; i < n && limit > 0 && r != SESSION_FAILED; i++) {
		if (!session_is_id(names[i]) ||
		    (after != NULL && strcmp(names[i], after) <= 0))
			continue;
		snapshot_init(&one);
		r = find(snapshots, owner, names[i], &one, NULL, f);
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

/*
 * Without its record it is none, and that takes no room on a full disk. What
 * else there is the reaper removes where this is broken off. 0 or -1/errno.
 */
static int
remove_files(int snapshots, const char *id, int dir)
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
	r = open_all(c, &st, &snapshots, f);
	if (r != SESSION_OK)
		return r;
	snapshot_init(&n);
	r = find(snapshots, owner, id, &n, &dir, f);
	snapshot_free(&n);
	/* Root may delete what no version of mayfly can read. */
	if (r == SESSION_FAILED && owner == NULL &&
	    (dir = openat(snapshots, id, OPEN_DIR)) >= 0)
		r = SESSION_OK;
	if (r == SESSION_OK && remove_files(snapshots, id, dir) != 0)
		r = errno == ENOENT ? SESSION_NOT_FOUND
				    : failed(f, "remove a snapshot");
	state_close(&st);
	return r;
}

/* What s does not say itself. */
static void
complete(const struct config *c, struct session *s, const struct snapshot *n)
{
	const struct session *from = &n->as;
	struct failure f;

	(void)strcpy(s->image, from->image);
	(void)strcpy(s->parent, from->parent);
	if (*s->cwd == '\0')
		(void)strcpy(s->cwd, from->cwd);
	for (size_t i = 0; i < from->env_count; i++) {
		size_t k = 0;

		while (k < s->env_count &&
		       session_compare_env(s->env[k], from->env[i]) != 0)
			k++;
		if (k == s->env_count)
			(void)session_merge_env(s, from->env[i], &f);
	}
	for (int i = 0; i < LIMIT_MAX; i++) {
		if (s->limits.asked[i] || !from->limits.asked[i])
			continue;
		/* What was allowed once may have been capped since. */
		s->limits.value[i] = from->limits.value[i] < c->limits.cap[i]
					 ? from->limits.value[i]
					 : c->limits.cap[i];
		s->limits.asked[i] = true;
	}
}

static enum session_result
none(struct failure *f)
{
	(void)failure_set(
	    f, "session", 0, "snapshot: there is no such snapshot");
	return SESSION_WRONG;
}

static enum session_result
begin_held(const struct config *c, const struct state *st, int snapshots,
    const char *owner, const char *id, struct session *s, struct failure *f)
{
	static struct snapshot n;
	auto_fd dir = -1;
	enum session_result r;
	struct image *base;

	snapshot_init(&n);
	r = session_is_id(id) ? find(snapshots, owner, id, &n, &dir, f)
			      : SESSION_NOT_FOUND;
	if (r == SESSION_NOT_FOUND)
		r = none(f);
	if (r == SESSION_OK)
		complete(c, s, &n);
	snapshot_free(&n);
	if (r != SESSION_OK)
		return r;
	base = session_new_base(s);
	if (images_read_file(dir, "image", base, f) != IMAGES_OK) {
		if (faccessat(dir, "image", F_OK, 0) != 0 && errno == ENOENT)
			return none(f);
		return SESSION_FAILED;
	}
	if (base->layer_count > 0) {
		s->root = stack_open_layer(
		    st, base->layers[base->layer_count - 1].name);
		if (s->root < 0)
			return failed(f, "open a layer");
	}
	return session_create(c, s, f);
}

enum session_result
snapshot_begin(const struct config *c, const char *owner, const char *id,
    struct session *s, struct failure *f)
{
	enum session_result r;
	auto_fd snapshots = -1, hold = -1;
	struct state st;

	r = open_all(c, &st, &snapshots, f);
	if (r == SESSION_NOT_FOUND)
		return none(f);
	if (r != SESSION_OK)
		return r;
	/* Its layers stay until the session names them. */
	hold = images_hold(&st, f);
	r = hold >= 0 ? begin_held(c, &st, snapshots, owner, id, s, f)
		      : SESSION_FAILED;
	state_close(&st);
	return r;
}

/* Of all its layers, what runs have written. 0 or -1/errno. */
static int
count(
    const struct config *c, const struct state *st, int dir, struct snapshot *n)
{
	static struct image base;
	struct failure f;
	struct usage u;
	int r = images_read_file(dir, "image", &base, &f) == IMAGES_OK ? 0 : -1;

	n->size_kb = 0;
	for (size_t i = 0; r == 0 && i < base.layer_count; i++) {
		if (!base.layers[i].is_snapshot)
			continue;
		r = tally_layer(c, st->dir, base.layers[i].name, &u);
		n->size_kb += u.kb;
	}
	image_free(&base);
	n->counted = true;
	return r == 0 ? write_record(dir, n) : -1;
}

static int
reap_one(const struct config *c, const struct state *st, int snapshots,
    const char *id)
{
	static struct snapshot n;
	enum session_result r;
	struct failure f;
	auto_fd dir = openat(snapshots, id, OPEN_DIR);
	int error = 0;

	/* Another reaper is at it, or somebody has removed it. */
	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) != 0)
		return 0;
	snapshot_init(&n);
	r = read_record(dir, NULL, id, &n, &f);
	if (r == SESSION_NOT_FOUND)
		(void)remove_files(snapshots, id, dir);
	else
		(void)(unlinkat(dir, "meta.new", 0),
		    unlinkat(dir, "image.new", 0));
	if (r == SESSION_OK && !n.counted && count(c, st, dir, &n) != 0)
		error = errno;
	snapshot_free(&n);
	errno = error;
	return error == 0 ? 0 : -1;
}

void
snapshot_reap(const struct config *c, const struct state *st, bool dry,
    void (*problem)(const char *name, int error))
{
	auto_fd snapshots = openat(st->dir, "snapshots", OPEN_DIR);
	char **names;
	size_t n;

	if (dry || (snapshots < 0 && errno == ENOENT))
		return;
	if (snapshots < 0 || names_list(snapshots, &names, &n) != 0) {
		problem("snapshots", errno);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (session_is_id(names[i]) &&
		    reap_one(c, st, snapshots, names[i]) != 0)
			problem(names[i], errno);
	}
	names_free(names, n);
}
