#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

/*
 * What of /proc is not per process. HIDE: nothing to read or write there.
 * RDONLY: many programs read it, nobody writes it. Rows that a kernel does
 * not have are passed over, and so are files that by their mode are for the
 * host's root alone: nobody inside is he, and a cover costs every run.
 */
static const struct {
	const char *name;
	enum { HIDE, RDONLY } how;
	const char *reason;
} masks[] = {
	{ "acpi", HIDE, "wakes and suspends the host" },
	{ "asound", HIDE, "the host's sound devices" },
	{ "bus", RDONLY, "pci configuration space" },
	{ "config.gz", HIDE, "what the kernel was built with" },
	{ "driver", HIDE, "the host's drivers" },
	{ "dynamic_debug", HIDE, "what the kernel and its modules can log" },
	{ "fs", RDONLY, "knobs of file systems" },
	{ "interrupts", HIDE, "keystroke timing" },
	{ "irq", RDONLY, "affinity of interrupts" },
	{ "kallsyms", HIDE, "kernel addresses" },
	{ "kcore", HIDE, "kernel memory" },
	{ "key-users", HIDE, "keyrings are not namespaced" },
	{ "keys", HIDE, "keyrings are not namespaced" },
	{ "kmsg", HIDE, "the kernel log" },
	{ "kpagecgroup", HIDE, "physical pages" },
	{ "kpagecount", HIDE, "physical pages" },
	{ "kpageflags", HIDE, "physical pages" },
	{ "latency_stats", HIDE, "traces of other processes" },
	{ "mtrr", HIDE, "memory types" },
	{ "pagetypeinfo", HIDE, "physical memory layout" },
	{ "pressure", HIDE, "how busy the host is; writing sets up timers" },
	{ "sched_debug", HIDE, "names of other processes" },
	{ "schedstat", HIDE, "how busy each CPU is, to the nanosecond" },
	{ "scsi", HIDE, "adds and removes the host's disks" },
	{ "slabinfo", HIDE, "kernel heap layout" },
	{ "sys", RDONLY, "the kernel's settings" },
	{ "sysrq-trigger", HIDE, "reboots the host" },
	{ "timer_list", HIDE, "names of other processes" },
	{ "timer_stats", HIDE, "names of other processes" },
	{ "tty", RDONLY, "line disciplines" },
	{ "vmallocinfo", HIDE, "kernel addresses" },
};

int
proc_open(struct inside *in)
{
	auto_fd fs = sys_fsopen("proc");

	if (fs < 0)
		return inside_fail(in, "fsopen");
#ifndef MUTATE_PROC_HIDEPID
	/* No process sees another user's, nor PID 1. */
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "hidepid", "invisible") != 0)
		return inside_fail(in, "hidepid");
#endif
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return inside_fail(in, "create");
	in->proc = sys_fsmount(
	    fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (in->proc < 0 && errno == EPERM)
		return inside_fail(in,
		    "the container masks parts of its own /proc; with docker "
		    "or podman use --security-opt systempaths=unconfined");
	if (in->proc < 0)
		return inside_fail(in, "fsmount");
	return 0;
}

/* A tree to lay over a file or directory so that nothing of it is seen. */
static int
open_cover(struct inside *in, bool is_dir)
{
	const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	int empty = in->empty;

	if (!is_dir)
		return sys_open_tree(in->dev, "null", flags);
	if (empty >= 0) {
		/* Before Linux 6.15 only what is attached can be cloned. */
		in->empty = -1;
		return empty;
	}
	return sys_open_tree(in->covered, "", flags | AT_EMPTY_PATH);
}

static int
open_readonly(struct inside *in, const char *name)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd tree =
	    sys_open_tree(in->proc, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || sys_mount_setattr(tree, AT_EMPTY_PATH, &attr) != 0)
		return -1;
	return sys_take(&tree);
}

static int
mask(struct inside *in, const char *name, bool hide)
{
	auto_fd cover = -1;
	struct stat st;

	if (fstatat(in->proc, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (hide && (st.st_mode & S_IRWXO) == 0)
		return 0;
	cover = hide ? open_cover(in, S_ISDIR(st.st_mode))
		     : open_readonly(in, name);
	if (cover < 0 || sys_move_mount(cover, in->proc, name) != 0)
		return -1;
	if (hide && S_ISDIR(st.st_mode) && in->covered < 0)
		in->covered = sys_take(&cover);
	return 0;
}

int
proc_show(struct inside *in)
{
	if (sys_move_mount(in->proc, in->root, "proc") != 0)
		return inside_fail(in, "mount");
#ifndef MUTATE_PROC_MASK
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		if (mask(in, masks[i].name, masks[i].how == HIDE) != 0)
			return inside_fail(in, "mask %s", masks[i].name);
	}
#endif
	return 0;
}
