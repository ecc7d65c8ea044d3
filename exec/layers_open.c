/*
 * Directories of ours that a root is made of, as mounts: on disk the files of
 * root's layers and sessions have the plain ids that they have inside,
 * whichever range of host ids a run leases, and a mount that maps them lies
 * between. An ordinary user's have the ids of the user's own namespace.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "idmap.h"
#include "inside.h"
#include "sys.h"

static int
path_of(const struct inside *in, int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "self/fd/%d", fd);
	len = readlinkat(in->proc, link, path, PATH_MAX - 1);
	path[len > 0 ? len : 0] = '\0';
	return len > 0 ? 0 : -1;
}

/*
 * A directory of ours as a mount of its own. What was opened before this
 * process had its mounts belongs to others, and cannot be one: so it is opened
 * anew by its name, which nobody but its owner can have changed.
 */
static int
open_own(struct inside *in, int fd, const char *what)
{
	char path[PATH_MAX];
	struct stat want, found;

	/* Who deletes it gives it another name, and then ends this run. */
	for (int tries = 0; tries < 3; tries++) {
		if (path_of(in, fd, path) != 0 || fstat(fd, &want) != 0)
			return inside_fail(in, "find the %s's directory", what);
		auto_fd tree = sys_open_tree(
		    AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (tree < 0 ? errno != ENOENT : fstat(tree, &found) != 0)
			return inside_fail(in, "open the %s's directory", what);
		if (tree >= 0 && want.st_dev == found.st_dev &&
		    want.st_ino == found.st_ino)
			return sys_take(&tree);
	}
	errno = ENOENT;
	return inside_fail(in, "the %s has gone", what);
}

/* Its files are then those of this sandbox's users. map is made when needed. */
static int
open_mapped(struct inside *in, int fd, const char *what, uint64_t set, int *map)
{
	struct mount_attr attr = { .attr_set = set | MOUNT_NOSUID | MOUNT_NODEV,
		.propagation = MS_PRIVATE };
	char ids[48];
	auto_fd tree = open_own(in, fd, what);

	if (tree < 0)
		return -1;
	if (sys_mount_setattr(tree, AT_EMPTY_PATH, &attr) != 0)
		return inside_fail(in, "mount the %s", what);
	if (in->ids->mode != IDS_LEASED || !DEFENCE(SESSION_IDMAP))
		return sys_take(&tree);
	(void)snprintf(
	    ids, sizeof(ids), "0 %u %u", in->ids->uid_base, in->ids->count);
	if (*map < 0)
		*map = idmap_open(in->proc, ids, ids);
	if (*map < 0)
		return inside_fail(in, "make a map of ids");
	if (idmap_apply(tree, *map) != 0)
		return inside_fail(in,
		    "the file system of state_dir cannot map owners (idmapped "
		    "mounts): put state_dir on ext4, XFS, Btrfs or tmpfs");
	return sys_take(&tree);
}

/* "sha256/HEX" of a layer's path, as it is in the store. */
static char *
name_in_store(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return NULL;
	*slash = '\0';
	path = strrchr(path, '/');
	*slash = '/';
	return path != NULL ? path + 1 : NULL;
}

/*
 * The directory that all layers are in, in place of each: a mount takes some
 * 30 us to be made, mapped, shown and taken away again. Nobody is in the
 * sandbox as long as others' layers can be seen.
 */
static int
open_common(struct inside *in, int *map)
{
	char path[PATH_MAX], *name;
	auto_fd fd = -1;

	if (path_of(in, in->plan->layers[0], path) != 0 ||
	    (name = name_in_store(path)) == NULL)
		return 0;
	*name = '\0';
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	in->common = open_mapped(in, fd, "layers", MOUNT_ATTR_RDONLY, map);
	return in->common < 0 ? -1 : 0;
}

/* Is it what the store has under its name? Where it is mounted it is not. */
static bool
is_common(struct inside *in, size_t i)
{
	char path[PATH_MAX];
	const char *name;
	struct stat want, found;

	if (path_of(in, in->plan->layers[i], path) != 0 ||
	    (name = name_in_store(path)) == NULL ||
	    (size_t)snprintf(in->layer_names[i], sizeof(in->layer_names[i]),
		"%s", name) >= sizeof(in->layer_names[i]) ||
	    fstatat(in->common, name, &found, AT_SYMLINK_NOFOLLOW) != 0 ||
	    fstat(in->plan->layers[i], &want) != 0)
		return false;
	return want.st_dev == found.st_dev && want.st_ino == found.st_ino;
}

int
layers_open(struct inside *in)
{
	const struct plan *p = in->plan;
	auto_fd map = -1;

	if (p->session >= 0) {
		in->session = open_mapped(in, p->session, "session", 0, &map);
		if (in->session < 0)
			return -1;
	}
	if (p->work >= 0) {
		in->work = open_mapped(in, p->work, "tool", 0, &map);
		if (in->work < 0)
			return -1;
	}
	if (p->layer_count > 1 && !p->layers_shown &&
	    open_common(in, &map) != 0)
		return -1;
	for (size_t i = 0; i < p->layer_count; i++) {
		if (in->common >= 0 && is_common(in, i))
			continue;
		in->layers[i] = open_mapped(
		    in, p->layers[i], "layer", MOUNT_ATTR_RDONLY, &map);
		if (in->layers[i] < 0)
			return -1;
	}
	return 0;
}
