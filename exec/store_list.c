#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "place.h"
#include "store.h"
#include "sys.h"

#define ID_SIZE (SESSION_ID_LEN + 1)

/* A stream of its own of the directory's entries, or NULL/errno. */
static DIR *
open_entries(int dir)
{
	auto_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d != NULL)
		(void)sys_take(&fd);
	return d;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
store_list(
    const struct state *st, const char *after, char **ret_ids, size_t *ret_n)
{
	size_t n = 0, size = 0;
	char *ids = NULL, *more;
	const struct dirent *e;
	DIR *d = open_entries(st->sessions);
	int error;

	if (d == NULL)
		return -1;
	while (errno = 0, (e = readdir(d)) != NULL) {
		if (!session_is_id(e->d_name) ||
		    (after != NULL && strcmp(e->d_name, after) <= 0))
			continue;
		if (n == size) {
			size = size == 0 ? 64 : 2 * size;
			more = realloc(ids, size * ID_SIZE);
			if (more == NULL)
				break;
			ids = more;
		}
		memcpy(ids + n++ * ID_SIZE, e->d_name, ID_SIZE);
	}
	error = errno;
	(void)closedir(d);
	if (e != NULL || error != 0) {
		free(ids);
		errno = error;
		return -1;
	}
	if (n > 0)
		qsort(ids, n, ID_SIZE, compare_ids);
	*ret_ids = ids;
	*ret_n = n;
	return 0;
}

/*
 * 1 when it has, 0, or -1/errno. What no version of ours can read has not; one
 * without a record has: its deletion went no further, on a full disk.
 */
static int
has_expired(const struct state *st, const char *id, int dir, bool locked)
{
	struct failure f = { 0 };
	struct session s;
	int r = 0;

	session_init(&s);
	switch (store_read(dir, NULL, id, &s, &f)) {
	case SESSION_OK:
		r = store_is_expired(&s, dir, locked);
		break;
	case SESSION_NOT_FOUND:
		r = state_is_there(st->sessions, id, dir);
		break;
	case SESSION_FAILED:
		errno = f.error;
		r = f.error != 0 ? -1 : 0;
		break;
	default:
		break;
	}
	session_free(&s);
	return r;
}

/* Nobody has it, nor can from now on. 1, 0, or -1/errno. */
static int
lock_both(int dir, int lock)
{
	auto_fd left = place_left(lock, 0);

	if (!DEFENCE(REAP_LOCKS))
		return 1;
	if (left >= 0 || errno != ENOENT)
		return left >= 0 ? 0 : -1;
	if (flock(lock, LOCK_EX | LOCK_NB) == 0 &&
	    flock(dir, LOCK_EX | LOCK_NB) == 0)
		return 1;
	return errno == EWOULDBLOCK ? 0 : -1;
}

/* Who was writing it was killed; the record itself is whole. 0, or -1/errno. */
static int
drop_half_record(int dir)
{
	if (faccessat(dir, "meta.new", F_OK, 0) != 0)
		return errno == ENOENT ? 0 : -1;
	/* Else somebody is writing it now. */
	if (flock(dir, LOCK_EX | LOCK_NB) == 0)
		return unlinkat(dir, "meta.new", 0);
	return errno == EWOULDBLOCK ? 0 : -1;
}

/* One that has expired goes, unless somebody has it. 1, 0, or -1/errno. */
static int
expire_one(
    const struct config *c, const struct state *st, const char *id, bool dry)
{
	auto_fd dir = store_open_dir(st, id);
	char name[STORE_TRASH_SIZE];
	/* Whether somebody runs in it the lock will tell. */
	int r = dir < 0 ? -1 : has_expired(st, id, dir, !dry);

	if (r == 0 && !dry)
		r = drop_half_record(dir);
	if (r == 1 && !dry) {
		auto_fd lock = openat(dir, "lock",
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		r = lock < 0 ? -1 : lock_both(dir, lock);
		/* It may have been used, or given more time, in between. */
		if (r == 1)
			r = has_expired(st, id, dir, true);
		if (r == 1 &&
		    (store_discard(st, id, dir, name) != 0 ||
			(*name == '\0' && store_make_room(c, st, id, dir,
					      UINT64_MAX, name) != 0)))
			r = -1;
	}
	/* Somebody was quicker. */
	return r < 0 && errno == ENOENT ? 0 : r;
}

int
store_expire(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error))
{
	int gone = 0, error = 0, r;
	size_t n = 0;
	char *ids;

	if (store_list(st, NULL, &ids, &n) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *id = ids + i * ID_SIZE;

		r = expire_one(c, st, id, dry);
		if (r < 0) {
			error = errno;
			if (problem != NULL)
				problem(id, error);
		}
		if (r != 1)
			continue;
		gone++;
		if (say != NULL)
			say("session", id);
	}
	free(ids);
	if (gone > 0 && !dry)
		(void)fsync(st->sessions);
	errno = error;
	return error != 0 ? -1 : gone;
}
