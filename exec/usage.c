#include "usage.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* Directories open at once; those above are opened again on the way back. */
#define OPEN_MAX_DIRS 32

/*
 * A file counts with 1/n under each of its n names; sums are in parts of an
 * inode, and of a sector of 512 bytes.
 */
#define PARTS (UINT64_C(1) << 20)

/* A directory that is being read. */
struct level {
	DIR *entries; /* or NULL: closed, to be read on from place */
	long place;
	dev_t dev;
	ino_t ino;
};

struct walk {
	struct level *levels;
	size_t depth, size;
	uint64_t sectors, inodes;
	bool denied; /* there is something that cannot be read */
};

/* Never what is mounted there, nor through a link. */
static int
open_dir(int dir, const char *name)
{
	return sys_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

static void
add(struct walk *w, const struct stat *st)
{
	uint64_t names =
	    S_ISDIR(st->st_mode) || st->st_nlink < 1 ? 1 : st->st_nlink;

	w->sectors += (uint64_t)st->st_blocks * PARTS / names;
	w->inodes += PARTS / names;
}

bool
usage_is_more(const struct usage *u, const struct usage *most)
{
	return u->kb > most->kb || u->inodes > most->inodes;
}

static uint64_t
whole(uint64_t parts, uint64_t one)
{
	return parts / one + (parts % one != 0);
}

static struct usage
sum(const struct walk *w)
{
	return (struct usage){ .kb = whole(w->sectors, 2 * PARTS),
		.inodes = whole(w->inodes, PARTS) };
}

/* Room for one more level. 0 or -1/errno. */
static int
grow(struct walk *w)
{
	size_t size = w->size == 0 ? 64 : 2 * w->size;
	struct level *more;

	if (w->depth < w->size)
		return 0;
	more = realloc(w->levels, size * sizeof(*more));
	if (more == NULL)
		return -1;
	w->levels = more;
	w->size = size;
	return 0;
}

/* Goes into the directory at fd, which it takes. 0 or -1/errno. */
static int
descend(struct walk *w, int fd)
{
	auto_fd own = fd;
	struct level *l, *above;
	struct stat st;

	if (grow(w) != 0 || fstat(own, &st) != 0)
		return -1;
	l = &w->levels[w->depth];
	*l = (struct level){ .dev = st.st_dev, .ino = st.st_ino };
	l->entries = fdopendir(own);
	if (l->entries == NULL)
		return -1;
	(void)sys_take(&own);
	w->depth++;
	if (w->depth <= OPEN_MAX_DIRS)
		return 0;
	above = &w->levels[w->depth - 1 - OPEN_MAX_DIRS];
	if (above->entries != NULL) {
		above->place = telldir(above->entries);
		(void)closedir(above->entries);
		above->entries = NULL;
	}
	return 0;
}

/* Back to the directory above, which may have to be opened anew. */
static int
ascend(struct walk *w)
{
	struct level *l = &w->levels[--w->depth];
	struct level *above = l - 1;
	auto_fd up = -1;
	struct stat st;

	if (w->depth > 0 && above->entries == NULL)
		up = openat(dirfd(l->entries), "..",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)closedir(l->entries);
	if (w->depth == 0 || above->entries != NULL)
		return 0;
	if (up < 0 || fstat(up, &st) != 0)
		return -1;
	if (st.st_dev != above->dev || st.st_ino != above->ino) {
		errno = ESTALE;
		return -1;
	}
	above->entries = fdopendir(up);
	if (above->entries == NULL)
		return -1;
	(void)sys_take(&up);
	seekdir(above->entries, above->place);
	return 0;
}

/* Counts one entry of dir, and goes into it if it is a directory. */
static int
look(struct walk *w, int dir, const char *name)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	add(w, &st);
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = open_dir(dir, name);
	if (fd >= 0)
		return descend(w, fd);
	if (errno == EACCES)
		w->denied = true;
	/* Gone or replaced since; or a mount, which is not its own. */
	return errno == EACCES || errno == ENOENT || errno == ENOTDIR ||
		       errno == ELOOP || errno == EXDEV
		   ? 0
		   : -1;
}

static bool
is_more(const struct walk *w, const struct usage *most)
{
	struct usage u = sum(w);

	return most != NULL && usage_is_more(&u, most);
}

/* The tree, to its end or until it is more than most. */
static int
count_tree(struct walk *w, int dir, const char *name, const struct usage *most)
{
	const struct dirent *e;
	struct level *l;

	if (look(w, dir, name) != 0)
		return -1;
	while (w->depth > 0 && !is_more(w, most)) {
		l = &w->levels[w->depth - 1];
		errno = 0;
		e = readdir(l->entries);
		if (e == NULL && errno != 0)
			return -1;
		if (e == NULL) {
			if (ascend(w) != 0)
				return -1;
		} else if (strcmp(e->d_name, ".") != 0 &&
			   strcmp(e->d_name, "..") != 0 &&
			   look(w, dirfd(l->entries), e->d_name) != 0) {
			return -1;
		}
	}
	return 0;
}

int
usage_count(int dir, const char *const *names, const struct usage *most,
    struct usage *ret)
{
	struct walk w = { NULL };
	int r = 0, error;

	while (*names != NULL && r == 0 && !is_more(&w, most))
		r = count_tree(&w, dir, *names++, most);
	error = errno;
	while (w.depth > 0) {
		const struct level *l = &w.levels[--w.depth];

		if (l->entries != NULL)
			(void)closedir(l->entries);
	}
	free(w.levels);
	*ret = sum(&w);
	errno = w.denied ? EACCES : error;
	return r != 0 || (w.denied && !is_more(&w, most)) ? -1 : 0;
}
