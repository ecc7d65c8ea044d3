/*
 * X6: what a command starts with: ids, groups, capabilities, limits, signals,
 * namespaces; and that namespaces keep it from objects of the host.
 *
 * argv: [SHM_ID] of a System V segment and [MQ] a message queue of the host.
 * Prints its state, then holds if there is a third argument.
 */
#include "attack.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
ids(void)
{
	gid_t groups[64];
	int n = getgroups(64, groups);

	printf("uid %d gid %d groups", getuid(), getgid());
	for (int i = 0; i < n; i++)
		printf(" %d", groups[i]);
	putchar('\n');
}

static void
signals(void)
{
	struct sigaction sa;
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigismember(&set, sig) == 1)
			breach("signal %d is blocked", sig);
		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			breach("signal %d is not at its default", sig);
	}
}

static void
limits(void)
{
	static const struct {
		const char *name;
		int number;
	} rows[] = { { "nofile", RLIMIT_NOFILE }, { "fsize", RLIMIT_FSIZE },
		{ "stack", RLIMIT_STACK }, { "core", RLIMIT_CORE },
		{ "rtprio", RLIMIT_RTPRIO }, { "nice", RLIMIT_NICE } };
	struct rlimit rl;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		getrlimit(rows[i].number, &rl);
		printf("%s %llu %llu\n", rows[i].name,
		    (unsigned long long)rl.rlim_cur,
		    (unsigned long long)rl.rlim_max);
		rl.rlim_max++;
		if (rows[i].number != RLIMIT_CORE)
			refused(setrlimit(rows[i].number, &rl), "raise %s",
			    rows[i].name);
	}
}

static void
objects(int shm, const char *queue)
{
	struct utsname u;
	struct shmid_ds ds;

	refused((long)shmat(shm, NULL, 0), "attach a host segment");
	refused(shmctl(shm, IPC_RMID, &ds), "remove a host segment");
	refused(mq_open(queue, O_RDONLY), "open a host queue");
	uname(&u);
	printf("nodename %s domain %s\n", u.nodename, u.domainname);
	refused(sethostname("x", 1), "sethostname");
}

int
main(int argc, char *argv[])
{
	ids();
	signals();
	limits();
	printf("umask %o\n", umask(022));
	if (argc > 2)
		objects(atoi(argv[1]), argv[2]);
	if (argc > 3)
		hold();
	return verdict();
}
