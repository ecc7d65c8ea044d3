#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (!session_is_id(e->d_name) ||
		    (after != NULL && strcmp(e->d_name, after) <= 0))
			continue;
		if (n == size) {
			size = size == 0 ? 64 : 2 * size;
			more = realloc(ids, size * ID_SIZE);
			if (more == NULL) {
				free(ids);
				(void)closedir(d);
				return -1;
			}
			ids = more;
		}
		memcpy(ids + n++ * ID_SIZE, e->d_name, ID_SIZE);
	}
	(void)closedir(d);
	if (n > 0)
		qsort(ids, n, ID_SIZE, compare_ids);
	*ret_ids = ids;
	*ret_n = n;
	return 0;
}

/*
 * A directory's links are its own two and one from each directory in it, on
 * all file systems that count them. Others, and ext4 with very many, say 1.
 */
uint64_t
store_count(const struct state *st)
{
	struct stat s;
	size_t n = 0;
	char *ids;

	if (fstat(st->sessions, &s) == 0 && s.st_nlink >= 2)
		return s.st_nlink - 2;
	if (store_list(st, NULL, &ids, &n) != 0)
		return UINT64_MAX;
	free(ids);
	return n;
}

/* One that has expired goes, unless somebody has it. */
static bool
expire_one(const struct state *st, const char *id, bool dry)
{
	auto_fd dir = store_open_dir(st, id);
	char name[STORE_TRASH_SIZE];
	struct failure f;
	struct session s;
	bool expired;

	if (dir < 0)
		return false;
	session_init(&s);
	expired = store_read(dir, NULL, id, &s, &f) == SESSION_OK &&
		  store_is_expired(&s, dir, false);
	session_free(&s);
	if (!expired || dry)
		return expired;
	auto_fd lock =
	    openat(dir, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_fd left = lock >= 0 ? place_left(lock, 0) : -1;
	if (lock < 0 || left >= 0 || flock(lock, LOCK_EX | LOCK_NB) != 0 ||
	    flock(dir, LOCK_EX | LOCK_NB) != 0)
		return false;
	/* It may have been used, or given more time, in between. */
	expired = store_read(dir, NULL, id, &s, &f) == SESSION_OK &&
		  store_is_expired(&s, dir, true);
	session_free(&s);
	return expired && store_discard(st, id, name) == 0;
}

unsigned
store_expire(const struct state *st, bool dry,
    void (*say)(const char *what, const char *name))
{
	unsigned gone = 0;
	size_t n = 0;
	char *ids;

	if (store_list(st, NULL, &ids, &n) != 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *id = ids + i * ID_SIZE;

		if (!expire_one(st, id, dry))
			continue;
		gone++;
		if (say != NULL)
			say("session", id);
	}
	free(ids);
	if (gone > 0 && !dry)
		(void)fsync(st->sessions);
	return gone;
}
