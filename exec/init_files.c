/* The files of a run: placed before its command starts, collected behind it. */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "control.h"
#include "files.h"
#include "inside.h"
#include "io.h"

/*
 * For who goes where a request's paths lead: /proc/self/fd leads to all that
 * is open, and the lock of the session is a file of the host's.
 */
static int
leave_open(const struct inside *in, int fd)
{
#ifndef MUTATE_LEAVE_OPEN
	return io_close_but((const int[]){ in->control, fd }, 2);
#else
	(void)in;
	(void)fd;
	return 0;
#endif
}

void
init_place_files(struct inside *in)
{
	static char name[FILES_NAME_MAX + 1];
	const struct plan *p = in->plan;
	const char *cwd = p->cwd != NULL ? p->cwd : "/";
	int status = -1;
	pid_t pid;

	if (p->files_in < 0)
		return;
	pid = fork();
	if (pid < 0)
		init_report(in, CONTROL_FAILED, errno, "files", "fork");
	if (pid == 0) {
		if (leave_open(in, p->files_in) != 0)
			init_report(
			    in, CONTROL_FAILED, errno, "files", "close_range");
		if (chdir(cwd) != 0)
			init_report(in, CONTROL_FAILED, errno, "cwd", cwd);
		if (files_place(p, name) != 0)
			init_report(in, CONTROL_FAILED, errno, "files", name);
		_exit(0);
	}
	if (waitpid(pid, &status, __WALL) != pid)
		init_report(in, CONTROL_FAILED, errno, "files", "wait");
	/* Where it failed it has said why. */
	if (status != 0)
		_exit(1);
	(void)close(p->files_in);
}

void
init_wait_for_all(void)
{
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
}

void
init_collect_files(struct inside *in)
{
	const struct control c = { .type = CONTROL_KILLED };
	struct plan p = *in->plan;
	pid_t pid;

	if (p.files_out < 0)
		return;
	(void)kill(-1, SIGKILL);
	(void)control_send(in->control, &c, NULL, 0);
	init_wait_for_all();
	pid = fork();
	if (pid == 0) {
		if (leave_open(in, p.files_out) != 0)
			_exit(1);
		if (chdir(p.cwd != NULL ? p.cwd : "/") != 0) {
			if (fail_is_machines(errno))
				_exit(1);
			/* The command took it away, and what was in it. */
			p.collect_count = 0;
		}
		(void)files_collect(&p);
		_exit(0);
	}
	init_wait_for_all();
}
