#include "store.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "defence.h"
#include "io.h"
#include "place.h"
#include "project.h"
#include "record.h"
#include "sys.h"
#include "trash.h"

int
store_open_dir(const struct state *st, const char *id)
{
	return openat(st->sessions, id, OPEN_DIR);
}

int64_t
store_now(void)
{
	return (int64_t)time(NULL);
}

enum session_result
store_read(int dir, const char *owner, const char *id, struct session *s,
    struct failure *f)
{
	char why[160];
	size_t len = 0;
	char *data = io_read_file(dir, "meta", RECORD_MAX, &len);
	int r;

	if (data == NULL) {
		if (errno == ENOENT || errno == ESTALE)
			return SESSION_NOT_FOUND;
		(void)failure_set(f, "state", errno, "%s: read its record", id);
		return SESSION_FAILED;
	}
	r = record_decode(s, data, len, why, sizeof(why));
	free(data);
	if (r == 0 && strcmp(s->id, id) != 0) {
		(void)snprintf(why, sizeof(why), "id: of another session");
		r = -1;
	}
	if (r != 0) {
		(void)failure_set(f, "state", 0, "%s: its record: %s", id, why);
		return SESSION_FAILED;
	}
	if (DEFENCE(OWNER) && owner != NULL && strcmp(owner, s->owner) != 0)
		return SESSION_NOT_FOUND;
	return SESSION_OK;
}

int
store_write(int dir, const struct session *s, struct failure *f)
{
	char why[160], *buf = malloc(RECORD_MAX);
	ssize_t len = buf != NULL ? record_encode(s, buf, RECORD_MAX) : -1;
	int r = -1;

	if (len < 0 || record_check(s, why, sizeof(why)) != 0) {
		free(buf);
		return failure_set(f, "state", 0, "a record that is none");
	}
	/* Who writes has the directory's lock: no other has the new file. */
	(void)unlinkat(dir, "meta.new", 0);
	auto_fd fd = openat(dir, "meta.new",
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && io_write(fd, buf, (size_t)len) == 0 &&
	    (!DEFENCE(RECORD_SYNC) || fsync(fd) == 0) &&
	    renameat(dir, "meta.new", dir, "meta") == 0 && fsync(dir) == 0)
		r = 0;
	if (r != 0) {
		(void)failure_set(f, "state", errno, "write a record");
		(void)unlinkat(dir, "meta.new", 0);
	}
	free(buf);
	return r;
}

static bool
is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec
				    : a.tv_nsec > b.tv_nsec;
}

/*
 * Somebody runs in it; or did so at the moment given or later, and could not
 * put that into the record: the disk was full, or the run was killed. 1, 0, or
 * -1/errno when that cannot be told.
 */
static int
is_used(int dir, int64_t since, bool locked)
{
	auto_fd lock =
	    openat(dir, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat own, record;

	auto_fd left = lock >= 0 ? place_left(lock, 0) : -1;
	if (lock < 0)
		return errno == ENOENT ? 0 : -1;
	if (!locked && (left >= 0 || errno != ENOENT))
		return left >= 0 ? 1 : -1;
	if (!locked && flock(lock, LOCK_SH | LOCK_NB) != 0)
		return 1;
	if (fstat(lock, &own) != 0)
		return -1;
	if (own.st_mtime < since)
		return 0;
	if (fstatat(dir, "meta", &record, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	return is_later(own.st_mtim, record.st_mtim);
}

int
store_is_expired(const struct session *s, int dir, bool locked)
{
	int64_t now = store_now();
	int used;

	if (DEFENCE(EXPIRES) && now >= s->expires_at)
		return 1;
	if (s->ttl == SESSION_NEVER || now - s->last_used_at <= s->ttl)
		return 0;
	used = DEFENCE(IDLE_USED) ? is_used(dir, now - s->ttl, locked) : 0;
	return used < 0 ? -1 : !used;
}

enum session_result
store_look(const struct state *st, const char *owner, const char *id,
    int *ret_dir, struct session *s, struct failure *f)
{
	enum session_result r;

	*ret_dir = store_open_dir(st, id);
	if (*ret_dir < 0 && errno == ENOENT)
		return SESSION_NOT_FOUND;
	if (*ret_dir < 0) {
		(void)failure_set(f, "state", errno, "open a session");
		return SESSION_FAILED;
	}
	r = store_read(*ret_dir, owner, id, s, f);
	return r == SESSION_OK && store_is_expired(s, *ret_dir, false) == 1
		   ? SESSION_NOT_FOUND
		   : r;
}

enum session_result
store_find(const struct config *c, const char *owner, const char *id,
    struct state *st, int *ret_dir, struct session *s, struct failure *f)
{
	*st = (struct state){ -1, -1, -1 };
	*ret_dir = -1;
	/* Only what is one may become part of a path. */
	if (!session_is_id(id))
		return SESSION_NOT_FOUND;
	if (state_open(c, st, f) != 0)
		return SESSION_FAILED;
	return store_look(st, owner, id, ret_dir, s, f);
}

static int
move_to_trash(const struct state *st, const char *id, char *ret_name)
{
	char random[STATE_RANDOM + 1] = "";

	if (state_random(random, STATE_RANDOM) != 0)
		return -1;
	(void)snprintf(ret_name, STORE_TRASH_SIZE, "%s-%s", id, random);
	return renameat(st->sessions, id, st->trash, ret_name);
}

/*
 * To remove a name needs no room where to add one does. Nobody is changing the
 * record meanwhile, which would put it back.
 */
int
store_discard(const struct state *st, const char *id, int dir, char *ret_name)
{
	int error, r = move_to_trash(st, id, ret_name);

	if (r == 0 || (errno != ENOSPC && errno != EDQUOT))
		return r;
	*ret_name = '\0';
	if (turn_wait(dir, -1, -1, RECORD_WAIT) != 0)
		return -1;
	r = unlinkat(dir, "meta", 0);
	error = errno;
	(void)flock(dir, LOCK_UN);
	errno = error;
	return r != 0 && errno != ENOENT ? -1 : 0;
}

int
store_make_room(const struct config *c, const struct state *st, const char *id,
    int dir, uint64_t budget, char *ret_name)
{
	project_unlimit(dir, "upper");
	(void)trash_remove(c, dir, "upper", budget, NULL);
	(void)trash_remove(c, dir, "work", budget, NULL);
	return move_to_trash(st, id, ret_name);
}
