/*
 * A root that is an overlay: of the image's and of snapshots' layers, or of
 * what was made of the host for this run; and over them what the session's
 * runs have written, or for a run without a session a directory of the tmpfs.
 * All stay out of the command's sight, below the root that it is given.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

/* What fsconfig(2) takes, and what mount(2) does: a page. */
#define OPTION_MAX 255
#define OPTIONS_MAX 4095
/* The directory of all layers, as the overlay finds it. */
#define COMMON "layers"

/* The upper directory's place in the tmpfs, by whether there is a session. */
static const struct {
	const char *upper, *work;
} places[] = { { "fresh/upper", "fresh/work" },
	{ "session/upper", "session/work" } };

/*
 * Each is told whatever the kernel's own default is: what one run writes the
 * next one must be able to read, and nothing in it may lead elsewhere.
 */
static const struct {
	const char *name, *value;
} options[] = {
	{ "redirect_dir", "nofollow" },
	{ "metacopy", "off" },
	{ "index", "off" }, /* needs file handles, which tmpfs may not have */
	{ "xino", "off" },
};

/* Directories of the tmpfs: fresh in each run, and none of them the lower. */
static int
make_places(struct inside *in)
{
	if (mkdirat(in->scratch, "dev", 0755) != 0 ||
	    mkdirat(in->scratch, "shm", 01777) != 0 ||
	    mkdirat(in->scratch, "session", 0700) != 0)
		return inside_fail(in, "mkdir");
	if (in->plan->session < 0 &&
	    (mkdirat(in->scratch, "fresh", 0700) != 0 ||
		mkdirat(in->scratch, "fresh/upper", 0755) != 0 ||
		mkdirat(in->scratch, "fresh/work", 0700) != 0))
		return inside_fail(in, "mkdir");
	return 0;
}

static int
show_layer(struct inside *in, int dir, size_t i)
{
	char name[24], target[sizeof(COMMON) + NAME_MAX];
	int r;

	(void)snprintf(name, sizeof(name), "l%zu", i);
	if (in->layers[i] >= 0) {
		r = mkdirat(dir, name, 0700);
		if (r == 0)
			r = sys_move_mount(in->layers[i], dir, name);
		sys_close(&in->layers[i]);
		in->layers[i] = -1;
	} else {
		(void)snprintf(
		    target, sizeof(target), COMMON "/%s", in->layer_names[i]);
		r = symlinkat(target, dir, name);
	}
	return r == 0 ? 0 : inside_fail(in, "show a layer");
}

int
layers_show(struct inside *in, int dir)
{
	if (in->common >= 0 &&
	    (mkdirat(dir, COMMON, 0700) != 0 ||
		sys_move_mount(in->common, dir, COMMON) != 0))
		return inside_fail(in, "show the layers");
	sys_close(&in->common);
	in->common = -1;
	for (size_t i = 0; i < in->plan->layer_count; i++) {
		if (show_layer(in, dir, i) != 0)
			return -1;
	}
	return 0;
}

/* The lower directories, the highest first: of the host's, `made` is below. */
static void
name_lower(const struct inside *in, char *buf, size_t size)
{
	const struct plan *p = in->plan;
	bool foreign = plan_is_foreign(p);
	int n = snprintf(buf, size, "%s", foreign ? "made" : "");

	for (size_t i = p->layer_count; i > 0; i--)
		n += snprintf(buf + n, size - (size_t)n, "%sl%zu",
		    n > 0 ? ":" : "", i - 1);
	if (!foreign)
		(void)snprintf(
		    buf + n, size - (size_t)n, "%smade", n > 0 ? ":" : "");
}

static int
overlay_failed(struct inside *in)
{
	if (in->plan->session < 0)
		return inside_fail(in, "mount the image's layers");
	return inside_fail(
	    in, errno == ENOSPC || errno == EDQUOT || errno == EROFS
		    ? "nothing can be written in the session"
		    : "the file system of state_dir cannot be an overlay's "
		      "upper one: put state_dir on ext4, XFS, Btrfs or "
		      "tmpfs");
}

/* More layers than the new calls can be told of. */
static int
mount_many(struct inside *in, const char *lower, bool own)
{
	static char text[OPTIONS_MAX + 1];
	const bool session = in->plan->session >= 0;
	int n =
	    snprintf(text, sizeof(text), "lowerdir=%s,upperdir=%s,workdir=%s%s",
		lower, places[session].upper, places[session].work,
		own ? ",userxattr" : "");

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ",%s=%s",
		    options[i].name, options[i].value);
	if (mkdirat(in->scratch, "root", 0755) != 0)
		return inside_fail(in, "mkdir");
	if (sys_mount(
		"overlay", "root", "overlay", MS_NOSUID | MS_NODEV, text) != 0)
		return overlay_failed(in);
	in->root = sys_open_tree(in->scratch, "root", OPEN_TREE_CLOEXEC);
	return 0;
}

static int
mount_few(struct inside *in, const char *lower, bool own)
{
	const bool session = in->plan->session >= 0;
	const struct {
		const char *name, *value;
	} dirs[] = { { "lowerdir", lower },
		{ "upperdir", places[session].upper },
		{ "workdir", places[session].work } };
	auto_fd fs = sys_fsopen("overlay");

	if (fs < 0)
		return inside_fail(in,
		    "the kernel has no overlay file system (modprobe "
		    "overlay)");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (sys_fsconfig(fs, FSCONFIG_SET_STRING, dirs[i].name,
			dirs[i].value) != 0)
			return inside_fail(in, "overlay: %s", dirs[i].name);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (sys_fsconfig(fs, FSCONFIG_SET_STRING, options[i].name,
			options[i].value) != 0)
			return inside_fail(in, "overlay: %s", options[i].name);
	}
	if (own && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL) != 0)
		return inside_fail(in, "overlay: userxattr");
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return overlay_failed(in);
	in->root = sys_fsmount(fs, MOUNT_NOSUID | MOUNT_NODEV);
	return 0;
}

static int
mount_overlay(struct inside *in)
{
	static char lower[OPTION_MAX + PLAN_LAYERS_MAX * 5];
	/* An ordinary user's namespace has no trusted.* attributes. */
	bool own = in->ids->mode != IDS_LEASED;

	name_lower(in, lower, sizeof(lower));
	/* Kernels before 6.5 look the names up when the mount is made. */
	if (fchdir(in->scratch) != 0)
		return inside_fail(in, "fchdir");
	if ((strlen(lower) > OPTION_MAX ? mount_many : mount_few)(
		in, lower, own) != 0)
		return -1;
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

	if (in->session < 0 || fstatvfs(in->root, &v) != 0 ||
	    (v.f_flag & ST_RDONLY) == 0)
		return 0;
	if (mkdirat(in->scratch, "session/work/room", 0700) == 0) {
		(void)unlinkat(in->scratch, "session/work/room", AT_REMOVEDIR);
		errno = EROFS;
	}
	return inside_fail(in, "nothing can be written in the session");
}

/*
 * Shared memory does not outlive the processes that share it, wherever it
 * stands: the place that /dev/shm leads to is fresh. In an image that is in
 * /dev itself: dev.c.
 */
static int
show_shm(struct inside *in)
{
	if (plan_is_foreign(in->plan))
		return 0;
	auto_fd tree = sys_open_tree(
	    in->scratch, "shm", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	auto_fd target = sys_openat2(in->root, "run/shm", O_PATH | O_DIRECTORY,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	if (tree < 0 || target < 0 || sys_move_mount(tree, target, "") != 0)
		return inside_fail(in, "show /run/shm");
	return 0;
}

int
layers_mount(struct inside *in)
{
	if (!plan_is_layered(in->plan))
		return 0;
	if (make_places(in) != 0 || layers_show(in, in->scratch) != 0)
		return -1;
	if (in->session >= 0 &&
	    sys_move_mount(in->session, in->scratch, "session") != 0)
		return inside_fail(in, "show the session's directory");
	if (mount_overlay(in) != 0 || check_writable(in) != 0)
		return -1;
	return show_shm(in);
}

int
layers_show_work(struct inside *in)
{
	if (in->work < 0)
		return 0;
	if ((mkdirat(in->root, "mnt", 0755) != 0 && errno != EEXIST) ||
	    sys_move_mount(in->work, in->root, "mnt") != 0)
		return inside_fail(in, "show /mnt");
	return 0;
}
