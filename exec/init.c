#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "defence.h"
#include "filter.h"
#include "inside.h"
#include "io.h"
#include "late.h"
#include "sys.h"

/* So many are reaped before it is said that the command has ended. */
#define ORPHANS_MAX 256

noreturn void
init_report(struct inside *in, enum control_type type, int error,
    const char *step, const char *detail)
{
	struct control c = { .type = type, .error = error };

	(void)failure_set(&c.failure, step, error, "%s", detail);
	(void)control_send(in->control, &c, NULL, 0);
	_exit(127);
}

/*
 * Executes file. ENOENT means that there is no such file: when it is there
 * but its interpreter is not, the error is ENOEXEC.
 */
static void
try_execute(const char *file, const struct plan *p)
{
	(void)execve(file, p->argv, p->env);
	if (errno == ENOENT)
		errno = access(file, F_OK) == 0 ? ENOEXEC : ENOENT;
}

/* As execvp(3), over the PATH of the environment inside. Sets errno. */
static void
execute(const struct plan *p)
{
	const char *name = p->argv[0], *path = plan_getenv(p, "PATH");
	char file[4096];
	bool denied = false;
	size_t len;

	if (strchr(name, '/') != NULL || *name == '\0' || path == NULL) {
		if (*name == '\0' || strchr(name, '/') == NULL)
			errno = ENOENT;
		else
			try_execute(name, p);
		return;
	}
	for (;; path += len + 1) {
		len = strcspn(path, ":");
		if (len + strlen(name) + 2 <= sizeof(file)) {
			(void)snprintf(file, sizeof(file), "%.*s%s%s", (int)len,
			    path, len > 0 ? "/" : "", name);
			try_execute(file, p);
			if (errno == EACCES)
				denied = true;
			else if (errno != ENOENT && errno != ENOTDIR)
				return;
		}
		if (path[len] == '\0')
			break;
	}
	errno = denied ? EACCES : ENOENT;
}

static int
take_streams(struct inside *in)
{
	for (int i = 0; i < 3; i++) {
		int fd = in->tty_slave >= 0 ? in->tty_slave : in->streams[i];

		if (dup2(fd, i) != i)
			return -1;
	}
	return 0;
}

/* What the caller ignored or blocked is not the command's to inherit. */
static int
reset_signals(void)
{
	/* struct sigaction of the kernel; libc keeps some signals for itself */
	const unsigned long standard[4] = { 0 };
	sigset_t none;

	for (int sig = 1; sig <= 64; sig++) {
		if (sig != SIGKILL && sig != SIGSTOP &&
		    syscall(SYS_rt_sigaction, sig, standard, NULL, 8) != 0)
			return -1;
	}
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The process that becomes the command: PID 2 inside. It does at once what
 * needs no word of the run, which in a prepared sandbox comes last.
 */
static noreturn void
command_run(struct inside *in, int go)
{
	const struct plan *p = in->plan;
	const char *cwd, *name;
	char byte;

	if (reset_signals() != 0)
		init_report(in, CONTROL_FAILED, errno, "process", "signals");
#ifndef MUTATE_SETSID
	if (setsid() < 0)
		init_report(in, CONTROL_FAILED, errno, "process", "setsid");
#endif
	if (in->tty_slave >= 0 && ioctl(in->tty_slave, TIOCSCTTY, 0) != 0)
		init_report(in, CONTROL_FAILED, errno, "tty", "TIOCSCTTY");
	if (take_streams(in) != 0)
		init_report(in, CONTROL_FAILED, errno, "streams", "dup2");
#ifndef MUTATE_CLOSE_FDS
	/* No directory may be left when the command's own is looked up. */
	if (io_close_but((const int[]){ 0, 1, 2, in->control, go }, 5) != 0)
		init_report(
		    in, CONTROL_FAILED, errno, "streams", "close_range");
#endif
	/* Until the other process has given up what it has: end of file. */
	if (read(go, &byte, 1) != 0)
		init_report(in, CONTROL_FAILED, errno, "streams", "wait");
	if (in->late != NULL)
		late_take(in);
	/* The one for every command is there, of which this is a part. */
	if (in->late != NULL && p->network == NETWORK_OFF &&
	    DEFENCE(LATE_NOSOCKET) && filter_add(FILTER_NOSOCKET) != 0)
		init_report(in, CONTROL_FAILED, errno, "filter", "seccomp");
	cwd = p->cwd != NULL ? p->cwd : "/";
	if (chdir(cwd) != 0)
		init_report(in, CONTROL_FAILED, errno, "cwd", cwd);
	if (p->argv == NULL)
		_exit(0);
#ifndef MUTATE_CLOSE_FDS
	if (sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		init_report(
		    in, CONTROL_FAILED, errno, "streams", "close_range");
#endif
	if (limits_apply(&p->limits, in->as_kb, &name) != 0)
		init_report(in, CONTROL_FAILED, errno, "limits", name);
	execute(p);
	init_report(in, CONTROL_EXEC, errno, "command", p->argv[0]);
}

#ifndef MUTATE_WIPE
static void
wipe_strings(char **s)
{
	for (; s != NULL && *s != NULL; s++)
		memset(*s, 0, strlen(*s));
}
#endif

/*
 * Wipes what was inherited with the caller's memory: the strings of the
 * environment and of the command. The plan is not needed any more.
 */
static void
wipe(const struct plan *p)
{
#ifndef MUTATE_WIPE
	extern char **environ;

	wipe_strings(environ);
	wipe_strings(p->env);
	wipe_strings(p->argv);
#else
	(void)p;
#endif
}

static void
wake(int sig)
{
	(void)sig;
}

/*
 * Reaps until the command has ended: its status. Or -1 when the supervisor
 * wants the end of it, or has gone.
 */
static int
wait_for(const struct inside *in, pid_t command, uint64_t backstop_ms)
{
	struct timespec left = { (time_t)(backstop_ms / 1000), 0 };
	struct pollfd p = { .fd = in->control, .events = POLLIN };
	sigset_t mask;
	int status, n;
	pid_t pid;

	(void)sigfillset(&mask);
	(void)sigdelset(&mask, SIGCHLD);
	for (;;) {
		while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0 ||
		       (pid < 0 && errno == EINTR)) {
			if (pid == command) {
#ifdef MUTATE_LEFTOVERS
				init_wait_for_all();
#endif
				return status;
			}
		}
		/*
		 * The supervisor's timer ends the run; this is for the case
		 * that somebody stopped the supervisor. It starts anew with
		 * every orphan, which only makes it later.
		 */
		n = ppoll(&p, 1, &left, &mask);
		if (n == 0)
			_exit(1);
		if (n > 0)
			return -1;
	}
}

/*
 * What has been used. Whoever's parent has ended is this process's child before
 * that can be seen to have ended: so without children there is nobody left.
 */
static void
sum_up(struct control *c)
{
	struct rusage all[2];
	pid_t pid = 1;

	/* They may come faster than they are reaped. */
	for (int i = 0; pid > 0 && i < ORPHANS_MAX; i++)
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
	c->alone = pid < 0 && errno == ECHILD;
	(void)getrusage(RUSAGE_CHILDREN, &all[0]);
	(void)getrusage(RUSAGE_SELF, &all[1]);
	for (int i = 0; i < 2; i++) {
		c->cpu_us += sys_cpu_us(&all[i]);
		if (c->memory_kb < (uint64_t)all[i].ru_maxrss)
			c->memory_kb = (uint64_t)all[i].ru_maxrss;
	}
}

/*
 * PID 1 of the sandbox from here to its end. It has no other purpose than to
 * start the command, reap, and end: with it the kernel ends all the rest.
 */
noreturn void
init_run(struct inside *in)
{
	const struct sigaction action = { .sa_handler = wake };
	struct control c = { .type = CONTROL_ENDED };
	uint64_t backstop;
	sigset_t all;
	int go[2];
	char byte;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (pipe2(go, O_CLOEXEC) != 0)
		init_report(in, CONTROL_FAILED, errno, "start", "pipe");
	pid = fork();
	if (pid < 0)
		init_report(in, CONTROL_FAILED, errno, "start", "fork");
	if (pid == 0) {
		(void)close(go[1]);
		command_run(in, go[0]);
	}
	(void)close(go[0]);
	/* Else no child's end would be heard of. */
	if (sigaction(SIGCHLD, &action, NULL) != 0)
		init_report(in, CONTROL_FAILED, errno, "start", "sigaction");
#ifndef MUTATE_CLOSE_FDS
	/* Nor when a file of the caller's is placed. */
	if (io_close_but(
		(const int[]){ in->control, in->ids->lease, in->plan->lock,
		    in->plan->files_in, in->plan->files_out, go[1] },
		6) != 0)
		init_report(in, CONTROL_FAILED, errno, "start", "close_range");
#endif
	if (in->late != NULL)
		late_receive(in, go[1]);
	backstop = in->backstop;
	init_place_files(in);
	wipe(in->plan);
	/* Who collects reads as the command's user does: with no less. */
	if (in->plan->files_out < 0 && users_drop_all() != 0)
		init_report(
		    in, CONTROL_FAILED, errno, "capabilities", "capset");
	/* The command starts: the very last thing. */
	(void)close(go[1]);
	c.status = wait_for(in, pid, backstop);
	/* Told to end, this must not say that the command has. */
	if (c.status < 0 && in->plan->files_out < 0)
		_exit(1);
	if (c.status >= 0)
		sum_up(&c);
	/* Ending by itself without that is a failure of its own. */
	if (c.status >= 0 && control_send(in->control, &c, NULL, 0) != 0)
		_exit(1);
	init_collect_files(in);
	/* Taking the namespaces apart takes time that nobody need wait for. */
	if (c.alone && plan_answers_first(in->plan))
		(void)recv(in->control, &byte, 1, 0);
	_exit(0);
}
