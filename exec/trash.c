#include "trash.h"

#include <sys/file.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ids.h"
#include "place.h"
#include "sys.h"

/*
 * In a user namespace that has the ids of the user's sandboxes, and every
 * right over them.
 */
static enum trash_result
remove_as_builder(const struct ids *ids, const struct state *st,
    const char *name, uint64_t budget,
    void (*problem)(const char *name, int error))
{
	/* No SIGCHLD: who ignores that one could not wait. */
	struct clone_args args = { .flags = CLONE_NEWUSER };
	int go[2], status = TRASH_FAILED;
	struct failure f;
	bool mapped;
	pid_t pid;
	char byte;

	if (pipe2(go, O_CLOEXEC) != 0)
		return TRASH_FAILED;
	pid = sys_clone3(&args);
	if (pid == 0) {
		(void)close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(TRASH_FAILED);
		_exit((int)trash_tree(st->trash, name, budget, problem));
	}
	(void)close(go[0]);
	mapped = pid > 0 && ids_map_builder(ids, pid, &f) == 0 &&
		 write(go[1], "", 1) == 1;
	(void)close(go[1]);
	while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return mapped && WIFEXITED(status)
		   ? (enum trash_result)WEXITSTATUS(status)
		   : TRASH_FAILED;
}

enum trash_result
trash_remove(const struct config *c, const struct state *st, const char *name,
    uint64_t budget, void (*problem)(const char *name, int error))
{
	enum trash_result r;
	struct failure f;
	struct ids ids;

	if (ids_privileged() || ids_take(&ids, c, false, &f) != 0 ||
	    ids.mode != IDS_SUBUID)
		return trash_tree(st->trash, name, budget, problem);
	/* Most need no more than the user's own rights. */
	r = trash_tree(st->trash, name, budget, NULL);
	return r == TRASH_FAILED
		   ? remove_as_builder(&ids, st, name, budget, problem)
		   : r;
}

/*
 * Whoever makes a session has its directory locked, and whoever runs in one
 * that was deleted its lock. Keeps the locks in fds. 1, 0, or -1/errno where
 * it cannot be told: then somebody may be at work in it.
 */
static int
is_free(int trash, const char *name, int fds[2])
{
	fds[0] = openat(
	    trash, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* What cannot be opened so never was a session. */
	if (fds[0] < 0)
		return errno == ENOENT ? 0 : fail_is_machines(errno) ? -1 : 1;
	fds[1] = openat(
	    fds[0], "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fds[1] < 0 && fail_is_machines(errno))
		return -1;
	if (fds[1] >= 0) {
		auto_fd left = place_left(fds[1], 0);

		if (left >= 0 || errno != ENOENT)
			return left >= 0 ? 0 : -1;
	}
	if (flock(fds[0], LOCK_EX | LOCK_NB) != 0 ||
	    (fds[1] >= 0 && flock(fds[1], LOCK_EX | LOCK_NB) != 0))
		return errno == EWOULDBLOCK ? 0 : -1;
	if (state_is_there(trash, name, fds[0]))
		return 1;
	return errno == ENOENT ? 0 : -1;
}

/* The names in the trash; 0 or -1/errno. */
static int
list_names(int trash, char ***ret, size_t *ret_n)
{
	auto_fd fd = openat(trash, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	char **names = NULL;
	const struct dirent *e;
	size_t n = 0;
	int error;

	if (d == NULL)
		return -1;
	(void)sys_take(&fd);
	while (errno = 0, (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		names = realloc(names, (n + 1) * sizeof(*names));
		if (names == NULL || (names[n] = strdup(e->d_name)) == NULL)
			fail_memory();
		n++;
	}
	error = errno;
	(void)closedir(d);
	*ret = names;
	*ret_n = n;
	errno = error;
	return error != 0 ? -1 : 0;
}

/* Whether there is nothing left of it, unless it is somebody's. */
static bool
remove_free(const struct config *c, const struct state *st, const char *name,
    bool dry, void (*say)(const char *what, const char *which),
    void (*problem)(const char *name, int error))
{
	int fds[2] = { -1, -1 };
	bool gone = true;
	int r = is_free(st->trash, name, fds);

	if (r < 0) {
		problem(name, errno);
		gone = false;
	} else if (r > 0) {
		gone = dry || trash_remove(c, st, name, UINT64_MAX, problem) ==
				  TRASH_GONE;
		if (gone)
			say("trash", name);
	}
	sys_close(&fds[0]);
	sys_close(&fds[1]);
	return gone;
}

bool
trash_empty(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error))
{
	size_t n = 0;
	char **names = NULL;
	bool clean = true;

	if (list_names(st->trash, &names, &n) != 0) {
		problem("trash", errno);
		clean = false;
	}

	for (size_t i = 0; i < n; i++) {
		clean =
		    remove_free(c, st, names[i], dry, say, problem) && clean;
		free(names[i]);
	}
	free(names);
	return clean;
}
