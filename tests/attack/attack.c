#include "attack.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int breaches;

/* Some of these programs would take a machine down, so none runs unless it was
 * started from where only a sandbox has it: /attack and what is named alike. */
__attribute__((constructor)) static void
inside_only(void)
{
	char exe[256];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[n < 0 ? 0 : n] = '\0';
	if (strncmp(exe, "/attack", 7) != 0) {
		fputs("this runs in a sandbox only, from /attack\n", stderr);
		_exit(99);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
}

const char *
outcome(int error)
{
	const char *name = error == 0 ? "ok" : strerrorname_np(error);

	return name == NULL ? "unknown errno" : name;
}

static void
line(int error, const char *what, va_list ap)
{
	vprintf(what, ap);
	printf(": %s\n", outcome(error));
}

void
refused(long rc, const char *what, ...)
{
	int error = rc < 0 ? errno : 0;
	va_list ap;

	va_start(ap, what);
	line(error, what, ap);
	va_end(ap);
	breaches += error == 0;
}

void
tried(long rc, const char *what, ...)
{
	int error = rc < 0 ? errno : 0;
	va_list ap;

	va_start(ap, what);
	line(error, what, ap);
	va_end(ap);
}

void
breach(const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	fputs("BREACH ", stdout);
	vprintf(what, ap);
	putchar('\n');
	va_end(ap);
	breaches++;
}

int
verdict(void)
{
	fflush(stdout);
	return breaches > 0;
}

void
hold(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("holding");
	fflush(stdout);
	sigwait(&set, &sig);
}

int
reap(int pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
