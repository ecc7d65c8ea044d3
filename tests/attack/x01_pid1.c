/*
 * X1: PID 1 of the sandbox, which started with more rights than the command
 * and, where there is one id for all, has its user id.
 *
 * Tries to trace, read, write, signal, limit and slow it, then holds, so that
 * it can be looked at from outside.
 */
#include "attack.h"

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const to_read[] = { "mem", "environ", "maps", "smaps",
	"auxv", "cmdline", "stack", "syscall", "wchan", "personality",
	"pagemap", "io", "status", "limits", "fd/0", "fdinfo/0", "exe", "cwd/.",
	"root/.", "ns/mnt", "ns/user", "task/1/mem", "task/1/environ",
	"map_files" };

static const char *const to_write[] = { "mem", "comm", "oom_score_adj",
	"coredump_filter", "clear_refs", "uid_map", "gid_map", "setgroups",
	"timens_offsets", "attr/current", "sched", "autogroup", "loginuid",
	"task/1/mem", "task/1/comm" };

static void
files(void)
{
	char path[64];

	for (size_t i = 0; i < sizeof(to_read) / sizeof(*to_read); i++) {
		snprintf(path, sizeof(path), "/proc/1/%s", to_read[i]);
		refused(open(path, O_RDONLY | O_NONBLOCK), "read %s", path);
	}
	for (size_t i = 0; i < sizeof(to_write) / sizeof(*to_write); i++) {
		snprintf(path, sizeof(path), "/proc/1/%s", to_write[i]);
		refused(open(path, O_WRONLY | O_NONBLOCK), "write %s", path);
	}
}

static void
memory(void)
{
	char buf[16];
	struct iovec own = { buf, sizeof(buf) }, other = { buf, sizeof(buf) };
	size_t len;
	void *head;
	int fd;

	refused(ptrace(PTRACE_ATTACH, 1, NULL, NULL), "attach");
	refused(ptrace(PTRACE_SEIZE, 1, NULL, NULL), "seize");
	refused(process_vm_readv(1, &own, 1, &other, 1, 0), "vm_readv");
	refused(process_vm_writev(1, &own, 1, &other, 1, 0), "vm_writev");
	refused(syscall(SYS_get_robust_list, 1, &head, &len), "robust_list");
	refused(syscall(SYS_kcmp, 1, getpid(), 0, 0, 0), "kcmp");
	refused(
	    syscall(SYS_move_pages, 1, 0, NULL, NULL, NULL, 0), "move_pages");
	fd = syscall(SYS_pidfd_open, 1, 0);
	for (int i = 0; i < 8; i++)
		refused(
		    syscall(SYS_pidfd_getfd, fd, i, 0), "pidfd_getfd %d", i);
	refused(syscall(SYS_process_madvise, fd, &own, 1, 21, 0),
	    "process_madvise");
	refused(syscall(SYS_setns, fd, 0x20000), "setns");
}

/* Every signal, plain and queued with a code of our choice. kill says ok: the
 * kernel drops what PID 1 has no handler for. What counts is that PID 1 goes
 * on, which the hold at the end and the exit code show. */
static void
signals(void)
{
	siginfo_t info;

	for (int sig = 1; sig < NSIG; sig++) {
		kill(1, sig);
		syscall(SYS_tgkill, 1, 1, sig);
		memset(&info, 0, sizeof(info));
		info.si_signo = sig;
		info.si_code = SI_QUEUE;
		info.si_pid = getpid();
		syscall(SYS_rt_sigqueueinfo, 1, sig, &info);
	}
	usleep(50000);
	tried(kill(1, 0) == -1 && errno == ESRCH ? -1 : 0, "PID 1 lives");
}

/* With one id for all the kernel asks for nothing more than equal ids. */
static void
limits(void)
{
	struct rlimit64 rl = { 0, 0 };

	for (int r = 0; r < 16; r++)
		refused(
		    syscall(SYS_prlimit64, 1, r, &rl, NULL), "prlimit64 %d", r);
	refused(syscall(SYS_prlimit64, HIGH(1), RLIMIT_CPU, &rl, NULL),
	    "prlimit64 of 1 + 1<<32");
}

/* Orphans for PID 1 to reap, so that it uses up what time it is left. */
static void
starve(void)
{
	struct rlimit64 rl = { 0, 0 };
	long until = now_ms() + 2500;
	int pid;

	syscall(SYS_prlimit64, 1, RLIMIT_CPU, &rl, NULL);
	while (now_ms() < until) {
		pid = fork();
		if (pid == 0) {
			fork();
			_exit(0);
		}
		reap(pid);
	}
	exit(7);
}

/* Behind everybody else PID 1 would not come to end them, nor to its own end.
 */
static void
slow(void)
{
	struct sched_param sp = { 0 };
	struct {
		uint32_t size, policy;
		uint64_t flags;
		uint32_t nice, priority;
		uint64_t runtime, deadline, period;
	} idle = { .size = sizeof(idle), .policy = SCHED_IDLE };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	refused(setpriority(PRIO_PROCESS, 1, 19), "renice");
	refused(syscall(SYS_setpriority, HIGH(PRIO_PROCESS), HIGH(1), 19),
	    "renice of 1 + 1<<32");
	refused(setpriority(PRIO_USER, 0, 19), "renice the user");
	refused(setpriority(PRIO_USER, getuid(), 19), "renice user %d",
	    (int)getuid());
	refused(sched_setscheduler(1, SCHED_IDLE, &sp), "SCHED_IDLE");
	refused(syscall(SYS_sched_setscheduler, HIGH(1), SCHED_IDLE, &sp),
	    "SCHED_IDLE of 1 + 1<<32");
	refused(syscall(SYS_sched_setattr, 1, &idle, 0), "sched_setattr");
	refused(sched_setaffinity(1, sizeof(one), &one), "affinity");
	/* Of one process and of a user's; idle. */
	refused(syscall(SYS_ioprio_set, 1, 1, 3 << 13), "I/O priority");
	refused(syscall(SYS_ioprio_set, 3, getuid(), 3 << 13), "the user's");
}

int
main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "files") == 0)
		files();
	else if (strcmp(how, "memory") == 0)
		memory();
	else if (strcmp(how, "signals") == 0)
		signals();
	else if (strcmp(how, "limits") == 0)
		limits();
	else if (strcmp(how, "starve") == 0)
		starve();
	else if (strcmp(how, "slow") == 0)
		slow();
	if (argc > 2)
		hold();
	return verdict();
}
