/*
 *	mayfly --fork--> KEEPER --fork--> the program, and what it starts
 *	                 '----------- one process group ----------'
 *
 * mmdebstrap waits for its children when it is told to stop, and they have
 * been told nothing; where it fails it sends SIGHUP to its whole group, which
 * would be the caller's. So there is a group for it, and a leader that tells
 * all of it to stop when mayfly says so, or is gone. What it mounts and does
 * not unmount is gone with it as well.
 */
#include "program.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "sys.h"

#define PATIENCE_SECS 60 /* to clean up, until it is killed */

const char *
program_find(const char *name)
{
	/* The PATH inside, where some of them run; doctor looks there too. */
	static const char *const dirs[] = { "/usr/local/sbin", "/usr/local/bin",
		"/usr/sbin", "/usr/bin" };
	static char path[64];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dirs[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

void
program_add(struct program *p, const char *fmt, ...)
{
	va_list ap;
	int r;

	if (p->count == PROGRAM_WORDS_MAX)
		return;
	va_start(ap, fmt);
	r = vasprintf(&p->words[p->count++], fmt, ap);
	va_end(ap);
	if (r < 0)
		fail_memory();
}

void
program_free(struct program *p)
{
	while (p->count > 0)
		free(p->words[--p->count]);
}

/* The program's life, until it is that program. */
static noreturn void
execute(const struct program *p, int output)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	if (dup2(output, STDOUT_FILENO) >= 0)
		(void)execv(p->words[0], p->words);
	complain("build: %s: %s", p->words[0], strerror(errno));
	_exit(127);
}

/* Mounts of root's are seen by nobody else, where the machine permits it. */
static void
hide_mounts(void)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0)
		(void)sys_mount("", "/", NULL, MS_REC | MS_SLAVE, NULL);
}

/* Its exit status as the shell has it. */
static int
status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Tells them to end; false where it is not known whether there are any. */
static bool
kill_children(const char *list)
{
	FILE *f = fopen(list, "re");
	int pid;

	if (f == NULL)
		return false;
	while (fscanf(f, "%d", &pid) == 1)
		(void)kill(pid, SIGKILL);
	(void)fclose(f);
	return true;
}

/*
 * What the program has left behind: it is this process's, whatever group or
 * session it has gone to. With each that ends those whom it had come to light.
 */
static void
end_rest(void)
{
	char list[48];

	(void)snprintf(
	    list, sizeof(list), "/proc/self/task/%d/children", (int)getpid());
	while (kill_children(list) && waitpid(-1, NULL, 0) > 0)
		;
}

/* The keeper's life. The locks it has inherited last as long as it does. */
static noreturn void
keep(const struct program *p, int output, pid_t parent)
{
	struct timespec patience = { .tv_sec = PATIENCE_SECS };
	int status, told = 0, r;
	sigset_t all, heard;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)sigemptyset(&heard);
	(void)sigaddset(&heard, SIGTERM);
	(void)sigaddset(&heard, SIGCHLD);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (getppid() != parent)
		_exit(1);
	hide_mounts();
	pid = fork();
	if (pid < 0)
		_exit(1);
	if (pid == 0)
		execute(p, output);
	/* Who waits for the end of the output waits for the program's. */
	(void)close(output);
	(void)close(STDOUT_FILENO);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		r = told ? sigtimedwait(&heard, NULL, &patience)
			 : sigwaitinfo(&heard, NULL);
		if (r == SIGTERM) {
			told = 1;
			/* The group's is this process's as well. */
			(void)sigdelset(&heard, SIGTERM);
			(void)kill(0, SIGTERM);
		} else if (r < 0 && errno == EAGAIN) {
			(void)kill(0, SIGKILL);
		}
	}
	end_rest();
	_exit(status_of(status));
}

int
program_start(struct program *p, int *ret_output, struct failure *f)
{
	int fds[2] = { -1, -1 }, null;
	pid_t parent = getpid();

	/* Where a caller ignores it there would be no status. */
	(void)signal(SIGCHLD, SIG_DFL);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || (ret_output != NULL && pipe2(fds, O_CLOEXEC) != 0)) {
		sys_close(&null);
		return failure_set(f, "build", errno, "pipe");
	}
	p->keeper = fork();
	if (p->keeper == 0) {
		sys_close(&fds[0]);
		if (dup2(null, STDIN_FILENO) < 0)
			_exit(1);
		keep(p, ret_output != NULL ? fds[1] : dup(STDERR_FILENO),
		    parent);
	}
	sys_close(&null);
	sys_close(&fds[1]);
	if (p->keeper < 0) {
		sys_close(&fds[0]);
		return failure_set(f, "build", errno, "fork");
	}
	if (ret_output != NULL)
		*ret_output = fds[0];
	return 0;
}

/* What tells mayfly to stop, and its own children. */
static void
open_signals(sigset_t *ret_set, sigset_t *ret_before)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
		SIGCHLD };
	struct sigaction old;

	(void)sigemptyset(ret_set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		if (sigaction(wanted[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaddset(ret_set, wanted[i]);
	}
	(void)sigprocmask(SIG_BLOCK, ret_set, ret_before);
}

static void
pass_on(struct program *p, int signal)
{
	if (signal <= 0 || signal == SIGCHLD)
		return;
	p->told = true;
	(void)kill(p->keeper, SIGTERM);
}

bool
program_await(struct program *p, int output)
{
	struct pollfd fds[2] = { { .fd = output, .events = POLLIN } };
	struct signalfd_siginfo info;
	sigset_t set, before;

	open_signals(&set, &before);
	auto_fd signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	fds[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
	while (fds[0].revents == 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents != 0 &&
		    read(signals, &info, sizeof(info)) == sizeof(info))
			pass_on(p, (int)info.ssi_signo);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return !p->told && (fds[0].revents & POLLIN) != 0;
}

static int
wait_for(struct program *p, int *ret_status)
{
	sigset_t set, before;
	pid_t r;

	open_signals(&set, &before);
	while ((r = waitpid(p->keeper, ret_status, WNOHANG)) == 0)
		pass_on(p, sigwaitinfo(&set, NULL));
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r > 0 ? 0 : -1;
}

int
program_wait(struct program *p, bool stop, struct failure *f)
{
	const char *name = strrchr(p->words[0], '/') + 1;
	int status;

	if (stop)
		(void)kill(p->keeper, SIGTERM);
	if (wait_for(p, &status) != 0)
		return failure_set(f, "build", errno, "wait");
	if (p->told)
		return failure_set(f, "build", 0, "mayfly was told to stop");
	if (status_of(status) == 0)
		return 0;
	return failure_set(
	    f, "build", 0, "%s failed with %d", name, status_of(status));
}
