#include "merge.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "deputy.h"
#include "ids.h"
#include "stack.h"
#include "sys.h"
#include "trash.h"

/* Directories within each other, with two descriptors each. */
#define DEPTH_MAX 200

struct merge {
	const struct config *config;
	int layers, to;
	const char *const *names;
	size_t count;
	const char *opaque, *origin; /* the names of the attributes */
};

/* What lies below at its name is not there. */
static bool
is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* And of a directory: nothing of what lies below it. 1, 0, or -1/errno. */
static int
is_opaque(const struct merge *m, int fd)
{
	char value = 0;

	if (fgetxattr(fd, m->opaque, &value, 1) == 1)
		return value == 'y';
	return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -1;
}

/* It was there below, and the overlay has copied it up. 1, 0, or -1/errno. */
static int
has_origin(const struct merge *m, int fd)
{
	if (fgetxattr(fd, m->origin, NULL, 0) >= 0)
		return 1;
	return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -1;
}

/*
 * Nothing of what lies below all layers is there: it says so, or it was made
 * anew. 1, 0, or -1/errno.
 */
static int
is_pure(const struct merge *m, int fd)
{
	int opaque = is_opaque(m, fd), origin;

	if (opaque != 0)
		return opaque;
	origin = has_origin(m, fd);
	return origin < 0 ? -1 : !origin;
}

static int
open_dir(int dir, const char *name)
{
	return sys_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* Takes away what lower layers have brought. 0 or -1/errno. */
static int
clear(int dir, const char *name, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode))
		return unlinkat(dir, name, 0);
	errno = EBUSY;
	return trash_tree(dir, name, UINT64_MAX, NULL) == TRASH_GONE ? 0 : -1;
}

static int merge_dir(const struct merge *m, int from, int to, int depth);

/* A directory, into the one of that name that lower layers may have. */
static int
put_dir(const struct merge *m, int from, int to, const char *name, int depth)
{
	struct stat st;
	bool is_there = fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	auto_fd source = open_dir(from, name);
	int opaque, origin;

	if (source < 0 || (!is_there && errno != ENOENT))
		return -1;
	opaque = is_opaque(m, source);
	origin = has_origin(m, source);
	if (opaque < 0 || origin < 0)
		return -1;
	/* What is no directory hides what lies below, and so must this. */
	if (is_there && (opaque == 1 || !S_ISDIR(st.st_mode))) {
		if (clear(to, name, &st) != 0)
			return -1;
		is_there = false;
		opaque = 1;
	}
	if (!is_there && mkdirat(to, name, 0700) != 0)
		return -1;
	auto_fd target = open_dir(to, name);
	/* Where it came from matters no more: that it came does. */
	if (target < 0 ||
	    (!is_there && opaque == 0 && origin == 1 &&
		fsetxattr(target, m->origin, "", 0, 0) != 0) ||
	    (opaque == 1 && fsetxattr(target, m->opaque, "y", 1, 0) != 0) ||
	    merge_dir(m, source, target, depth + 1) != 0)
		return -1;
	return 0;
}

static int
put(const struct merge *m, int from, int to, const char *name, int depth)
{
	struct stat st, old;
	int pure = 0;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return put_dir(m, from, to, name, depth);
	/* There an overlay does not look for whiteouts, and would show it. */
	if (is_whiteout(&st) && depth > 0)
		pure = is_pure(m, to);
	if (pure < 0)
		return -1;
	if (fstatat(to, name, &old, AT_SYMLINK_NOFOLLOW) == 0) {
		if (clear(to, name, &old) != 0)
			return -1;
	} else if (errno != ENOENT) {
		return -1;
	}
	if (pure == 1)
		return 0;
	/* An overlay shares one whiteout until it has too many names. */
	if (linkat(from, name, to, name, 0) != 0)
		return errno == EMLINK && is_whiteout(&st)
			   ? mknodat(to, name, S_IFCHR, makedev(0, 0))
			   : -1;
	return 0;
}

/* All that is in one, and what it is itself. */
static int
merge_dir(const struct merge *m, int from, int to, int depth)
{
	auto_fd fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = NULL;
	const struct dirent *e;
	int r = 0, error;

	if (depth > DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	if (fd < 0 || (entries = fdopendir(fd)) == NULL)
		return -1;
	(void)sys_take(&fd);
	while (r == 0 && (errno = 0, e = readdir(entries)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = put(m, from, to, e->d_name, depth);
	}
	error = errno;
	(void)closedir(entries);
	if (r == 0 && error == 0)
		error = stack_copy_attributes(from, to);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* For deputy_run(): 0 or an errno value. */
static int
merge_all(void *context)
{
	const struct merge *m = context;

	for (size_t i = 0; i < m->count; i++) {
		auto_fd from = open_dir(m->layers, m->names[i]);

		if (from < 0 || merge_dir(m, from, m->to, 0) != 0)
			return errno;
	}
	return 0;
}

int
merge_layers(const struct config *c, int layers, const char *const *names,
    size_t n, int to, bool *ret_ever)
{
	struct merge m = { c, layers, to, names, n, "user.overlay.opaque",
		"user.overlay.origin" };
	int error;

	if (ids_privileged()) {
		m.opaque = "trusted.overlay.opaque";
		m.origin = "trusted.overlay.origin";
		error = merge_all(&m);
	} else {
		error = deputy_run(c, merge_all, &m);
		error = error < 0 ? ECHILD : error;
	}
	/* E2BIG: names of attributes, of which more can be set than listed. */
	*ret_ever = error == ELOOP || error == E2BIG || error == EMLINK ||
		    error == EXDEV || error == EPERM || error == EACCES;
	errno = error;
	return error == 0 ? 0 : -1;
}
