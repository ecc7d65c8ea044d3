/*
 * The other way: a tree as an archive. The same tree always gives the same
 * archive: names are in order.
 */
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "sys.h"
#include "tool.h"

#define DEPTH_MAX 1100
#define BLOCK (1 << 18)
#define NOBODY 65534

struct pack {
	struct archive *archive;
	struct archive_entry_linkresolver *links;
	/*
	 * In a directory of which there is but one layer, an overlay lists what
	 * it does not show.
	 */
	bool is_overlay;
	bool is_layer; /* of a layout, where some names are whiteouts */
	bool is_owned; /* and the owners must be an image's */
};

/* Of a layer: the directory as all make it, and the layers below; or -1. */
struct beside {
	int all, below;
};

static void
check(struct pack *p, int r)
{
	if (r < ARCHIVE_WARN)
		tool_die("%s", archive_error_string(p->archive));
}

/* The archive is told of a file's holes, and passes over what stands there. */
static void
put_hole(struct pack *p, off_t len)
{
	static const char zeros[BLOCK];

	while (len > 0) {
		la_ssize_t n = archive_write_data(p->archive, zeros,
		    len < BLOCK ? (size_t)len : (size_t)BLOCK);

		if (n <= 0)
			tool_die("%s", archive_error_string(p->archive));
		len -= n;
	}
}

static void
put_data(struct pack *p, int fd, const char *name, off_t len)
{
	static char buf[BLOCK];

	while (len > 0) {
		ssize_t n =
		    read(fd, buf, len < BLOCK ? (size_t)len : (size_t)BLOCK);

		if (n <= 0)
			tool_die("read '%s': %s", tool_quote(name),
			    n < 0 ? strerror(errno) : "it has become shorter");
		if (archive_write_data(p->archive, buf, (size_t)n) != n)
			tool_die("%s", archive_error_string(p->archive));
		len -= n;
	}
}

static void
copy_data(struct pack *p, int dir, const char *name, struct archive_entry *e)
{
	auto_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	la_int64_t at, len;
	off_t done = 0;

	if (fd < 0)
		tool_die("open '%s': %s", tool_quote(name), strerror(errno));
	if (archive_entry_sparse_reset(e) == 0) {
		put_data(p, fd, name, archive_entry_size(e));
		return;
	}
	while (archive_entry_sparse_next(e, &at, &len) == ARCHIVE_OK) {
		put_hole(p, at - done);
		if (lseek(fd, at, SEEK_SET) != at)
			tool_die(
			    "read '%s': %s", tool_quote(name), strerror(errno));
		put_data(p, fd, name, len);
		done = at + len;
	}
	put_hole(p, archive_entry_size(e) - done);
}

/* Where its data is, if not everywhere. */
static void
put_map(
    struct archive_entry *e, int dir, const char *name, const struct stat *st)
{
	off_t at = 0, end;

	if (!S_ISREG(st->st_mode) || st->st_blocks * 512 >= st->st_size)
		return;
	auto_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	while (fd >= 0 && at < st->st_size &&
	       (at = lseek(fd, at, SEEK_DATA)) >= 0) {
		end = lseek(fd, at, SEEK_HOLE);
		if (end <= at)
			break;
		archive_entry_sparse_add_entry(e, at, end - at);
		at = end;
	}
	if (archive_entry_sparse_count(e) == 0)
		archive_entry_sparse_add_entry(e, st->st_size, 0);
}

/* What cannot be read is lost, unless there is nothing to read. */
static ssize_t
check_attributes(ssize_t len, const char *name)
{
	if (len < 0 && errno != EOPNOTSUPP && errno != ENODATA)
		tool_die("attributes of '%s': %s", tool_quote(name),
		    strerror(errno));
	return len;
}

static void
put_attributes(struct archive_entry *e, int dir, const char *name)
{
	static char list[65536], value[65536];
	char path[64 + NAME_MAX];
	ssize_t len, size;

	/* There is no lgetxattrat(2) as yet. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	len = check_attributes(llistxattr(path, list, sizeof(list)), name);
	for (char *key = list; len > 0 && key < list + len;
	     key += strlen(key) + 1) {
		if (strncmp(key, "user.", 5) != 0 ||
		    strncmp(key, "user.overlay.", 13) == 0)
			continue;
		size = check_attributes(
		    lgetxattr(path, key, value, sizeof(value)), name);
		if (size >= 0)
			archive_entry_xattr_add_entry(
			    e, key, value, (size_t)size);
	}
}

static struct archive_entry *
new_entry(int dir, const char *name, const char *path, const struct stat *st)
{
	struct archive_entry *e = archive_entry_new();
	char target[PATH_MAX];
	ssize_t len;

	if (e == NULL)
		tool_die("no memory");
	archive_entry_copy_stat(e, st);
	archive_entry_set_pathname(e, path);
	archive_entry_unset_atime(e);
	archive_entry_unset_ctime(e);
	if (S_ISLNK(st->st_mode)) {
		len = readlinkat(dir, name, target, sizeof(target) - 1);
		if (len < 0)
			tool_die("readlink '%s': %s", tool_quote(path),
			    strerror(errno));
		target[len] = '\0';
		archive_entry_set_symlink(e, target);
	} else {
		put_attributes(e, dir, name);
		put_map(e, dir, name, st);
	}
	return e;
}

static char *
join(const char *path, const char *prefix, const char *name)
{
	char *next;

	if (asprintf(&next, "%s%s%s%s", path, *path != '\0' ? "/" : "", prefix,
		name) < 0)
		tool_die("no memory");
	return next;
}

static void pack_directory(struct pack *p, int dir, const struct beside *b,
    const char *path, int depth);

/* The directory `name` there, or -1 where it is none. */
static int
open_beside(int dir, const char *name)
{
	return dir < 0 ? -1
		       : openat(dir, name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * Who has no id here is shown as nobody, whom there may be as well. But to a
 * file of nobody's own root may write, where it is not mounted read-only.
 */
static bool
is_foreign(int dir, const char *name, const struct stat *st)
{
	return (st->st_uid == NOBODY || st->st_gid == NOBODY) &&
	       faccessat(dir, name, W_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	       errno == EACCES;
}

/* path is that of name in the archive. */
static void
pack_one(struct pack *p, int dir, const struct beside *b, const char *name,
    const char *path, int depth)
{
	struct archive_entry *e, *sparse = NULL;
	struct stat st;

	if (p->is_layer && strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0)
		tool_die("'%s': in a layout such a name says what is removed",
		    tool_quote(path));
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (p->is_overlay && errno == ENOENT)
			return;
		tool_die("look at '%s': %s", tool_quote(path), strerror(errno));
	}
	if (S_ISSOCK(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return;
	if (p->is_owned && is_foreign(dir, name, &st))
		tool_die("'%s' belongs to an id beyond 65535, which no image "
			 "has, or its file system cannot map owners",
		    tool_quote(path));
	e = new_entry(dir, name, path, &st);
	archive_entry_linkify(p->links, &e, &sparse);
	if (e != NULL) {
		check(p, archive_write_header(p->archive, e));
		if (S_ISREG(st.st_mode) && archive_entry_size(e) > 0)
			copy_data(p, dir, name, e);
	}
	archive_entry_free(e);
	if (!S_ISDIR(st.st_mode))
		return;
	auto_fd fd =
	    openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		tool_die("open '%s': %s", tool_quote(path), strerror(errno));
	auto_fd all = open_beside(b->all, name);
	auto_fd below = open_beside(b->below, name);
	pack_directory(p, fd, &(struct beside){ all, below }, path, depth + 1);
}

static void
put_whiteout(struct pack *p, const char *path, const char *name)
{
	struct archive_entry *e = archive_entry_new();
	char *whiteout = join(path, WHITEOUT, name);

	if (e == NULL)
		tool_die("no memory");
	archive_entry_set_pathname(e, whiteout);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, 0);
	check(p, archive_write_header(p->archive, e));
	archive_entry_free(e);
	free(whiteout);
}

/*
 * What was there and is no more: the marks of that in the layer itself not
 * everybody can read, and they say it of what never was as well.
 */
static void
put_whiteouts(struct pack *p, const struct beside *b, const char *path)
{
	struct stat st;
	char **names;
	size_t n;

	if (b->below < 0 || b->all < 0)
		return;
	if (names_list(b->below, &names, &n) != 0)
		tool_die("list '%s': %s", tool_quote(path), strerror(errno));
	for (size_t i = 0; i < n; i++) {
		if (fstatat(b->below, names[i], &st, AT_SYMLINK_NOFOLLOW) !=
			0 ||
		    fstatat(b->all, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT)
			tool_die("look at '%s': %s", tool_quote(names[i]),
			    strerror(errno));
		put_whiteout(p, path, names[i]);
	}
	names_free(names, n);
}

static void
pack_directory(struct pack *p, int dir, const struct beside *b,
    const char *path, int depth)
{
	char **names, *next;
	size_t n;

	if (depth > DEPTH_MAX)
		tool_die("more than %d levels", DEPTH_MAX);
	put_whiteouts(p, b, path);
	if (names_list(dir, &names, &n) != 0)
		tool_die("list '%s': %s", tool_quote(path), strerror(errno));
	for (size_t i = 0; i < n; i++) {
		next = join(path, "", names[i]);
		pack_one(p, dir, b, names[i], next, depth);
		free(next);
	}
	names_free(names, n);
}

static int
open_tree(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		tool_die("open %s: %s", path, strerror(errno));
	return fd;
}

static void
begin(struct pack *p)
{
	p->archive = archive_write_new();
	p->links = archive_entry_linkresolver_new();
	if (p->archive == NULL || p->links == NULL)
		tool_die("no memory");
	/* The restricted one would leave out parts of seconds. */
	check(p, archive_write_set_format_pax(p->archive));
	/* One form of attributes: that which others know. */
	check(p, archive_write_set_format_option(
		     p->archive, "pax", "xattrheader", "SCHILY"));
	check(p, archive_write_set_bytes_per_block(p->archive, BLOCK));
	check(p, archive_write_set_bytes_in_last_block(p->archive, 10240));
	check(p, archive_write_open_fd(p->archive, STDOUT_FILENO));
	archive_entry_linkresolver_set_strategy(
	    p->links, archive_format(p->archive));
}

static int
pack_tree(const char *path, struct pack p, const struct beside *b)
{
	struct archive_entry *e;
	struct statfs fs;
	struct stat st;
	auto_fd dir = open_tree(path);

	if (fstat(dir, &st) != 0 || fstatfs(dir, &fs) != 0)
		tool_die("open %s: %s", path, strerror(errno));
	p.is_overlay = fs.f_type == OVERLAYFS_SUPER_MAGIC;
	begin(&p);
	e = new_entry(dir, ".", ".", &st);
	check(&p, archive_write_header(p.archive, e));
	archive_entry_free(e);
	pack_directory(&p, dir, b, "", 0);
	check(&p, archive_write_close(p.archive));
	archive_write_free(p.archive);
	archive_entry_linkresolver_free(p.links);
	return 0;
}

static const struct beside none = { -1, -1 };

int
tool_pack(int argc, char **argv)
{
	(void)argc;
	return pack_tree(argv[1], (struct pack){ 0 }, &none);
}

int
tool_pack_files(const char *path, bool owned)
{
	return pack_tree(path, (struct pack){ .is_owned = owned }, &none);
}

int
tool_diff(int argc, char **argv)
{
	/* The first layer has nothing below it. */
	const bool is_first = strcmp(argv[2], "-") == 0;
	auto_fd below = is_first ? -1 : open_tree(argv[2]);
	auto_fd all = is_first ? -1 : open_tree(argv[3]);
	const struct beside b = { all, below };

	(void)argc;
	return pack_tree(argv[1], (struct pack){ .is_layer = true }, &b);
}
