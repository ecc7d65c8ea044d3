#include "deputy.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "ids.h"
#include "sys.h"

int
deputy_run(const struct config *c, int (*work)(void *context), void *context)
{
	/* No SIGCHLD: who ignores that one could not wait. */
	struct clone_args args = { .flags = CLONE_NEWUSER };
	int go[2], status = -1;
	struct failure f;
	struct ids ids;
	bool mapped;
	pid_t pid;
	char byte;

	if (ids_take(&ids, c, false, &f) != 0)
		return -1;
	sys_close(&ids.lease);
	/* To write to a pipe of one that was killed is SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) != 0)
		return -1;
	pid = sys_clone3(&args);
	if (pid == 0) {
		(void)close(go[1]);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
		    read(go[0], &byte, 1) != 1)
			_exit(255);
		_exit(work(context));
	}
	(void)close(go[0]);
	mapped = pid > 0 && ids_map_builder(&ids, pid, &f) == 0 &&
		 send(go[1], "", 1, MSG_NOSIGNAL) == 1;
	(void)close(go[1]);
	while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return mapped && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
deputy_try(const struct config *c, int (*work)(void *context), void *context)
{
	int error = work(context);

	if ((error == EACCES || error == EPERM) && !ids_privileged()) {
		int r = deputy_run(c, work, context);

		error = r >= 0 ? r : error;
	}
	errno = error;
	return error == 0 ? 0 : -1;
}

struct move {
	int from, to;
	const char *name, *new_name;
};

/* A directory's "..", which changes, takes the right to write in it. */
static int
move(void *context)
{
	const struct move *m = context;

	return sys_rename_new(m->from, m->name, m->to, m->new_name) != 0 ? errno
									 : 0;
}

int
deputy_rename(const struct config *c, int from, const char *name, int to,
    const char *new_name)
{
	struct move m = { from, to, name, new_name };

	return deputy_try(c, move, &m);
}
