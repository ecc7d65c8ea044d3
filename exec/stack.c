#include "stack.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deputy.h"
#include "disk.h"
#include "ids.h"
#include "images.h"
#include "project.h"
#include "store.h"
#include "sys.h"
#include "tally.h"
#include "trash.h"

/* What is counted while somebody waits: some 2 ms. */
#define COUNT_MAX 2048

/*
 * The overlay's own directory of the runs before. Their project may be
 * another one, and it has to be that of the upper. 0 or -1/errno.
 */
static int
renew_work(const struct config *c, const struct state *st, int dir)
{
	char name[STATE_RANDOM + 6] = "work-";

	if (state_random(name + 5, STATE_RANDOM) != 0)
		return -1;
	if (project_discard(dir, "work", st->trash, name) == 0)
		(void)trash_remove(c, st->trash, name, 64, NULL);
	else if (errno != ENOENT)
		return -1;
	return mkdirat(dir, "work", 0700);
}

/*
 * An empty upper directory where there is none, with the root's attributes as
 * they were. 0 or -1/errno.
 */
static int
renew_upper(
    const struct config *c, const struct state *st, int dir, const char *layer)
{
	int dirs[2], r;
	auto_fd below = layer != NULL ? stack_open_layer(st, layer) : -1;

	if ((layer != NULL && below < 0) || renew_work(c, st, dir) != 0)
		return -1;
	if (unlinkat(dir, "upper.new", AT_REMOVEDIR) != 0 && errno != ENOENT)
		return -1;
	if (mkdirat(dir, "upper.new", 0755) != 0 ||
	    fchmodat(dir, "upper.new", 0755, 0) != 0)
		return -1;
	auto_fd upper = openat(dir, "upper.new", OPEN_DIR);
	auto_fd work = openat(dir, "work", OPEN_DIR);
	dirs[0] = upper;
	dirs[1] = work;
	r = upper < 0 || work < 0 ? -1 : project_take(c, dirs, 2);
	if (r == 0 && below >= 0)
		r = stack_copy_root(c, below, dir, "upper.new");
	if (r == 0)
		r = renameat(dir, "upper.new", dir, "upper");
	/* Where all of state_dir is somebody's project. */
	if (r != 0 && errno == EXDEV && project_admit(dir) == 0)
		r = renameat(dir, "upper.new", dir, "upper");
	return r == 0 ? fsync(dir) : -1;
}

/* A name of a file in dir: 1, 0, or -1/errno. */
static int
is_there(int dir, const char *name)
{
	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

static const char *
top(const struct image *base)
{
	return base->layer_count == 0
		   ? NULL
		   : base->layers[base->layer_count - 1].name;
}

/* What a crash has left, of a session whose lock is ours. 0, or -1 with f. */
static int
repair(const struct config *c, const struct state *st, int dir,
    struct image *base, struct failure *f)
{
	int upper = is_there(dir, "upper"), layer = 1;

	if (base->layer_count > 0 &&
	    base->layers[base->layer_count - 1].is_snapshot)
		layer = images_has_layer(st, top(base));
	/* Of another's a layer's root can be; there it is all the same. */
	if (layer < 0 && errno == EACCES)
		layer = 1;
	if (upper < 0 || layer < 0)
		return failure_set(f, "state", errno, "look at a session");
	if (layer == 0 && upper == 1) {
		base->layer_count--;
		if (images_write_file(dir, "image", base, f) != 0)
			return -1;
		if (fsync(dir) != 0)
			return failure_set(f, "state", errno, "sync");
	}
	if (upper == 0 && renew_upper(c, st, dir, top(base)) != 0)
		return failure_set(f, "state", errno, "make an upper");
	return 0;
}

int
stack_read(const struct config *c, struct session *s, struct failure *f)
{
	struct image *base = session_new_base(s);
	enum images_result r = images_read_file(s->dir, "image", base, f);
	struct state st;
	int result;

	if (r == IMAGES_FAILED)
		return -1;
	if (r == IMAGES_NOT_FOUND) {
		image_free(base);
		free(base);
		s->base = NULL;
		return 0;
	}
	if (state_open(c, &st, f) != 0)
		return -1;
	result = repair(c, &st, s->dir, base, f);
	state_close(&st);
	return result;
}

/* Is there anything in it that those who stand on it would not have anyway? */
static int
is_changed(const struct state *st, const struct session *s)
{
	static const char *const trees[] = { "upper", NULL };
	const struct usage one = { UINT64_MAX, 1 };
	struct stat own, below = { .st_mode = S_IFDIR | 0755 };
	struct usage u;
	const char *layer = s->base != NULL ? top(s->base) : NULL;
	auto_fd fd = layer != NULL ? stack_open_layer(st, layer) : -1;
	auto_fd upper = openat(
	    s->dir, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	below.st_uid = geteuid();
	below.st_gid = getegid();
	if ((layer != NULL && (fd < 0 || fstat(fd, &below) != 0)) ||
	    upper < 0 || fstat(upper, &own) != 0)
		return -1;
	/* What cannot be read is no new one. */
	return own.st_mode != below.st_mode || own.st_uid != below.st_uid ||
	       own.st_gid != below.st_gid || !stack_is_like(upper, fd) ||
	       usage_count(s->dir, trees, &one, &u) != 0 || u.inodes > 1;
}

/*
 * What is in `upper`, without counting long: by the quota's account, or where
 * there are few files; else the sum is what the last run thought.
 */
static bool
measure(const struct config *c, const struct session *s, uint64_t *ret_kb)
{
	const struct usage few = { UINT64_MAX, COUNT_MAX };
	struct usage u;
	uint64_t kb;

	if (project_used(s->dir, "upper", ret_kb) == 0)
		return true;
	if (tally(c, s->dir, &few, &u) != 0)
		u = (struct usage){ 0, UINT64_MAX };
	*ret_kb = u.kb;
	if (u.inodes <= COUNT_MAX)
		return true;
	if (disk_recall(s->lock, &kb) == 0 && kb > u.kb)
		*ret_kb = kb;
	return false;
}

/* Its project is none of layers'. 0 or -1/errno. */
static int
move_upper(
    const struct config *c, const struct session *s, int layers, const char *id)
{
	if (deputy_rename(c, s->dir, "upper", layers, id) == 0)
		return 0;
	if (errno != EXDEV || project_admit(layers) != 0)
		return -1;
	return deputy_rename(c, s->dir, "upper", layers, id);
}

/* The upper directory is the layer from now on, on disk as well. */
static int
give_upper(const struct config *c, const struct state *st, struct session *s,
    const char *id, struct failure *f)
{
	auto_fd layers = openat(st->dir, "layers/id", OPEN_DIR);

	if (layers < 0 || move_upper(c, s, layers, id) != 0) {
		(void)failure_set(f, "state", errno, "keep a layer");
		/* Else whoever opens it next does so. */
		s->base->layer_count--;
		if (images_write_file(
			s->dir, "image", s->base, &(struct failure){ 0 }) == 0)
			(void)fsync(s->dir);
		return -1;
	}
	/* Nobody writes there any more; what a run may write is elsewhere. */
	project_unlimit(layers, id);
	disk_forget(s->lock);
	if (fsync(layers) != 0)
		return failure_set(f, "state", errno, "sync the layers");
	return 0;
}

/* Sets the sum of what runs have written; last is of the highest layer. */
static void
add_up(const struct image *base, uint64_t last, bool exact, uint64_t *ret_size,
    bool *ret_counted)
{
	*ret_size = exact ? 0 : last;
	*ret_counted = true;
	for (size_t i = 0; base != NULL && i < base->layer_count; i++) {
		const struct image_layer *l = &base->layers[i];

		if (l->is_snapshot && l->size_kb == IMAGE_SIZE_UNKNOWN)
			*ret_counted = false;
		else if (l->is_snapshot)
			*ret_size += l->size_kb;
	}
}

/* The host's, in which there has been no snapshot. */
static void
begin_base(struct session *s)
{
	struct image *base = session_new_base(s);

	(void)snprintf(base->name, sizeof(base->name), "%s", s->image);
	base->created_at = s->created_at;
}

static enum session_result
push(const struct config *c, const struct state *st, struct session *s,
    uint64_t kb, struct failure *f)
{
	char layer[IMAGE_LAYER_MAX + 1] = "id/";

	if (state_random(layer + 3, SESSION_ID_LEN) != 0) {
		(void)failure_set(f, "state", errno, "getrandom");
		return SESSION_FAILED;
	}
	layer[3 + SESSION_ID_LEN] = '\0';
	if (s->base == NULL)
		begin_base(s);
	if (s->base->layer_count >= STACK_MAX ||
	    image_add_snapshot(s->base, layer, kb) != 0) {
		(void)failure_set(f, "session", 0,
		    "snapshot: the session has %d layers already, which the "
		    "reaper makes one of",
		    STACK_MAX);
		return SESSION_WRONG;
	}
	if (images_write_file(s->dir, "image", s->base, f) != 0)
		return SESSION_FAILED;
	if (fsync(s->dir) != 0) {
		(void)failure_set(f, "state", errno, "sync");
		return SESSION_FAILED;
	}
	if (give_upper(c, st, s, layer + 3, f) != 0)
		return SESSION_FAILED;
	if (renew_upper(c, st, s->dir, layer) == 0 &&
	    stack_reach(c, st, layer + 3) == 0)
		return SESSION_OK;
	(void)failure_set(f, "state", errno, "make an upper");
	return SESSION_FAILED;
}

enum session_result
stack_push(const struct config *c, const struct state *st, struct session *s,
    uint64_t *ret_size, bool *ret_counted, struct failure *f)
{
	enum session_result r = SESSION_OK;
	bool exact = true;
	uint64_t kb = 0;
	int changed;

	if (stack_read(c, s, f) != 0)
		return SESSION_FAILED;
	changed = is_changed(st, s);
	if (changed < 0) {
		(void)failure_set(f, "state", errno, "look at a session");
		return SESSION_FAILED;
	}
	if (changed) {
		exact = measure(c, s, &kb);
		r = push(c, st, s, exact ? kb : IMAGE_SIZE_UNKNOWN, f);
	}
	add_up(s->base, kb, exact, ret_size, ret_counted);
	return r;
}

/* Is anything of it as no session is that nobody is at work in? */
static bool
is_half(const struct state *st, int dir)
{
	static struct image m;
	struct failure f;
	bool half = is_there(dir, "upper") == 0 ||
		    is_there(dir, "upper.new") == 1 ||
		    is_there(dir, "image.new") == 1;

	image_init(&m);
	if (!half && images_read_file(dir, "image", &m, &f) == IMAGES_OK &&
	    m.layer_count > 0 && m.layers[m.layer_count - 1].is_snapshot)
		half = images_has_layer(st, top(&m)) == 0;
	image_free(&m);
	return half;
}

static int
repair_one(const struct config *c, const struct state *st, const char *id)
{
	auto_fd dir = store_open_dir(st, id);
	struct session s;
	struct failure f = { 0 };
	int r = 0;

	if (dir < 0 || !is_half(st, dir))
		return 0;
	auto_fd lock =
	    openat(dir, "lock", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (lock < 0 || turn_wait_run(lock, -1, -1, 0) != 0 ||
	    !state_is_there(st->sessions, id, dir))
		return 0;
	if (unlinkat(dir, "image.new", 0) != 0 && errno != ENOENT)
		return -1;
	session_init(&s);
	s.dir = sys_take(&dir);
	if (stack_read(c, &s, &f) != 0) {
		errno = f.error != 0 ? f.error : EBADMSG;
		r = -1;
	} else if (unlinkat(s.dir, "upper.new", AT_REMOVEDIR) != 0 &&
		   errno != ENOENT) {
		r = -1;
	}
	int error = errno;
	session_free(&s);
	errno = error;
	return r;
}

void
stack_repair(const struct config *c, const struct state *st, bool dry,
    void (*problem)(const char *name, int error))
{
	size_t n = 0;
	char *ids;

	if (dry)
		return;
	if (store_list(st, NULL, &ids, &n) != 0) {
		problem("sessions", errno);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *id = ids + i * (SESSION_ID_LEN + 1);

		if (repair_one(c, st, id) != 0)
			problem(id, errno);
	}
	free(ids);
}
