/*
 * The other way: a tree as an archive. The same tree always gives the same
 * archive: names are in order.
 */
#include <sys/stat.h>
#include <sys/xattr.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "sys.h"
#include "tool.h"

#define DEPTH_MAX 1100

struct pack {
	struct archive *archive;
	struct archive_entry_linkresolver *links;
};

static void
check(struct pack *p, int r)
{
	if (r < ARCHIVE_WARN)
		tool_die("%s", archive_error_string(p->archive));
}

static void
copy_data(struct pack *p, int dir, const char *name)
{
	static char buf[1 << 18];
	auto_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		tool_die("open '%s': %s", tool_quote(name), strerror(errno));
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (archive_write_data(p->archive, buf, (size_t)n) != n)
			tool_die("%s", archive_error_string(p->archive));
	}
	if (n < 0)
		tool_die("read '%s': %s", tool_quote(name), strerror(errno));
}

static void
put_attributes(struct archive_entry *e, int dir, const char *name)
{
	static char list[65536], value[65536];
	char path[64 + NAME_MAX];
	ssize_t len, size;

	/* There is no lgetxattrat(2) as yet. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	len = llistxattr(path, list, sizeof(list));
	for (char *key = list; len > 0 && key < list + len;
	     key += strlen(key) + 1) {
		if (strncmp(key, "user.", 5) != 0 ||
		    strncmp(key, "user.overlay.", 13) == 0)
			continue;
		size = lgetxattr(path, key, value, sizeof(value));
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
	}
	return e;
}

static void
pack_directory(struct pack *p, int dir, const char *path, int depth);

/* path is that of name in the archive. */
static void
pack_one(struct pack *p, int dir, const char *name, const char *path, int depth)
{
	struct archive_entry *e, *sparse = NULL;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		tool_die("look at '%s': %s", tool_quote(path), strerror(errno));
	if (S_ISSOCK(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return;
	e = new_entry(dir, name, path, &st);
	archive_entry_linkify(p->links, &e, &sparse);
	if (e != NULL) {
		check(p, archive_write_header(p->archive, e));
		if (S_ISREG(st.st_mode) && archive_entry_size(e) > 0)
			copy_data(p, dir, name);
	}
	archive_entry_free(e);
	if (!S_ISDIR(st.st_mode))
		return;
	auto_fd fd =
	    openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		tool_die("open '%s': %s", tool_quote(path), strerror(errno));
	pack_directory(p, fd, path, depth + 1);
}

static void
pack_directory(struct pack *p, int dir, const char *path, int depth)
{
	char **names, *next;
	size_t n;

	if (depth > DEPTH_MAX)
		tool_die("more than %d levels", DEPTH_MAX);
	if (names_list(dir, &names, &n) != 0)
		tool_die("list '%s': %s", tool_quote(path), strerror(errno));
	for (size_t i = 0; i < n; i++) {
		if (asprintf(&next, "%s%s%s", path, *path != '\0' ? "/" : "",
			names[i]) < 0)
			tool_die("no memory");
		pack_one(p, dir, names[i], next, depth);
		free(next);
	}
	names_free(names, n);
}

int
tool_pack(int argc, char **argv)
{
	struct pack p = { .archive = archive_write_new(),
		.links = archive_entry_linkresolver_new() };
	struct archive_entry *e;
	struct stat st;
	auto_fd dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)argc;
	if (p.archive == NULL || p.links == NULL)
		tool_die("no memory");
	if (dir < 0 || fstat(dir, &st) != 0)
		tool_die("open %s: %s", argv[1], strerror(errno));
	/* The restricted one would leave out parts of seconds. */
	check(&p, archive_write_set_format_pax(p.archive));
	check(&p, archive_write_set_bytes_per_block(p.archive, 1 << 18));
	check(&p, archive_write_open_fd(p.archive, STDOUT_FILENO));
	archive_entry_linkresolver_set_strategy(
	    p.links, archive_format(p.archive));
	e = new_entry(dir, ".", ".", &st);
	check(&p, archive_write_header(p.archive, e));
	archive_entry_free(e);
	pack_directory(&p, dir, "", 0);
	check(&p, archive_write_close(p.archive));
	archive_write_free(p.archive);
	archive_entry_linkresolver_free(p.links);
	return 0;
}
