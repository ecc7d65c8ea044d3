/*
 * The directory that an image says its command starts in need not be in the
 * image: Docker makes it, so that there are images without. It is made in the
 * run's or the session's own part of the root, whose links are as hostile as
 * what will run there: by a process with no rights but the sandbox's own.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

static int
open_inside(int root, const char *path)
{
	return sys_openat2(root, *path == '\0' ? "/" : path,
	    O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* All that leads to path as well. 0 or -1/errno. */
static int
make_path(int root, const char *path)
{
	char part[PATH_MAX];

	for (const char *p = path; *p != '\0';) {
		size_t begin = (size_t)(p - path) + strspn(p, "/"), end;

		end = begin + strcspn(path + begin, "/");
		errno = ENAMETOOLONG;
		if (end >= sizeof(part))
			return -1;
		memcpy(part, path, end);
		part[begin] = '\0';
		auto_fd dir = open_inside(root, part);
		part[begin] = path[begin];
		part[end] = '\0';
		if (dir < 0 ||
		    (end > begin && mkdirat(dir, part + begin, 0755) != 0 &&
			errno != EEXIST))
			return -1;
		p = path + end;
	}
	return 0;
}

int
workdir_make(struct inside *in)
{
	const struct plan *p = in->plan;
	int status = -1;
	auto_fd fd = -1;
	pid_t pid;

	if (!p->cwd_made || !plan_is_foreign(p))
		return 0;
	fd = open_inside(in->root, p->cwd);
	/* What it is if it is no directory, who goes there will be told. */
	if (fd >= 0 || errno != ENOENT)
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(user_become_root(in) != 0 ||
			      make_path(in->root, p->cwd) != 0
			  ? errno
			  : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return inside_fail(in, "make '%.80s'", p->cwd);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
	return errno != 0 && fail_is_machines(errno)
		   ? inside_fail(in, "make '%.80s'", p->cwd)
		   : 0;
}
