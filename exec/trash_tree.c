#include <sys/ioctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "project.h"
#include "sys.h"
#include "trash.h"

/* Directories open at once; what is deeper is moved up first. */
#define DEPTH_MAX 24

/* A directory that is being emptied. */
struct level {
	DIR *entries;
	char name[NAME_MAX + 1]; /* in the directory above */
	bool stuck; /* something in it stays */
	bool removed; /* something in it went since it was read from the top */
};

struct cleaner {
	int dir;
	uint64_t budget;
	void (*problem)(const char *name, int error);
	bool failed;
	struct level levels[DEPTH_MAX];
	size_t depth;
	char **moved; /* names in dir of what was too deep */
	size_t moved_count;
};

/* Something stays, and with it the directories that lead there. */
static void
stick(struct cleaner *k, const char *name, int error)
{
	k->failed = true;
	if (k->depth > 0)
		k->levels[k->depth - 1].stuck = true;
	if (k->problem != NULL)
		k->problem(name, error);
}

/* The attributes with which nothing can be removed, whoever asks. */
static void
clear_flags(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0) {
		flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
}

/* Never what is mounted there, nor through a link. */
static int
open_below(int dir, const char *name, uint64_t flags)
{
	uint64_t resolve =
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;

	flags |= O_NOFOLLOW;
#ifdef MUTATE_TRASH_LINKS
	flags &= ~(uint64_t)O_NOFOLLOW;
	resolve = 0;
#endif
#ifdef MUTATE_TRASH_XDEV
	resolve &= ~(uint64_t)RESOLVE_NO_XDEV;
#endif
	return sys_openat2(dir, name, flags, resolve);
}

static void
clear_entry(int dir, const char *name)
{
	auto_fd place = open_below(dir, name, O_PATH);
	struct stat st;

	/* Opening anything else could have an effect. */
	if (place < 0 || fstat(place, &st) != 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return;
	auto_fd fd = open_below(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		clear_flags(fd);
}

/* Opens a directory such that its entries can be read and removed. */
static int
open_dir(int dir, const char *name)
{
	auto_fd place = open_below(dir, name, O_PATH | O_DIRECTORY);
	char path[32];
	struct stat st;

	if (place < 0 || fstat(place, &st) != 0)
		return -1;
	if ((st.st_mode & S_IRWXU) != S_IRWXU) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
		(void)chmod(path, (st.st_mode & 07777) | S_IRWXU);
	}
	return openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
parent_of(const struct cleaner *k)
{
	return k->depth < 2 ? k->dir : dirfd(k->levels[k->depth - 2].entries);
}

/* Goes into a directory. 0 or -1/errno. */
static int
descend(struct cleaner *k, int dir, const char *name)
{
	struct level *l = &k->levels[k->depth];
	auto_fd fd = open_dir(dir, name);

	if (fd < 0)
		return -1;
	l->entries = fdopendir(fd);
	if (l->entries == NULL)
		return -1;
	(void)sys_take(&fd);
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	l->stuck = l->removed = false;
	k->depth++;
	return 0;
}

/* What is too deep gets a name of its own in the directory at the top. */
static int
move_up(struct cleaner *k, int dir, const char *name)
{
	char random[STATE_RANDOM + 1] = "", fresh[STATE_RANDOM + 6];
	char **more =
	    realloc(k->moved, (k->moved_count + 1) * sizeof(*k->moved));

	if (more == NULL || state_random(random, STATE_RANDOM) != 0)
		return -1;
	k->moved = more;
	(void)snprintf(fresh, sizeof(fresh), "part-%s", random);
	/* Its "..", which changes, takes the right to write. */
	auto_fd fd = open_dir(dir, name);
	if (fd < 0)
		return -1;
	/* Where all of the state is a project, strangers cannot come there. */
	if (renameat(dir, name, k->dir, fresh) != 0 &&
	    (errno != EXDEV || project_join(fd, k->dir) != 0 ||
		renameat(dir, name, k->dir, fresh) != 0))
		return -1;
	k->moved[k->moved_count] = strdup(fresh);
	if (k->moved[k->moved_count] == NULL)
		fail_memory();
	k->moved_count++;
	return 0;
}

/* 0, or -1/errno: EISDIR for a directory with something in it. */
static int
remove_once(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return -1;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		errno = EISDIR;
	return -1;
}

static void
remove_entry(struct cleaner *k, const char *name)
{
	struct level *l = &k->levels[k->depth - 1];
	int dir = dirfd(l->entries);
	int r = remove_once(dir, name);

	if (r != 0 && errno == EPERM) {
		clear_flags(dir);
		clear_entry(dir, name);
		r = remove_once(dir, name);
	}
	if (r == 0 || errno == ENOENT) {
		l->removed = true;
		return;
	}
	if (errno == EISDIR) {
		if (k->depth < DEPTH_MAX)
			r = descend(k, dir, name);
		else
			r = move_up(k, dir, name);
		if (r == 0)
			l->removed = true;
		if (r == 0 || errno == ENOENT)
			return;
	}
	stick(k, name, errno == EXDEV ? EBUSY : errno);
}

/* The last entry was read: the directory itself goes. */
static void
ascend(struct cleaner *k)
{
	struct level *l = &k->levels[k->depth - 1];
	int dir = parent_of(k), r;

	/* Some file systems pass over entries while others are removed. */
	r = l->stuck ? 0 : unlinkat(dir, l->name, AT_REMOVEDIR);
	if (r != 0 && errno == EPERM) {
		clear_flags(dirfd(l->entries));
		clear_entry(dir, l->name);
		r = unlinkat(dir, l->name, AT_REMOVEDIR);
	}
	if (r != 0 && errno == ENOTEMPTY && l->removed) {
		l->removed = false;
		rewinddir(l->entries);
		return;
	}
	bool stuck = l->stuck;
	(void)closedir(l->entries);
	k->depth--;
	if (stuck && k->depth > 0)
		k->levels[k->depth - 1].stuck = true;
	if (r != 0 && errno != ENOENT)
		stick(k, l->name, errno);
}

/* False when the budget is used up. */
static bool
clean(struct cleaner *k, const char *name)
{
	const struct dirent *e;

	if (remove_once(k->dir, name) == 0 || errno == ENOENT)
		return true;
	if (descend(k, k->dir, name) != 0) {
		/* Who deleted it may be at it as well. */
		if (errno != ENOENT)
			stick(k, name, errno == EXDEV ? EBUSY : errno);
		return true;
	}
	while (k->depth > 0) {
		e = readdir(k->levels[k->depth - 1].entries);
		if (e == NULL) {
			ascend(k);
			continue;
		}
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (k->budget-- == 0)
			break;
		remove_entry(k, e->d_name);
	}
	bool finished = k->depth == 0;
	while (k->depth > 0)
		(void)closedir(k->levels[--k->depth].entries);
	return finished;
}

enum trash_result
trash_tree(int dir, const char *name, uint64_t budget,
    void (*problem)(const char *name, int error))
{
	struct cleaner *k = calloc(1, sizeof(*k));
	enum trash_result r;
	bool finished;

	if (k == NULL)
		fail_memory();
	k->dir = dir;
	k->budget = budget;
	k->problem = problem;
	finished = clean(k, name);
	/* More are added while they are gone through. */
	for (size_t i = 0; i < k->moved_count; i++) {
		finished = finished && clean(k, k->moved[i]);
		free(k->moved[i]);
	}
	r = k->failed ? TRASH_FAILED : finished ? TRASH_GONE : TRASH_LEFT;
	free(k->moved);
	free(k);
	return r;
}
