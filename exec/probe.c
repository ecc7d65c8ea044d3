#include "probe.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* A slow machine may have to load a module meanwhile. */
#define PATIENCE_MS 5000

struct answer {
	int result;
	struct failure failure;
};

static noreturn void
run_inside(const struct probe *p, int sock)
{
	struct answer a = { .result = -1 };
	char go;

	if ((p->flags & CLONE_NEWUSER) != 0) {
		if (recv(sock, &go, 1, 0) != 1)
			_exit(1);
		if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
			(void)failure_set(
			    &a.failure, "ids", errno, "become root inside");
	}
	/* Changing the user clears it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (a.failure.error == 0)
		a.result = p->try(p->arg, &a.failure);
	_exit(send(sock, &a, sizeof(a), MSG_NOSIGNAL) != sizeof(a));
}

static int
map_ids(const struct probe *p, pid_t pid, struct failure *f)
{
	static const struct plan root;
	char path[32];

	if (p->ids->mode != IDS_LEASED)
		return ids_map_builder(p->ids, pid, f);
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	{
		auto_fd proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (proc < 0 || ids_map_sandbox(p->ids, &root, proc) != 0)
			return failure_set(f, "ids", errno, "map ids from %u",
			    p->ids->uid_base);
	}
	return 0;
}

static int
let_go(const struct probe *p, pid_t pid, int sock, struct failure *f)
{
	if ((p->flags & CLONE_NEWUSER) == 0)
		return 0;
	if (map_ids(p, pid, f) != 0)
		return -1;
	if (send(sock, "", 1, MSG_NOSIGNAL) != 1)
		return failure_set(f, "ids", errno, "send");
	return 0;
}

static bool
ends_within(int pidfd, int ms)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	return poll(&ended, 1, ms) == 1;
}

/* The answer of a child, which is made to end. */
static int
await(pid_t pid, int pidfd, int sock, int ms, struct failure *f)
{
	bool hung = !ends_within(pidfd, ms);
	struct answer a;
	int status = 0;

	if (hung) {
		(void)kill(pid, SIGKILL);
		if (!ends_within(pidfd, 1000))
			return failure_set(f, "hang", 0,
			    "it hangs in the kernel and cannot be killed");
	}
	(void)waitpid(pid, &status, 0);
	if (recv(sock, &a, sizeof(a), MSG_DONTWAIT) == sizeof(a)) {
		*f = a.failure;
		return a.result;
	}
	if (hung)
		return failure_set(f, "hang", 0, "no answer in %d ms", ms);
	if (WIFSIGNALED(status))
		return failure_set(f, "killed", 0, "it was killed by signal %d",
		    WTERMSIG(status));
	return failure_set(f, "ended", 0, "it ended without an answer");
}

int
probe(const struct probe *p, struct failure *f)
{
	int pair[2], fd = -1, ms = p->patience != 0 ? p->patience : PATIENCE_MS;
	struct clone_args args = { .flags = p->flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&fd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)p->cgroup };
	pid_t pid;

	memset(f, 0, sizeof(*f));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return failure_set(f, "start", errno, "socketpair");
	auto_fd ours = pair[0];
	auto_fd theirs = pair[1];
	pid = sys_clone3(&args);
	if (pid < 0)
		return failure_set(f, "start", errno, "clone3");
	if (pid == 0) {
		(void)close(ours);
		run_inside(p, theirs);
	}
	auto_fd pidfd = fd;
	if (let_go(p, pid, ours, f) != 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return -1;
	}
	if (p->meanwhile != NULL)
		p->meanwhile(p->arg);
	return await(pid, pidfd, ours, ms, f);
}

int
probe_nothing(const void *arg, struct failure *f)
{
	(void)arg;
	(void)f;
	return 0;
}

int
probe_mount_tmpfs(struct failure *f)
{
	auto_fd fs = -1;
	auto_fd root = -1;

	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return failure_set(f, "mount", errno, "make mounts private");
	fs = sys_fsopen("tmpfs");
	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return failure_set(f, "mount", errno, "make a tmpfs");
	root = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (root < 0 || sys_move_mount(root, AT_FDCWD, "/") != 0)
		return failure_set(f, "mount", errno, "mount a tmpfs");
	return sys_take(&root);
}

int
probe_enter_tmpfs(struct failure *f)
{
	auto_fd root = probe_mount_tmpfs(f);

	if (root < 0)
		return -1;
	if (fchdir(root) != 0 || sys_pivot_root(".", ".") != 0 ||
	    sys_umount(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return failure_set(f, "pivot", errno, "pivot_root");
	return 0;
}

int
probe_open_proc(struct failure *f)
{
	auto_fd fs = sys_fsopen("proc");
	int proc;

	if (fs < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "hidepid", "invisible") != 0)
		return failure_set(f, "proc", errno, "hidepid");
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return failure_set(f, "proc", errno, "make a procfs");
	proc = sys_fsmount(
	    fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (proc < 0)
		return failure_set(f, "proc", errno, "mount a procfs");
	return proc;
}
