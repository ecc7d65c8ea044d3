#include <sys/stat.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "deputy.h"
#include "ids.h"
#include "stack.h"
#include "sys.h"

#define NAMES_MAX 65536
#define VALUE_MAX 65536

/* For deputy_try(). */
struct copy {
	int from, dir;
	const char *name;
};

/* The overlay's own say what the directory was to it, and are not the root's.
 */
static bool
is_kept(const char *name)
{
	return (strncmp(name, "user.", 5) == 0 &&
		   strncmp(name, "user.overlay.", 13) != 0) ||
	       strncmp(name, "system.posix_acl_", 17) == 0;
}

/* What `to` has of them goes first. 0 or an errno value. */
static int
copy_xattrs(const char *from, const char *to)
{
	static char names[NAMES_MAX], value[VALUE_MAX];
	ssize_t len = listxattr(to, names, sizeof(names)), size;

	for (const char *n = names; n < names + len; n += strlen(n) + 1) {
		if (is_kept(n) && removexattr(to, n) != 0)
			return errno;
	}
	len = listxattr(from, names, sizeof(names));
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : errno;
	for (const char *n = names; n < names + len; n += strlen(n) + 1) {
		if (!is_kept(n))
			continue;
		size = getxattr(from, n, value, sizeof(value));
		if (size < 0 || setxattr(to, n, value, (size_t)size, 0) != 0)
			return errno;
	}
	return 0;
}

/* Has b those of a that are kept? NULL has none. */
static bool
has_all(const char *a, const char *b)
{
	static char names[NAMES_MAX], one[VALUE_MAX], other[VALUE_MAX];
	ssize_t len = listxattr(a, names, sizeof(names)), size;
	const char *end = names + (len > 0 ? len : 0);

	for (const char *n = names; n < end; n += strlen(n) + 1) {
		if (!is_kept(n))
			continue;
		if (b == NULL)
			return false;
		size = getxattr(a, n, one, sizeof(one));
		if (size < 0 || getxattr(b, n, other, sizeof(other)) != size ||
		    memcmp(one, other, (size_t)size) != 0)
			return false;
	}
	return len >= 0 || errno == EOPNOTSUPP;
}

bool
stack_is_like(int root, int below)
{
	char a[32], b[32];

	(void)snprintf(a, sizeof(a), "/proc/self/fd/%d", root);
	if (below < 0)
		return has_all(a, NULL);
	(void)snprintf(b, sizeof(b), "/proc/self/fd/%d", below);
	return has_all(a, b) && has_all(b, a);
}

int
stack_copy_attributes(int from, int to)
{
	char source[32], target[32];
	struct timespec times[2];
	struct stat st;
	int error;

	if (fstat(from, &st) != 0)
		return errno;
	/* Descriptors of O_PATH have attributes by their names alone. */
	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", from);
	(void)snprintf(target, sizeof(target), "/proc/self/fd/%d", to);
	error = copy_xattrs(source, target);
	if (error != 0)
		return error;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	/* A new owner takes bits away, and the right to set them. */
	if (fchownat(to, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) != 0 ||
	    chmod(target, st.st_mode & 07777) != 0 ||
	    utimensat(AT_FDCWD, target, times, 0) != 0)
		return errno;
	return 0;
}

static int
copy_root(void *context)
{
	const struct copy *k = context;
	auto_fd fd = openat(
	    k->dir, k->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? errno : stack_copy_attributes(k->from, fd);
}

int
stack_copy_root(const struct config *c, int from, int dir, const char *name)
{
	struct copy k = { from, dir, name };

	return deputy_try(c, copy_root, &k);
}

int
stack_open_layer(const struct state *st, const char *layer)
{
	char path[IMAGE_LAYER_MAX + sizeof("layers/")];

	(void)snprintf(path, sizeof(path), "layers/%s", layer);
	return openat(
	    st->dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* For deputy_try(): dir and name of a layer whose owner it shall be. */
static int
own_root(void *context)
{
	const struct copy *k = context;
	struct stat st;

	if (fstatat(k->dir, k->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (st.st_uid == geteuid() && (st.st_mode & 0700) == 0700)
		return 0;
	return fchownat(k->dir, k->name, geteuid(), getegid(),
		   AT_SYMLINK_NOFOLLOW) != 0 ||
		       fchmodat(
			   k->dir, k->name, (st.st_mode & 07777) | 0700, 0) != 0
		   ? errno
		   : 0;
}

/*
 * A run can give its root to another user, and an ordinary user has to lock
 * the layer, which takes opening it. `upper` has what the root was.
 */
int
stack_reach(const struct config *c, const struct state *st, const char *id)
{
	auto_fd layers = openat(st->dir, "layers/id", OPEN_DIR);
	struct copy k = { -1, layers, id };

	if (ids_privileged())
		return 0;
	return layers < 0 ? -1 : deputy_try(c, own_root, &k);
}
