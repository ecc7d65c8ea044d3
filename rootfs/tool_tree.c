#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"
#include "tool.h"

#define DEPTH_MAX 1024
#define LATE_MAX 4000000

struct late {
	char *name;
	struct owner owner;
};

/* A map of one line for one id; with ranges of /etc/subuid there are more. */
static bool
has_one_id(void)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, count, ids = 0;

	if (f == NULL)
		tool_die("/proc/self/uid_map: %s", strerror(errno));
	while (fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3)
		ids += count;
	(void)fclose(f);
	return ids == 1;
}

void
tree_open(struct tree *t, const char *path, bool user_xattr, const char *below)
{
	memset(t, 0, sizeof(*t));
	t->dir = t->below = -1;
	if (strcmp(below, "-") != 0 &&
	    (t->below = open(below, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		tool_die("open %s: %s", below, strerror(errno));
	t->user_xattr = user_xattr;
	t->one_id = has_one_id();
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		tool_die("mkdir %s: %s", path, strerror(errno));
	t->root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->root < 0)
		tool_die("open %s: %s", path, strerror(errno));
}

/*
 * An archive's name in one form: parts without "." and "" between them; ".."
 * is refused. Changed in place.
 */
static void
normalize(char *name)
{
	char *to = name, *from = name;
	int depth = 0;

	while (*from != '\0') {
		size_t len = strcspn(from, "/");

		if (len == 2 && from[0] == '.' && from[1] == '.')
			tool_die("'%s': a name with '..'", tool_quote(name));
		if (len > NAME_MAX)
			tool_die("'%s': a name of more than %d bytes",
			    tool_quote(name), NAME_MAX);
		if (len > 0 && !(len == 1 && *from == '.')) {
			if (to != name)
				*to++ = '/';
			memmove(to, from, len);
			to += len;
			if (++depth > DEPTH_MAX)
				tool_die("more than %d levels", DEPTH_MAX);
		}
		from += len;
		from += strspn(from, "/");
	}
	*to = '\0';
}

static void
enter_directory(struct tree *t, const char *path)
{
	char resolved[PATH_MAX];

	if (t->asked != NULL && strcmp(t->asked, path) == 0)
		return;
	free(t->asked);
	free(t->parent);
	sys_close(&t->dir);
	t->dir = tree_open_directory(t, path, resolved);
	if (t->dir < 0)
		tool_die("'%s': %s", tool_quote(path), strerror(errno));
	t->asked = strdup(path);
	t->parent = strdup(resolved);
	if (t->asked == NULL || t->parent == NULL)
		tool_die("no memory");
}

const char *
tree_enter(struct tree *t, const char *name)
{
	static char text[PATH_MAX], *slash;

	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	if (snprintf(text, sizeof(text), "%s", name) >= (int)sizeof(text))
		tool_die("'%s': a path of more than %d bytes", tool_quote(name),
		    PATH_MAX - 1);
	normalize(text);
	slash = strrchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	enter_directory(t, slash != NULL ? text : "");
	if (slash == NULL)
		return *text != '\0' ? text : NULL;
	return slash + 1;
}

/* What was opened below may be gone: the directory is looked up anew. */
static void
forget(struct tree *t)
{
	free(t->asked);
	free(t->parent);
	t->asked = t->parent = NULL;
	sys_close(&t->dir);
	t->dir = -1;
}

static void
remove_all(int dir, const char *name, int depth)
{
	const struct dirent *e;
	DIR *d;
	int fd;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL || depth > DEPTH_MAX)
		tool_die("replace '%s': %s", tool_quote(name), strerror(errno));
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			remove_all(fd, e->d_name, depth + 1);
	}
	(void)closedir(d);
	if (unlinkat(dir, name, AT_REMOVEDIR) != 0)
		tool_die("replace '%s': %s", tool_quote(name), strerror(errno));
}

bool
tree_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* Takes away what has this name. Was it a whiteout? */
static bool
make_room(struct tree *t, const char *base)
{
	struct stat st;

	if (fstatat(t->dir, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	remove_all(t->dir, base, 0);
	return tree_is_whiteout(&st);
}

/* The owner and the mode of what is open, or of base in t->dir. */
void
tree_set_owner(
    struct tree *t, int fd, const char *base, const struct owner *o, bool link)
{
	int r;

	if (!t->one_id) {
		if (o->uid > 65535 || o->gid > 65535)
			tool_die("'%s' belongs to %llu:%llu, and an image has "
				 "no ids beyond 65535",
			    tool_quote(t->name), (unsigned long long)o->uid,
			    (unsigned long long)o->gid);
		r = fchownat(fd, base, (uid_t)o->uid, (gid_t)o->gid,
		    *base == '\0' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW);
		if (r != 0)
			tool_die("chown '%s': %s", tool_quote(base),
			    strerror(errno));
	}
	if (link)
		return;
	r = *base == '\0' ? fchmod(fd, o->mode & 07777)
			  : fchmodat(fd, base, o->mode & 07777, 0);
	if (r != 0)
		tool_die("chmod '%s': %s", tool_quote(base), strerror(errno));
}

static void
set_time(int fd, const char *base, const struct owner *o)
{
	struct timespec times[] = { o->mtime, o->mtime };
	int r = *base == '\0' ? futimens(fd, times)
			      : utimensat(fd, base, times, AT_SYMLINK_NOFOLLOW);

	if (r != 0)
		tool_die("set the time of '%s': %s", tool_quote(base),
		    strerror(errno));
}

/* What is made in a directory later would change its time. */
void
tree_remember(struct tree *t, const char *name, const struct owner *o)
{
	if (t->late_count == t->late_size) {
		t->late_size = t->late_size * 2 + 256;
		t->late = realloc(t->late, t->late_size * sizeof(*t->late));
	}
	if (t->late_count == LATE_MAX || t->late == NULL ||
	    (t->late[t->late_count].name = strdup(name)) == NULL)
		tool_die("too many directories");
	t->late[t->late_count++].owner = *o;
}

/* base is NULL for the tree itself. */
void
tree_directory(
    struct tree *t, const char *name, const char *base, const struct owner *o)
{
	char path[PATH_MAX] = "";
	struct stat st;
	bool hides = false;

	if (base != NULL) {
		if (fstatat(t->dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISDIR(st.st_mode))
			hides = make_room(t, base);
		if (mkdirat(t->dir, base, 0700) != 0 && errno != EEXIST)
			tool_die("mkdir '%s': %s", tool_quote(name),
			    strerror(errno));
		tree_set_owner(t, t->dir, base, o, false);
	}
	/*
	 * The root itself is shown to nobody, as there is a directory of the
	 * run over it; and whoever makes the run has to get there.
	 */
	if (base != NULL && snprintf(path, sizeof(path), "%s/%s", t->parent,
				base) >= (int)sizeof(path))
		tool_die("'%s': a path of more than %d bytes", tool_quote(name),
		    PATH_MAX - 1);
	tree_remember(t, path, o);
	if (hides)
		tree_opaque(t, path);
}

int
tree_file(struct tree *t, const char *base)
{
	int fd;

	(void)make_room(t, base);
	fd = openat(t->dir, base,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		tool_die("make '%s': %s", tool_quote(base), strerror(errno));
	return fd;
}

void
tree_finish_file(struct tree *t, int fd, const struct owner *o)
{
	tree_set_owner(t, fd, "", o, false);
	set_time(fd, "", o);
	if (close(fd) != 0)
		tool_die("close: %s", strerror(errno));
}

void
tree_symlink(
    struct tree *t, const char *base, const char *target, const struct owner *o)
{
	(void)make_room(t, base);
	if (symlinkat(target, t->dir, base) != 0)
		tool_die("link '%s': %s", tool_quote(base), strerror(errno));
	tree_set_owner(t, t->dir, base, o, true);
	set_time(t->dir, base, o);
}

void
tree_fifo(struct tree *t, const char *base, const struct owner *o)
{
	(void)make_room(t, base);
	if (mkfifoat(t->dir, base, 0600) != 0)
		tool_die("mkfifo '%s': %s", tool_quote(base), strerror(errno));
	tree_set_owner(t, t->dir, base, o, false);
	set_time(t->dir, base, o);
}

/* The target is a name of the archive's as well, and stands in the tree. */
void
tree_link(struct tree *t, const char *name, const char *target)
{
	char from[NAME_MAX + 1];
	const char *base = tree_enter(t, target);
	struct stat st;

	if (base == NULL)
		tool_die("'%s': a link to nothing", tool_quote(name));
	(void)snprintf(from, sizeof(from), "%s", base);
	auto_fd dir = fcntl(t->dir, F_DUPFD_CLOEXEC, 0);
	if (dir < 0 || fstatat(dir, from, &st, AT_SYMLINK_NOFOLLOW) != 0)
		tool_die(
		    "'%s': a link to what is not there", tool_quote(target));
	base = tree_enter(t, name);
	if (base == NULL || S_ISDIR(st.st_mode) || tree_is_whiteout(&st))
		tool_die("'%s': a link to a directory", tool_quote(name));
	if (strcmp(base, from) == 0) {
		struct stat own;

		/* Of itself: to make room for it would remove it. */
		if (fstatat(t->dir, base, &own, AT_SYMLINK_NOFOLLOW) == 0 &&
		    own.st_dev == st.st_dev && own.st_ino == st.st_ino)
			return;
	}
	(void)make_room(t, base);
	if (linkat(dir, from, t->dir, base, 0) != 0)
		tool_die("link '%s': %s", tool_quote(name), strerror(errno));
}

/*
 * Where a directory is in one layer alone, the overlay lists what is in it
 * without asking whether it is a whiteout, unless it came from another one.
 */
static void
mark_whiteouts(struct tree *t)
{
	if (t->marked != NULL && strcmp(t->marked, t->parent) == 0)
		return;
	free(t->marked);
	if ((t->marked = strdup(t->parent)) == NULL)
		tool_die("no memory");
	if (!t->user_xattr)
		tool_say(
		    "whiteouts", "%s", *t->parent == '\0' ? "." : t->parent);
	else if (fsetxattr(t->dir, "user.overlay.origin", "", 0, 0) != 0)
		tool_die(
		    "mark '%s': %s", tool_quote(t->parent), strerror(errno));
}

/* For the layers below alone: what this one has of that name stays. */
void
tree_whiteout(struct tree *t, const char *name, const char *base)
{
	struct stat st;

	if (*base == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		tool_die("'%s': a whiteout of nothing", tool_quote(name));
	if (fstatat(t->dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		char *dir;

		if (!S_ISDIR(st.st_mode))
			return;
		if (asprintf(&dir, "%s/%s", t->parent, base) < 0)
			tool_die("no memory");
		tree_opaque(t, dir);
		free(dir);
	} else if (mknodat(t->dir, base, S_IFCHR, makedev(0, 0)) != 0) {
		tool_die(
		    "whiteout '%s': %s", tool_quote(name), strerror(errno));
	} else {
		mark_whiteouts(t);
	}
}

void
tree_opaque(struct tree *t, const char *dir)
{
	const char *path = dir;

	path += strspn(path, "/");
	if (!t->user_xattr) {
		/* That takes a right over the whole host. */
		tool_say("opaque", "%s", *path == '\0' ? "." : path);
		return;
	}
	auto_fd fd = sys_openat2(t->root, *path == '\0' ? "." : path,
	    O_RDONLY | O_DIRECTORY, TREE_RESOLVE);
	if (fd < 0 || fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) != 0)
		tool_die(
		    "make '%s' opaque: %s", tool_quote(path), strerror(errno));
}

/* In the order of the archive: of an entry that comes twice the last counts. */
void
tree_close(struct tree *t)
{
	forget(t);
	for (size_t i = 0; i < t->late_count; i++) {
		struct late *l = &t->late[i];
		const char *path = l->name + strspn(l->name, "/");
		auto_fd fd = sys_openat2(t->root, *path == '\0' ? "." : path,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW, TREE_RESOLVE);

		/* What has been replaced has its own. */
		if (fd >= 0)
			set_time(fd, "", &l->owner);
		free(l->name);
	}
	free(t->late);
	(void)close(t->root);
	sys_close(&t->below);
}
