#include "tally.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "deputy.h"
#include "ids.h"
#include "io.h"
#include "sys.h"

#define FEW 2048

/* What runs have written; in the overlay's own directory they leave nothing. */
static const char *const trees[] = { "upper", NULL };

/* For deputy_run(). */
struct task {
	int session;
	const char *const *trees;
	const struct usage *most;
	int out; /* takes the usage */
};

static int
count_for(void *context)
{
	const struct task *t = context;
	struct usage u;

	return usage_count(t->session, t->trees, t->most, &u) != 0 ||
	       write(t->out, &u, sizeof(u)) != sizeof(u);
}

static int
count(const struct config *c, int dir, const char *const *names,
    const struct usage *most, struct usage *ret)
{
	struct task t = { dir, names, most, -1 };
	int fds[2], r;

	if (usage_count(dir, names, most, ret) == 0)
		return 0;
	/* Files that the caller may not reach are counted by who may. */
	if (errno != EACCES || ids_privileged() || pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	t.out = fds[1];
	r = deputy_run(c, count_for, &t);
	if (r == 0 && read(fds[0], ret, sizeof(*ret)) != sizeof(*ret))
		r = -1;
	(void)close(fds[0]);
	(void)close(fds[1]);
	return r == 0 ? 0 : -1;
}

int
tally(const struct config *c, int session, const struct usage *most,
    struct usage *ret)
{
	return count(c, session, trees, most, ret);
}

int
tally_layer(
    const struct config *c, int dir, const char *layer, struct usage *ret)
{
	char path[128];
	const char *const names[] = { path, NULL };

	(void)snprintf(path, sizeof(path), "layers/%s", layer);
	return count(c, dir, names, NULL, ret);
}

int
tally_few(int session, int proc, const struct usage *most, struct usage *ret)
{
	struct usage few = *most;

	if (few.inodes > FEW)
		few.inodes = FEW;
	if (usage_count(session, trees, &few, ret) != 0 ||
	    (usage_is_more(ret, &few) && !usage_is_more(ret, most)))
		return -1;
	usage_count_open(proc, most, ret);
	return 0;
}

static _Noreturn void
count_and_tell(const struct config *c, int session, int proc,
    const struct usage *most, pid_t parent, int out)
{
	const int keep[] = { 0, 1, 2, session, proc, out };
	struct usage u;

	/* Also a command waits for the end of a pipe that somebody has open. */
	(void)io_close_but(keep, sizeof(keep) / sizeof(*keep));
	/* A run that is killed is no longer watched. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    tally(c, session, most, &u) != 0)
		_exit(1);
	usage_count_open(proc, most, &u);
	_exit(write(out, &u, sizeof(u)) != sizeof(u));
}

void
tally_start(struct tally *t, const struct config *c, int session, int proc,
    const struct usage *most)
{
	/* No SIGCHLD: the run has a child of its own to wait for. */
	struct clone_args args = { .flags = CLONE_CLEAR_SIGHAND };
	pid_t parent = getpid(), pid;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	pid = sys_clone3(&args);
	if (pid == 0)
		count_and_tell(c, session, proc, most, parent, fds[1]);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return;
	}
	t->pid = pid;
	t->result = fds[0];
}

int
tally_take(struct tally *t, struct usage *ret)
{
	bool told = read(t->result, ret, sizeof(*ret)) == sizeof(*ret);

	tally_stop(t);
	return told ? 0 : -1;
}

void
tally_stop(struct tally *t)
{
	if (t->pid > 0) {
		/* Else it ends with this process. */
		while (kill(t->pid, SIGKILL) == 0 &&
		       waitpid(t->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	sys_close(&t->result);
	*t = (struct tally){ 0, -1 };
}
