/*
 * A18: processes of the host: by signal, by limit, by pidfd.
 *
 * argv: process ids of the host, one of them with the caller's own user id.
 */
#include "attack.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct rlimit rl = { 1, 1 };
	struct sched_param sp = { 0 };
	char path[64];
	int pid;

	for (int i = 1; i < argc; i++) {
		pid = atoi(argv[i]);
		refused(kill(pid, SIGKILL), "kill %d", i);
		refused(syscall(SYS_tgkill, pid, pid, SIGKILL), "tgkill %d", i);
		refused(syscall(SYS_pidfd_open, pid, 0), "pidfd_open %d", i);
		refused(prlimit(pid, RLIMIT_CPU, &rl, NULL), "prlimit %d", i);
		refused(setpriority(PRIO_PROCESS, pid, 19), "renice %d", i);
		refused(sched_setscheduler(pid, SCHED_IDLE, &sp), "idle %d", i);
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		refused(access(path, F_OK), "status of %d", i);
	}
	tried(kill(-1, SIGUSR1) == -1 ? -1 : 0, "kill everybody else");
	return verdict();
}
