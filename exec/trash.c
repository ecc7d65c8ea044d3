#include "trash.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "defence.h"
#include "deputy.h"
#include "ids.h"
#include "names.h"
#include "place.h"
#include "project.h"
#include "sys.h"

struct task {
	int dir;
	const char *name;
	uint64_t budget;
	void (*problem)(const char *name, int error);
};

static int
remove_tree(void *context)
{
	const struct task *t = context;

	return (int)trash_tree(t->dir, t->name, t->budget, t->problem);
}

/*
 * First of all: what is left when this is broken off has a number still, and
 * no limits, so that the number is free when the last file has gone.
 */
static void
unlimit(int dir, const char *name)
{
	auto_fd session = openat(dir, name, OPEN_DIR);

	if (session >= 0)
		project_unlimit(session, "upper");
}

enum trash_result
trash_remove(const struct config *c, int dir, const char *name, uint64_t budget,
    void (*problem)(const char *name, int error))
{
	struct task t = { dir, name, budget, problem };
	enum trash_result r;
	int status;

	if (ids_privileged()) {
		unlimit(dir, name);
		return trash_tree(dir, name, budget, problem);
	}
	/* Most need no more than the user's own rights. */
	r = trash_tree(dir, name, budget, NULL);
	if (r != TRASH_FAILED)
		return r;
	status = deputy_run(c, remove_tree, &t);
	return status >= 0 ? (enum trash_result)status
			   : trash_tree(dir, name, budget, problem);
}

/*
 * Whoever makes a session has its directory locked, and whoever runs in one
 * that was deleted its lock. Keeps the locks in fds. 1, 0, or -1/errno where
 * it cannot be told: then somebody may be at work in it.
 */
static int
is_free(int trash, const char *name, int fds[2])
{
	if (!DEFENCE(TRASH_LOCKS))
		return 1;
	fds[0] = openat(trash, name, OPEN_DIR);
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
		gone = dry || trash_remove(c, st->trash, name, UINT64_MAX,
				  problem) == TRASH_GONE;
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

	if (names_list(st->trash, &names, &n) != 0) {
		problem("trash", errno);
		clean = false;
	}

	for (size_t i = 0; i < n; i++)
		clean =
		    remove_free(c, st, names[i], dry, say, problem) && clean;
	names_free(names, n);
	return clean;
}
