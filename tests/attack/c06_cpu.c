/*
 * C6: CPU time, in ways that hide it from whoever counts one process, and
 * priority.
 *
 * argv: spin | threads | children | ignored | groups | daemons | reexec |
 *       stop: without end. priority: tries to get ahead of others.
 */
#include "attack.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *
spin(void *arg)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
	return arg;
}

static void
spin_for(long ms)
{
	long until = now_ms() + ms;

	while (now_ms() < until)
		;
}

static void
threads(void)
{
	pthread_t t;

	for (int i = 0; i < 4; i++)
		pthread_create(&t, NULL, spin, NULL);
	spin(NULL);
}

/* Each far below any limit of its own, and gone when somebody looks. */
static void
children(void)
{
	for (;;) {
		if (fork() == 0) {
			spin_for(5);
			_exit(0);
		}
		wait(NULL);
	}
}

/* The time of children that nobody waits for is added to nobody's. */
static void
ignored(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		for (int i = 0; i < 2; i++)
			if (fork() == 0) {
				spin_for(5);
				_exit(0);
			}
		usleep(5000);
	}
}

static void
groups(void)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setpgid(0, 0);
			spin(NULL);
		}
	for (;;)
		pause();
}

static void
daemons(void)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			if (fork() != 0)
				_exit(0);
			for (int sig = 1; sig < NSIG; sig++)
				signal(sig, SIG_IGN);
			spin(NULL);
		}
	for (;;)
		pause();
}

/* A new program keeps the process's clocks, a new process does not. */
static void
reexec(char *self)
{
	char how[] = "reexec";
	char *argv[] = { self, how, NULL };

	spin_for(20);
	if (fork() != 0)
		_exit(0);
	execv(self, argv);
}

static void
priority(void)
{
	struct sched_param one = { .sched_priority = 1 };
	struct {
		uint32_t size, policy;
		uint64_t flags;
		uint32_t nice, priority;
		uint64_t runtime, deadline, period;
	} deadline = { .size = sizeof(deadline),
		.policy = 6,
		.runtime = 10000000,
		.deadline = 20000000,
		.period = 20000000 };
	struct rlimit rl = { 99, 99 };

	refused(sched_setscheduler(0, SCHED_FIFO, &one), "SCHED_FIFO");
	refused(sched_setscheduler(0, SCHED_RR, &one), "SCHED_RR");
	refused(syscall(SYS_sched_setattr, 0, &deadline, 0), "SCHED_DEADLINE");
	refused(setpriority(PRIO_PROCESS, 0, -20), "nice -20");
	refused(setpriority(PRIO_PROCESS, 0, -1), "nice -1");
	refused(syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 0), "real-time I/O");
	refused(setrlimit(RLIMIT_RTPRIO, &rl), "RLIMIT_RTPRIO");
	refused(setrlimit(RLIMIT_NICE, &rl), "RLIMIT_NICE");
}

int
main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "priority") == 0) {
		priority();
		return verdict();
	}
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGCHLD)
			signal(sig, SIG_IGN);
	if (strcmp(how, "spin") == 0)
		spin(NULL);
	else if (strcmp(how, "threads") == 0)
		threads();
	else if (strcmp(how, "children") == 0)
		children();
	else if (strcmp(how, "ignored") == 0)
		ignored();
	else if (strcmp(how, "groups") == 0)
		groups();
	else if (strcmp(how, "daemons") == 0)
		daemons();
	else if (strcmp(how, "reexec") == 0)
		reexec(argv[0]);
	return 1;
}
