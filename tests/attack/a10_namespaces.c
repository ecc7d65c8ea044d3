/*
 * A10: nested namespaces, by every call that can make or enter one, and every
 * call that mounts.
 */
#include "attack.h"

#include <sys/mount.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVERY (0x7e020000 | CLONE_NEWTIME)

static const struct space {
	const char *name;
	uint64_t flag;
	const char *link; /* in /proc/self/ns */
} spaces[] = {
	{ "NEWNS", CLONE_NEWNS, "mnt" },
	{ "NEWCGROUP", CLONE_NEWCGROUP, "cgroup" },
	{ "NEWUTS", CLONE_NEWUTS, "uts" },
	{ "NEWIPC", CLONE_NEWIPC, "ipc" },
	{ "NEWUSER", CLONE_NEWUSER, "user" },
	{ "NEWPID", CLONE_NEWPID, "pid" },
	{ "NEWNET", CLONE_NEWNET, "net" },
	{ "NEWTIME", CLONE_NEWTIME, "time" },
	{ "NEWUSER and all others", EVERY, NULL },
};

#define NSPACES (sizeof(spaces) / sizeof(*spaces))

/* clone(2) has no time namespace: its bit lies in the exit signal, and is no
 * signal. */
static void
by_clone(uint64_t flag, const char *name)
{
	int pid = syscall(SYS_clone, flag | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	refused(pid, "clone %s", name);
	if (pid > 0)
		reap(pid);
}

static int
leave(void *arg)
{
	(void)arg;
	return 0;
}

/* As posix_spawn does it: memory shared, on a stack of its own. */
static void
by_vfork(int flag, const char *name)
{
	static char stack[16384] __attribute__((aligned(16)));
	int pid = clone(leave, stack + sizeof(stack),
	    flag | CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	refused(pid, "clone %s", name);
	if (pid > 0)
		reap(pid);
}

static void
by_clone3(uint64_t flag, const char *name)
{
	struct clone_args args = { .flags = flag, .exit_signal = SIGCHLD };
	int pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	refused(pid, "clone3 %s", name);
	if (pid > 0)
		reap(pid);
}

/* In a child each: what one attempt gains must not help the next. */
static void
by_unshare(uint64_t flag, const char *name)
{
	int pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		refused(syscall(SYS_unshare, flag), "unshare %s", name);
		_exit(verdict());
	}
	if (reap(pid) != 0)
		breach("unshare %s", name);
}

static void
by_setns(const struct space *s)
{
	char path[64];
	int fd;

	if (s->link == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", s->link);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	refused(syscall(SYS_setns, fd, 0), "setns %s", s->link);
	close(fd);
	fd = syscall(SYS_pidfd_open, getppid() > 1 ? getppid() : getpid(), 0);
	if (fd == -1)
		fd = open("/proc/self", O_RDONLY | O_CLOEXEC);
	refused(syscall(SYS_setns, fd, s->flag), "setns %s by pidfd", s->link);
	close(fd);
}

static void
namespaces(void)
{
	for (size_t i = 0; i < NSPACES; i++)
		by_clone(spaces[i].flag, spaces[i].name);
	by_clone(HIGH(CLONE_NEWUSER), "NEWUSER + 1<<32");
	by_vfork(CLONE_NEWUSER, "NEWUSER as vfork");
	for (size_t i = 0; i < NSPACES; i++)
		by_clone3(spaces[i].flag, spaces[i].name);
	by_clone3(0, "nothing new");
	for (size_t i = 0; i < NSPACES; i++)
		by_unshare(spaces[i].flag, spaces[i].name);
	by_unshare(HIGH(CLONE_NEWUSER), "NEWUSER + 1<<32");
	for (size_t i = 0; i < NSPACES; i++)
		by_setns(&spaces[i]);
}

static void
old_mounts(void)
{
	refused(mount("none", "/tmp", "tmpfs", 0, NULL), "mount tmpfs");
	refused(mount("proc", "/tmp", "proc", 0, NULL), "mount proc");
	refused(mount("sysfs", "/tmp", "sysfs", 0, NULL), "mount sysfs");
	refused(mount("o", "/tmp", "overlay", 0,
		    "lowerdir=/usr,upperdir=/tmp,workdir=/tmp"),
	    "mount overlay");
	refused(mount("/usr", "/tmp", NULL, MS_BIND, NULL), "bind");
	refused(mount("/dev/vda", "/tmp", "ext4", 0, NULL), "mount a disk");
	refused(mount(NULL, "/", NULL, MS_REMOUNT, NULL), "remount /");
	refused(
	    mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), "make / shared");
	refused(mount("/proc", "/tmp", NULL, MS_MOVE, NULL), "move /proc");
	refused(umount2("/proc", MNT_DETACH), "umount /proc");
	refused(umount2("/", MNT_DETACH), "umount /");
	refused(syscall(SYS_pivot_root, "/tmp", "/tmp"), "pivot_root");
	refused(chroot("/tmp"), "chroot");
	refused(syscall(SYS_swapon, "/tmp/x", 0), "swapon");
	refused(syscall(SYS_quotactl, 0, "/dev/vda", 0, NULL), "quotactl");
}

static void
new_mounts(void)
{
	refused(syscall(SYS_fsopen, "tmpfs", 0), "fsopen");
	refused(syscall(SYS_fsconfig, 0, 6, NULL, NULL, 0), "fsconfig");
	refused(syscall(SYS_fsmount, 0, 0, 0), "fsmount");
	refused(syscall(SYS_fspick, AT_FDCWD, "/", 0), "fspick");
	refused(syscall(SYS_open_tree, AT_FDCWD, "/usr", 1), "open_tree");
	refused(
	    syscall(SYS_move_mount, 0, "", AT_FDCWD, "/tmp", 4), "move_mount");
	refused(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0),
	    "mount_setattr");
	refused(syscall(467, AT_FDCWD, "/", 0, NULL, 0), "open_tree_attr");
	refused(syscall(457, NULL, NULL, 0, 0), "statmount");
	refused(syscall(458, NULL, NULL, 0, 0), "listmount");
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "mounts") == 0) {
		old_mounts();
		new_mounts();
	} else {
		namespaces();
	}
	return verdict();
}
