/*
 * The root of a run in a session: an overlay of what was made for this run
 * and, over it, what the session's runs have written. Both stay out of the
 * command's sight, below the root that it is given.
 *
 * On disk the files of root's sessions have the plain ids that they have
 * inside, whichever range of host ids a run leases: a mount that maps them
 * lies between. An ordinary user's have the ids of the user's own namespace.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

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

/*
 * Each is told whatever the kernel's own default is: what one run writes the
 * next one must be able to read, and nothing in it may lead elsewhere.
 */
static const struct {
	const char *name, *value;
} options[] = {
	{ "lowerdir", "made" },
	{ "upperdir", "session/upper" },
	{ "workdir", "session/work" },
	{ "redirect_dir", "nofollow" },
	{ "metacopy", "off" },
	{ "index", "off" }, /* needs file handles, which tmpfs may not have */
	{ "xino", "off" },
};

/*
 * The session's directory as a mount of its own. What was opened before this
 * process had its mounts belongs to others, and cannot be one: so it is opened
 * anew by its name, which nobody but its owner can have changed.
 */
static int
open_session(struct inside *in)
{
	char link[32], path[PATH_MAX];
	struct stat want, found;
	ssize_t len;

	(void)snprintf(link, sizeof(link), "self/fd/%d", in->plan->session);
	/* Who deletes it gives it another name, and then ends this run. */
	for (int tries = 0; tries < 3; tries++) {
		len = readlinkat(in->proc, link, path, sizeof(path) - 1);
		if (len < 0 || fstat(in->plan->session, &want) != 0)
			return inside_fail(in, "find the session's directory");
		path[len] = '\0';
		auto_fd tree = sys_open_tree(
		    AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (tree < 0 ? errno != ENOENT : fstat(tree, &found) != 0)
			return inside_fail(in, "open the session's directory");
		if (tree >= 0 && want.st_dev == found.st_dev &&
		    want.st_ino == found.st_ino)
			return sys_take(&tree);
	}
	errno = ENOENT;
	return inside_fail(in, "the session has gone");
}

static int
map_session(struct inside *in, int tree)
{
	char ids[48];

	if (in->ids->mode != IDS_LEASED || !DEFENCE(SESSION_IDMAP))
		return 0;
	(void)snprintf(
	    ids, sizeof(ids), "0 %u %u", in->ids->uid_base, in->ids->count);
	auto_fd map = idmap_open(in->proc, ids, ids);
	if (map < 0)
		return inside_fail(in, "make a map of ids");
	if (idmap_apply(tree, map) != 0)
		return inside_fail(in,
		    "the file system of state_dir cannot map owners (idmapped "
		    "mounts): put state_dir on ext4, XFS, Btrfs or tmpfs");
	return 0;
}

/* Directories of the tmpfs: fresh in each run, and none of them the lower. */
static int
make_places(struct inside *in)
{
	if (mkdirat(in->scratch, "dev", 0755) != 0 ||
	    mkdirat(in->scratch, "shm", 01777) != 0 ||
	    mkdirat(in->scratch, "session", 0700) != 0)
		return inside_fail(in, "mkdir");
	return 0;
}

static int
mount_overlay(struct inside *in)
{
	/* An ordinary user's namespace has no trusted.* attributes. */
	bool own = in->ids->mode != IDS_LEASED;
	auto_fd fs = sys_fsopen("overlay");

	if (fs < 0)
		return inside_fail(in,
		    "the kernel has no overlay file system (modprobe "
		    "overlay)");
	/* Kernels before 6.5 look the names up when the mount is made. */
	if (fchdir(in->scratch) != 0)
		return inside_fail(in, "fchdir");
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (sys_fsconfig(fs, FSCONFIG_SET_STRING, options[i].name,
			options[i].value) != 0)
			return inside_fail(in, "overlay: %s", options[i].name);
	}
	if (own && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL) != 0)
		return inside_fail(in, "overlay: userxattr");
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return inside_fail(in,
		    errno == ENOSPC || errno == EDQUOT || errno == EROFS
			? "nothing can be written in the session"
			: "the file system of state_dir cannot be an overlay's "
			  "upper one: put state_dir on ext4, XFS, Btrfs or "
			  "tmpfs");
	in->root = sys_fsmount(fs, MOUNT_NOSUID | MOUNT_NODEV);
	if (in->root < 0 || sys_move_mount(in->root, AT_FDCWD, "/") != 0)
		return inside_fail(in, "mount the overlay");
	return 0;
}

/*
 * Without room for its own directory the overlay lets nothing be written, and
 * says so in the kernel's log alone. Making another one tells why.
 */
static int
check_writable(struct inside *in)
{
	struct statvfs v;

	if (fstatvfs(in->root, &v) != 0 || (v.f_flag & ST_RDONLY) == 0)
		return 0;
	if (mkdirat(in->scratch, "session/work/room", 0700) == 0) {
		(void)unlinkat(in->scratch, "session/work/room", AT_REMOVEDIR);
		errno = EROFS;
	}
	return inside_fail(in, "nothing can be written in the session");
}

/*
 * Shared memory does not outlive the processes that share it, wherever it
 * stands: the place that /dev/shm leads to is fresh.
 */
static int
show_shm(struct inside *in)
{
	auto_fd tree = sys_open_tree(
	    in->scratch, "shm", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	auto_fd target = sys_openat2(in->root, "run/shm", O_PATH | O_DIRECTORY,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	if (tree < 0 || target < 0 || sys_move_mount(tree, target, "") != 0)
		return inside_fail(in, "show /run/shm");
	return 0;
}

/* The command may open its streams anew, as /dev/stdout. */
static int
own_streams(struct inside *in)
{
	uid_t uid = ids_builder_uid(in->ids, in->plan, in->plan->uid);
	gid_t gid = ids_builder_gid(in->ids, in->plan, in->plan->gid);

	if (in->ids->mode != IDS_SUBUID || in->plan->tty || uid == 0)
		return 0;
	for (int i = 0; i < 3; i++) {
		if (fchown(in->streams[i], uid, gid) != 0)
			return inside_fail(in, "fchown");
	}
	return 0;
}

int
layers_open(struct inside *in)
{
	if (in->plan->session < 0)
		return 0;
	in->session = open_session(in);
	return in->session < 0 || map_session(in, in->session) != 0 ? -1 : 0;
}

int
layers_mount(struct inside *in)
{
	if (in->plan->session < 0)
		return 0;
	if (make_places(in) != 0)
		return -1;
	if (sys_move_mount(in->session, in->scratch, "session") != 0)
		return inside_fail(in, "show the session's directory");
	if (mount_overlay(in) != 0 || check_writable(in) != 0 ||
	    show_shm(in) != 0)
		return -1;
	return own_streams(in);
}
