#include "idmap.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "ids.h"
#include "sys.h"

int
idmap_open(int proc, const char *uids, const char *gids)
{
	struct clone_args args = { .flags = CLONE_NEWUSER,
		.exit_signal = SIGCHLD };
	int ns = -1, saved;
	char name[16];
	pid_t pid;

	/* Else who lacks CAP_SYS_PTRACE cannot see the child in proc. */
	(void)prctl(PR_SET_DUMPABLE, 1);
	pid = sys_clone3(&args);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (pid < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	{
		auto_fd dir =
		    openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (dir >= 0 && ids_write(dir, "uid_map", uids) == 0 &&
		    ids_write(dir, "gid_map", gids) == 0)
			ns = openat(dir, "ns/user", O_RDONLY | O_CLOEXEC);
	}
	/* What cannot be ended ends with this process, and is in its way. */
	if (kill(pid, SIGKILL) != 0) {
		sys_close(&ns);
		return -1;
	}
	saved = errno;
	(void)waitpid(pid, NULL, 0);
	errno = saved;
	return ns;
}

int
idmap_apply(int tree, int map)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)map };

	return sys_mount_setattr(tree, AT_EMPTY_PATH | AT_RECURSIVE, &attr);
}
