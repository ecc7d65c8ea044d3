#include "state.h"

#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "sys.h"

/* Fewer than these many inodes are as bad as no room. */
#define INODES_FREE 1024

const char *
state_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home == NULL && (pw = getpwuid(geteuid())) != NULL)
		home = pw->pw_dir;
	return home != NULL && *home == '/' ? home : NULL;
}

int
state_path(const struct config *c, char *buf, size_t size)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home;
	int n;

	if (geteuid() == 0 || getenv("MAYFLY_STATE_DIR") != NULL)
		n = snprintf(buf, size, "%s", c->state_dir);
	else if (xdg != NULL && *xdg == '/')
		n = snprintf(buf, size, "%s/mayfly", xdg);
	else if ((home = state_home()) != NULL)
		n = snprintf(buf, size, "%s/.local/state/mayfly", home);
	else
		return -1;
	return n > 0 && (size_t)n < size ? 0 : -1;
}

int
state_make_path(char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	for (char *slash = path; (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST &&
		    errno != EROFS && errno != EACCES) {
			*slash = '/';
			return -1;
		}
		*slash = '/';
	}
	return mkdir(path, 0755) != 0 && errno != EEXIST ? -1 : 0;
}

static int
open_root(const struct config *c, struct failure *f)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	char path[PATH_MAX];
	struct stat st;

	if (state_path(c, path, sizeof(path)) != 0)
		return failure_set(f, "state", 0,
		    "HOME is no path to keep sessions in: set "
		    "MAYFLY_STATE_DIR");
	auto_fd fd = open(path, flags);
	if (fd < 0 && errno == ENOENT) {
		if (state_make_path(path) != 0)
			return failure_set(
			    f, "state", errno, "mkdir %.160s", path);
		fd = open(path, flags);
	}
	if (fd < 0 || fstat(fd, &st) != 0)
		return failure_set(f, "state", errno, "open %.160s", path);
	if (DEFENCE(STATE_ABOVE) &&
	    (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0))
		return failure_set(f, "state", 0,
		    "%.120s belongs to another user, or others may write "
		    "there",
		    path);
	return sys_take(&fd);
}

int
state_open_private(int dir, const char *name, struct failure *f)
{
	struct stat st;

	if (mkdirat(dir, name, 0700) != 0) {
		if (errno != EEXIST)
			return failure_set(f, "state", errno, "mkdir %s", name);
	} else if (fsync(dir) != 0) {
		return failure_set(f, "state", errno, "sync");
	}
	auto_fd fd = openat(dir, name, OPEN_DIR);
	if (fd < 0 || fstat(fd, &st) != 0)
		return failure_set(f, "state", errno, "open %s", name);
	if (DEFENCE(STATE_MODE) &&
	    (st.st_uid != geteuid() || (st.st_mode & 077) != 0))
		return failure_set(f, "state", 0,
		    "%s in state_dir is not its owner's alone: it has mode "
		    "%04o and user %u, and must have 0700 and %u",
		    name, st.st_mode & 07777, st.st_uid, geteuid());
	return sys_take(&fd);
}

int
state_open(const struct config *c, struct state *st, struct failure *f)
{
	st->sessions = st->trash = -1;
	st->dir = open_root(c, f);
	if (st->dir >= 0)
		st->sessions = state_open_private(st->dir, "sessions", f);
	if (st->sessions >= 0)
		st->trash = state_open_private(st->dir, "trash", f);
	if (st->trash >= 0)
		return 0;
	state_close(st);
	return -1;
}

void
state_close(struct state *st)
{
	sys_close(&st->dir);
	sys_close(&st->sessions);
	sys_close(&st->trash);
	st->dir = st->sessions = st->trash = -1;
}

int
state_check_room(
    const struct config *c, const struct state *st, struct failure *f)
{
	struct statvfs v;
	uint64_t free_kb;

	if (fstatvfs(st->dir, &v) != 0)
		return failure_set(f, "state", errno, "statvfs");
	free_kb = (uint64_t)v.f_bavail * v.f_frsize / 1024;
	if (DEFENCE(MIN_FREE) && free_kb < c->min_free)
		return failure_set(f, "state", ENOSPC,
		    "only %" PRIu64 " KB are free on the disk of state_dir, "
		    "and min_free is %" PRIu64,
		    free_kb, c->min_free);
	/* Btrfs has no number of inodes. */
	if (v.f_files > 0 && c->min_free > 0 && v.f_favail < INODES_FREE)
		return failure_set(f, "state", ENOSPC,
		    "only %" PRIu64 " inodes are free on the disk of "
		    "state_dir",
		    (uint64_t)v.f_favail);
	return 0;
}

int
state_random(char *buf, size_t n)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	unsigned char bytes[64];
	size_t i = 0;

	while (i < n) {
		if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
			return -1;
		/* 252 is 7 * 36: each digit is as likely as the others. */
		for (size_t k = 0; k < sizeof(bytes) && i < n; k++) {
			if (bytes[k] < 252)
				buf[i++] = digits[bytes[k] % 36];
		}
	}
	return 0;
}

bool
state_is_there(int dir, const char *name, int fd)
{
	struct stat ours, there;

	if (fstat(fd, &ours) != 0 ||
	    fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	errno = ENOENT;
	return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/*
 * A reaper may be quicker than the lock. It removes what it has locked by its
 * name, and until it has there is to be no other one of that name.
 */
int
state_make_locked(const struct state *st, const char *name)
{
	int error;

	for (int tries = 0; tries < 8; tries++) {
		if (mkdirat(st->trash, name, 0700) != 0)
			return -1;
		auto_fd dir = openat(st->trash, name, OPEN_DIR);
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0 || flock(dir, LOCK_EX) != 0) {
			error = errno;
			(void)unlinkat(st->trash, name, AT_REMOVEDIR);
			errno = error;
			return -1;
		}
		if (state_is_there(st->trash, name, dir))
			return sys_take(&dir);
		if (errno != ENOENT)
			return -1;
	}
	errno = EAGAIN;
	return -1;
}
