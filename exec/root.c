#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

/*
 * Inodes on the tmpfs: one for every 4 KB, so that empty files use up no
 * more kernel memory than full ones would.
 */
#define INODES_MIN 1024
#define INODES_MAX 1048576

/* What the host has at its root: shown read-only, or the same link made. */
static const char *const system_dirs[] = { "usr", "bin", "sbin", "lib", "lib32",
	"lib64", "libx32" };

enum owner { OWNER_ROOT, OWNER_USER };

/* Directories made on the tmpfs, parents first. */
static const struct {
	const char *name;
	mode_t mode;
	enum owner owner;
} dirs[] = {
	{ "dev", 0755, OWNER_ROOT },
	{ "etc", 0755, OWNER_ROOT },
	{ "home", 0755, OWNER_USER }, /* HOME of every user but root */
	{ "proc", 0555, OWNER_ROOT },
	{ "root", 0700, OWNER_ROOT },
	{ "run", 0755, OWNER_ROOT },
	{ "run/shm", 01777, OWNER_ROOT }, /* what /dev/shm leads to */
	{ "tmp", 01777, OWNER_ROOT },
	{ "var", 0755, OWNER_ROOT },
	{ "var/tmp", 01777, OWNER_ROOT },
};

/*
 * A session's files are as hostile as the command: a link on the way would
 * lead out of the root, in which nobody is as yet.
 */
static int
show_in_session(struct inside *in, int tree, const char *name)
{
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	auto_fd target = sys_openat2(in->root, name, O_PATH, resolve);
	struct stat from, to;

	if (target < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			   ? 0
			   : -1;
	if (fstat(tree, &from) != 0 || fstat(target, &to) != 0)
		return -1;
	if (S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode))
		return 0;
	return sys_move_mount(tree, target, "");
}

int
root_show(struct inside *in, const char *source, const char *name)
{
	struct mount_attr attr = { .attr_set = MOUNT_NOSUID | MOUNT_NODEV |
					       MOUNT_RDONLY,
		.propagation = MS_PRIVATE };
	auto_fd tree = sys_open_tree(AT_FDCWD, source,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (tree < 0 ||
	    sys_mount_setattr(tree, AT_EMPTY_PATH | AT_RECURSIVE, &attr) != 0)
		return -1;
	if (plan_is_layered(in->plan))
		return show_in_session(in, tree, name);
	/* All that leads there was made by us just now. */
	return sys_move_mount(tree, in->root, name);
}

/* A tmpfs that holds size_kb and inodes, mounted at "/" over the old root. */
static int
mount_tmpfs(struct inside *in, uint64_t size_kb)
{
	uint64_t inodes = size_kb / 4;
	char size[32], count[32];
	auto_fd fs = sys_fsopen("tmpfs");

	if (inodes < INODES_MIN)
		inodes = INODES_MIN;
	if (inodes > INODES_MAX)
		inodes = INODES_MAX;
	(void)snprintf(size, sizeof(size), "%" PRIu64 "k", size_kb);
	(void)snprintf(count, sizeof(count), "%" PRIu64, inodes);
	if (fs < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", size) != 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", count) != 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755") != 0 ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return inside_fail(in, "tmpfs of %s", size);
	in->scratch = sys_fsmount(fs, MOUNT_NOSUID | MOUNT_NODEV);
	if (in->scratch < 0 || sys_move_mount(in->scratch, AT_FDCWD, "/") != 0)
		return inside_fail(in, "mount the tmpfs");
	return 0;
}

/* What is to be shown of the host's root, as that is: a place, or the link. */
static int
make_place(struct inside *in, const char *name)
{
	char source[16], link[64];
	ssize_t len;

	(void)snprintf(source, sizeof(source), "/%s", name);
	len = readlink(source, link, sizeof(link) - 1);
	if (len > 0) {
		link[len] = '\0';
		if (symlinkat(link, in->made, name) != 0)
			return inside_fail(in, "link %s", source);
	} else if (errno == EINVAL) { /* no link */
		if (mkdirat(in->made, name, 0755) != 0)
			return inside_fail(in, "mkdir %s", source);
	} else if (errno != ENOENT) {
		return inside_fail(in, "look at %s", source);
	}
	return 0;
}

static int
make_dirs(struct inside *in)
{
	uid_t uid = ids_builder_uid(in->ids, in->plan, in->plan->uid);
	gid_t gid = ids_builder_gid(in->ids, in->plan, in->plan->gid);

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (mkdirat(in->made, dirs[i].name, dirs[i].mode) != 0)
			return inside_fail(in, "mkdir /%s", dirs[i].name);
		if (dirs[i].owner == OWNER_USER && in->plan->uid != 0 &&
		    fchownat(in->made, dirs[i].name, uid, gid,
			AT_SYMLINK_NOFOLLOW) != 0)
			return inside_fail(in, "chown /%s", dirs[i].name);
	}
	return 0;
}

/* Where the root is made: the tmpfs itself, or a directory of an overlay. */
static int
open_made(struct inside *in)
{
	if (!plan_is_layered(in->plan)) {
		in->root = in->made = in->scratch;
		return 0;
	}
	if (mkdirat(in->scratch, "made", 0755) != 0)
		return inside_fail(in, "mkdir");
	in->made =
	    openat(in->scratch, "made", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return in->made < 0 ? inside_fail(in, "open") : 0;
}

/* An image has its own directories, but for what is mounted in each run. */
static int
make_image_dirs(struct inside *in)
{
	if (mkdirat(in->made, "dev", 0755) != 0 ||
	    mkdirat(in->made, "proc", 0555) != 0)
		return inside_fail(in, "mkdir");
	return 0;
}

int
root_make(struct inside *in)
{
	/* Nothing done here reaches the host's mounts, nor theirs us. */
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return inside_fail(in, "make all mounts private");
	if (mount_tmpfs(in, in->plan->limits.value[LIMIT_DISK]) != 0 ||
	    open_made(in) != 0)
		return -1;
	if (plan_is_foreign(in->plan))
		return make_image_dirs(in);
	for (size_t i = 0; i < sizeof(system_dirs) / sizeof(*system_dirs);
	     i++) {
		if (make_place(in, system_dirs[i]) != 0)
			return -1;
	}
	return make_dirs(in);
}

int
root_show_system(struct inside *in)
{
	char source[16];
	struct stat st;

	if (plan_is_foreign(in->plan))
		return 0;
	for (size_t i = 0; i < sizeof(system_dirs) / sizeof(*system_dirs);
	     i++) {
		(void)snprintf(source, sizeof(source), "/%s", system_dirs[i]);
		if (lstat(source, &st) != 0) {
			if (errno != ENOENT)
				return inside_fail(in, "look at %s", source);
			continue;
		}
		if (!S_ISDIR(st.st_mode))
			continue;
		if (root_show(in, source, system_dirs[i]) != 0)
			return inside_fail(in, "show %s", source);
	}
	return 0;
}

int
root_enter(struct inside *in)
{
	/* The old root lands on top of the new one and is taken off it. */
#ifdef MUTATE_PIVOT_DETACH
	(void)mkdirat(in->root, "mnt", 0755);
	if (fchdir(in->root) != 0 || sys_pivot_root(".", "mnt") != 0)
		return inside_fail(in, "pivot_root");
#else
	if (fchdir(in->root) != 0 || sys_pivot_root(".", ".") != 0)
		return inside_fail(in, "pivot_root");
	/* Over it still lies what an overlay was made from. */
	if (plan_is_layered(in->plan) && sys_umount(".", MNT_DETACH) != 0)
		return inside_fail(in, "detach the scratch");
	if (sys_umount(".", MNT_DETACH) != 0)
		return inside_fail(in, "detach the old root");
#endif
	if (chdir("/") != 0)
		return inside_fail(in, "chdir /");
	return 0;
}
