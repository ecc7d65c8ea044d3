#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "images.h"
#include "names.h"
#include "snapshot_parts.h"
#include "sys.h"
#include "tally.h"

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
	return r;
}

/*
 * To count takes long, and who deletes it is not to wait: its lock is not held
 * meanwhile. What has gone then is not to come back. 0 or -1/errno.
 */
static int
count_unlocked(
    const struct config *c, const struct state *st, int dir, struct snapshot *n)
{
	int r, error;

	(void)flock(dir, LOCK_UN);
	r = count(c, st, dir, n);
	error = errno;
	if (flock(dir, LOCK_EX | LOCK_NB) != 0 ||
	    faccessat(dir, "meta", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	errno = error;
	return r == 0 ? snapshot_write(dir, n) : -1;
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
	r = snapshot_read(dir, NULL, id, &n, &f);
	if (r == SESSION_NOT_FOUND)
		(void)snapshot_remove_files(snapshots, id, dir);
	else
		(void)(unlinkat(dir, "meta.new", 0),
		    unlinkat(dir, "image.new", 0));
	if (r == SESSION_OK && !n.counted &&
	    count_unlocked(c, st, dir, &n) != 0)
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
