#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/*
 * Of the 4,096 terminals that a kernel has, 1,024 are for the host alone: with
 * this many for each of the 256 runs that there are at once, by default, none
 * can take those of another.
 */
#define TERMINALS "12"

/*
 * Device nodes: made where the builder may, else shown from the host's, which
 * costs five times as much; then the numbers are checked, so that nothing
 * else can stand in for them. A sandbox cannot make any.
 */
static const struct {
	const char *name;
	unsigned major, minor;
} nodes[] = {
	{ "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 },
	{ "tty", 5, 0 }, /* the caller's own terminal, whichever it is */
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
	{ "shm", "/run/shm" }, /* counts as `disk`, like the rest */
};

static int
show_node(struct inside *in, size_t i)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY |
					       MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NOEXEC };
	char source[32];
	struct stat st;

	if (mknodat(in->dev, nodes[i].name, S_IFCHR | 0666,
		makedev(nodes[i].major, nodes[i].minor)) == 0)
		return 0;
	if (errno != EPERM)
		return inside_fail(in, "make /dev/%s", nodes[i].name);
	auto_fd file = openat(in->dev, nodes[i].name,
	    O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0666);

	(void)snprintf(source, sizeof(source), "/dev/%s", nodes[i].name);
	auto_fd tree = sys_open_tree(
	    AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (file < 0 || tree < 0 || fstat(tree, &st) != 0)
		return inside_fail(in, "%s", source);
	if (!S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(nodes[i].major, nodes[i].minor)) {
		errno = ENODEV;
		return inside_fail(in, "%s is not the device", source);
	}
	if (sys_mount_setattr(tree, AT_EMPTY_PATH, &attr) != 0 ||
	    sys_move_mount(tree, in->dev, nodes[i].name) != 0)
		return inside_fail(in, "show %s", source);
	return 0;
}

static int
mount_devpts(struct inside *in)
{
	auto_fd fs = sys_fsopen("devpts");

	if (fs < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "max", TERMINALS) != 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666") != 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0620") != 0 ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return inside_fail(in, "devpts");
	auto_fd pts = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (pts < 0 || sys_move_mount(pts, in->dev, "pts") != 0)
		return inside_fail(in, "mount devpts");
	return 0;
}

/*
 * /dev is the directory of the tmpfs, mounted over itself: the only place
 * where devices work, and nothing can be executed.
 */
static int
mount_self(struct inside *in)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOEXEC,
		.attr_clr = MOUNT_ATTR_NODEV };

	in->dev = sys_open_tree(
	    in->scratch, "dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (in->dev < 0 ||
	    sys_mount_setattr(in->dev, AT_EMPTY_PATH, &attr) != 0 ||
	    sys_move_mount(in->dev, in->root, "dev") != 0)
		return inside_fail(in, "mount");
	return 0;
}

/* What lies below the terminals: an empty directory, for proc.c. */
static int
open_empty(struct inside *in)
{
	struct mount_attr rdonly = { .attr_set =
					 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };

	if (mkdirat(in->dev, "pts", 0755) != 0)
		return inside_fail(in, "mkdir /dev/pts");
	in->empty =
	    sys_open_tree(in->dev, "pts", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (in->empty < 0 ||
	    sys_mount_setattr(in->empty, AT_EMPTY_PATH, &rdonly) != 0)
		return inside_fail(in, "open an empty directory");
	return 0;
}

/* An image may have no /run that could be led to. */
static int
show_shm(struct inside *in)
{
	auto_fd tree = -1;

	if (!plan_is_foreign(in->plan))
		return 0;
	tree = sys_open_tree(
	    in->scratch, "shm", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mkdirat(in->dev, "shm", 01777) != 0 || tree < 0 ||
	    sys_move_mount(tree, in->dev, "shm") != 0)
		return inside_fail(in, "show /dev/shm");
	return 0;
}

int
dev_make(struct inside *in)
{
	struct mount_attr rdonly = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_self(in) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		if (show_node(in, i) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		if (plan_is_foreign(in->plan) &&
		    strcmp(links[i].name, "shm") == 0)
			continue;
		if (symlinkat(links[i].target, in->dev, links[i].name) != 0)
			return inside_fail(in, "link /dev/%s", links[i].name);
	}
	if (open_empty(in) != 0 || mount_devpts(in) != 0 || show_shm(in) != 0)
		return -1;
	/* Devices stay writable, the directory does not. */
	if (sys_mount_setattr(in->dev, AT_EMPTY_PATH, &rdonly) != 0)
		return inside_fail(in, "make /dev read-only");
	return 0;
}

int
dev_open_tty(struct inside *in)
{
	int unlocked = 0;

	if (!in->plan->tty)
		return 0;
	in->tty = openat(
	    in->dev, "pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (in->tty < 0 || ioctl(in->tty, TIOCSPTLCK, &unlocked) != 0)
		return inside_fail(in, "open a terminal");
	in->tty_slave =
	    ioctl(in->tty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (in->tty_slave < 0 ||
	    fchown(in->tty_slave,
		ids_builder_uid(in->ids, in->plan, in->plan->uid),
		ids_builder_gid(in->ids, in->plan, in->plan->gid)) != 0)
		return inside_fail(in, "open the terminal's other end");
	return 0;
}
