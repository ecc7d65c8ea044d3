/*
 * A18: signals at everything within reach, from every process, while they
 * outnumber who would clean up; the run must end at its deadline all the same.
 *
 * argv: stop | kill | ignore | deathsig | self.
 */
#include "attack.h"

#include <sys/prctl.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
ignore_all(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
}

static void
storm(int sig)
{
	ignore_all();
	for (int i = 0; i < 8 && fork() > 0; i++)
		;
	for (;;) {
		kill(-1, sig);
		kill(1, sig);
		usleep(1000);
	}
}

/* A child that outlives its parent must not profit from a signal at death. */
static void
death_signal(void)
{
	int pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGCONT);
		ignore_all();
		setsid();
		for (;;)
			pause();
	}
	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ignore_all();
	for (;;)
		pause();
}

int
main(int argc, char *argv[])
{
	const char *how = argc == 2 ? argv[1] : "";

	puts("started");
	fflush(stdout);
	if (strcmp(how, "stop") == 0)
		storm(SIGSTOP);
	else if (strcmp(how, "kill") == 0)
		storm(SIGKILL);
	else if (strcmp(how, "ignore") == 0)
		storm(SIGTERM);
	else if (strcmp(how, "deathsig") == 0)
		death_signal();
	else if (strcmp(how, "self") == 0)
		raise(SIGSTOP);
	return verdict();
}
