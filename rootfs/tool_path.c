/*
 * Where an archive's names lead. A layer need not have all the directories that
 * lead to its files: what it has is meant to be in those of the layers below,
 * with their owners and modes, and where one of them is a link, where that
 * leads. A directory of the layer's own would hide them.
 */
#include <sys/stat.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"
#include "tool.h"

#define LINKS_MAX 40

/* A path that is being walked. */
struct walk {
	char at[PATH_MAX]; /* as far as it is: "/a/b", of directories */
	char rest[PATH_MAX];
	int links;
	bool led; /* a link of the layer's own has led here */
};

/* A file of the tree, or below it; its path has no links. -1/errno. */
static int
look(int root, const char *path, struct stat *st)
{
	int fd = sys_openat2(root, path + 1, O_PATH | O_NOFOLLOW,
	    TREE_RESOLVE | RESOLVE_NO_SYMLINKS);

	if (fd >= 0 && fstat(fd, st) != 0)
		sys_close(&fd);
	return fd;
}

/* Of a directory of the tree. */
static int
open_at(const struct tree *t, const char *at)
{
	return sys_openat2(t->root, *at == '\0' ? "." : at + 1,
	    O_RDONLY | O_DIRECTORY, TREE_RESOLVE | RESOLVE_NO_SYMLINKS);
}

void
tree_copy_attributes(int from, int to)
{
	static char names[65536], value[65536];
	ssize_t len = flistxattr(from, names, sizeof(names)), size;

	for (char *n = names; len > 0 && n < names + len; n += strlen(n) + 1) {
		if (strncmp(n, "user.", 5) != 0 ||
		    strncmp(n, "user.overlay.", 13) == 0)
			continue;
		size = fgetxattr(from, n, value, sizeof(value));
		if (size >= 0 && fsetxattr(to, n, value, (size_t)size, 0) != 0)
			tool_die("attribute '%s': %s", tool_quote(n),
			    strerror(errno));
	}
}

/* As the one below is, which next is the path of. */
static void
take_after(struct tree *t, int dir, const char *base, const char *next)
{
	struct stat st;
	struct owner o;
	auto_fd below =
	    sys_openat2(t->below, next + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		TREE_RESOLVE | RESOLVE_NO_SYMLINKS);
	auto_fd own =
	    openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (below < 0 || own < 0 || fstat(below, &st) != 0)
		tool_die("open '%s': %s", tool_quote(next), strerror(errno));
	o = (struct owner){ .mode = st.st_mode,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.mtime = st.st_mtim };
	tree_copy_attributes(below, own);
	tree_set_owner(t, dir, base, &o, false);
	tree_remember(t, next, &o);
}

/* Makes next, in the directory that has been walked to. 0 or -1/errno. */
static int
make(struct tree *t, struct walk *w, const char *next, bool is_below)
{
	const char *base = strrchr(next, '/') + 1;
	auto_fd dir = open_at(t, w->at);

	if (dir < 0 || mkdirat(dir, base, 0755) != 0)
		return -1;
	t->implied_count++;
	if (is_below)
		take_after(t, dir, base, next);
	(void)strcpy(w->at, next);
	return 0;
}

/* What was removed of the layers below is not to come back. 0 or -1/errno. */
static int
replace_whiteout(struct tree *t, struct walk *w, const char *next)
{
	auto_fd dir = open_at(t, w->at);

	if (dir < 0 || unlinkat(dir, strrchr(next, '/') + 1, 0) != 0 ||
	    make(t, w, next, false) != 0)
		return -1;
	tree_opaque(t, next);
	return 0;
}

/* A link stands for where it leads, within the root. 0 or -1/errno. */
static int
follow(struct walk *w, int link)
{
	char target[PATH_MAX], rest[2 * PATH_MAX];
	ssize_t len = readlinkat(link, "", target, sizeof(target) - 1);

	if (len < 0)
		return -1;
	target[len] = '\0';
	errno = ELOOP;
	if (++w->links > LINKS_MAX)
		return -1;
	errno = ENAMETOOLONG;
	if (snprintf(rest, sizeof(rest), "%s/%s", target, w->rest) >=
	    (int)sizeof(w->rest))
		return -1;
	(void)strcpy(w->rest, rest);
	if (*target == '/')
		*w->at = '\0';
	return 0;
}

/* What the tree does not have: as it is below, if it is. 0 or -1/errno. */
static int
step_below(struct tree *t, struct walk *w, const char *next)
{
	struct stat st = { 0 };
	auto_fd fd = t->below >= 0 ? look(t->below, next, &st) : -1;

	/* What the layer is depends on what it lies on. */
	t->implied = true;
	errno = ENOENT;
	if (fd < 0 && w->led)
		return -1;
	if (fd >= 0 && S_ISLNK(st.st_mode))
		return follow(w, fd);
	return make(t, w, next, fd >= 0 && S_ISDIR(st.st_mode));
}

/* One part of the path further, to next. 0 or -1/errno. */
static int
step(struct tree *t, struct walk *w, const char *next)
{
	struct stat st;
	auto_fd fd = look(t->root, next, &st);
	int r = 0;

	if (fd < 0 && errno != ENOENT)
		return -1;
	if (fd >= 0 && S_ISLNK(st.st_mode)) {
		w->led = true;
		return follow(w, fd);
	}
	errno = ENOTDIR;
	if (fd < 0) {
		r = step_below(t, w, next);
	} else if (tree_is_whiteout(&st)) {
		r = replace_whiteout(t, w, next);
	} else if (S_ISDIR(st.st_mode)) {
		(void)strcpy(w->at, next);
	} else {
		r = -1;
	}
	return r;
}

/* The next part of what is left of the path; -1/errno for one too long. */
static int
take_part(struct walk *w, char *next, bool *ret_any)
{
	const char *from = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(from, "/");
	char *slash = strrchr(w->at, '/');
	int n;

	*ret_any = false;
	if (len == 2 && memcmp(from, "..", 2) == 0) {
		if (slash != NULL)
			*slash = '\0';
	} else if (len > 0 && (len > 1 || *from != '.')) {
		*ret_any = true;
		n = snprintf(next, PATH_MAX, "%s/%.*s", w->at, (int)len, from);
		errno = ENAMETOOLONG;
		if (n >= PATH_MAX)
			return -1;
	}
	memmove(w->rest, from + len, strlen(from + len) + 1);
	return 0;
}

int
tree_open_directory(struct tree *t, const char *path, char *resolved)
{
	static struct walk w;
	char next[PATH_MAX];
	bool any;
	int fd = sys_openat2(t->root, *path == '\0' ? "." : path,
	    O_RDONLY | O_DIRECTORY, TREE_RESOLVE);

	(void)snprintf(resolved, PATH_MAX, "%s", path);
	if (fd >= 0 || (errno != ENOENT && errno != ENOTDIR))
		return fd;
	memset(&w, 0, sizeof(w));
	(void)snprintf(w.rest, sizeof(w.rest), "%s", path);
	while (*w.rest != '\0') {
		if (take_part(&w, next, &any) != 0 ||
		    (any && step(t, &w, next) != 0))
			return -1;
	}
	(void)snprintf(resolved, PATH_MAX, "%s", w.at);
	return open_at(t, w.at);
}
