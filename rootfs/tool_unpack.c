/*
 * Makes a layer's directory of its archive, in the form in which overlayfs has
 * it: what the layers below are not to show is a device 0:0 or an attribute,
 * where an archive has names that begin with ".wh.". libarchive takes the
 * archive apart; what is made of it is tool_tree.c's.
 */
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sys.h"
#include "tool.h"

#define ENTRIES_MAX 4000000
#define BLOCK 65536
#define TREE "tree:"
#define OPAQUE ".wh..wh..opq"

struct unpack {
	struct archive *archive;
	gzFile file; /* of which it is read, or NULL */
	struct tree tree;
	uint64_t bytes, bytes_max;
	uint64_t entries, passed_over;
};

/* "tree:/..." is packed by another process. */
static int
open_tree(const char *path, bool owned)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		tool_die("pipe: %s", strerror(errno));
	switch (fork()) {
	case -1:
		tool_die("fork: %s", strerror(errno));
	case 0:
		if (dup2(fds[1], STDOUT_FILENO) < 0 ||
		    tool_pack_files(path, owned) != 0)
			_exit(1);
		_exit(0);
	default:
		(void)close(fds[1]);
		return fds[0];
	}
}

/* One that failed has said why, and what it wrote is not whole. */
static void
wait_for_tree(void)
{
	int status = 0;

	if (wait(&status) > 0 && status != 0)
		exit(1);
}

static struct archive *
new_reader(void)
{
	struct archive *a = archive_read_new();

	if (a == NULL || archive_read_support_filter_all(a) < ARCHIVE_WARN)
		tool_die("no memory");
	return a;
}

__attribute__((__noreturn__)) static void
die_of_archive(struct archive *a)
{
	const char *why = archive_error_string(a);

	tool_die("the archive is damaged, or no tar archive: %s",
	    why != NULL ? tool_quote(why) : "it ends too early");
}

/* The stream within, of which the end may be missing. */
struct padded {
	struct archive *stream;
	uint64_t len;
	bool ended;
};

/*
 * There are programs that write no end of an archive, and leave out what fills
 * up its last block, as the readers of others do not mind. Zeros up to the
 * next block and two blocks of them: an archive of which more is missing stays
 * damaged.
 */
static la_ssize_t
read_padded(struct archive *a, void *context, const void **ret)
{
	static const char zeros[3 * 512];
	static char buf[BLOCK];
	struct padded *p = context;
	la_ssize_t n = 0;

	*ret = buf;
	if (!p->ended)
		n = archive_read_data(p->stream, buf, sizeof(buf));
	if (n < 0) {
		archive_set_error(a, archive_errno(p->stream), "%s",
		    archive_error_string(p->stream));
		return -1;
	}
	p->len += (uint64_t)n;
	if (n > 0 || p->ended)
		return n;
	p->ended = true;
	*ret = zeros;
	return 1024 + (la_ssize_t)((512 - p->len % 512) % 512);
}

/* A layer of which the digest has been looked at: nothing of it is lost. */
static struct archive *
open_layer(const char *path)
{
	static struct padded p;
	struct archive *a = archive_read_new();
	struct archive_entry *e;

	p.stream = new_reader();
	(void)archive_read_support_format_raw(p.stream);
	(void)archive_read_support_format_empty(p.stream);
	if (a == NULL ||
	    archive_read_open_filename(p.stream, path, BLOCK) != ARCHIVE_OK)
		die_of_archive(p.stream);
	p.ended = archive_read_next_header(p.stream, &e) == ARCHIVE_EOF;
	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_format_empty(a);
	if (archive_read_open(a, &p, NULL, read_padded, NULL) != ARCHIVE_OK)
		die_of_archive(a);
	return a;
}

/*
 * libarchive does not look at the checksum of what gzip has packed; zlib does,
 * and leaves as it is what is packed in another way.
 */
static la_ssize_t
read_file(struct archive *a, void *context, const void **ret)
{
	static char buf[BLOCK];
	gzFile file = context;
	int error = Z_OK, n = gzread(file, buf, sizeof(buf));
	const char *why = n <= 0 ? gzerror(file, &error) : NULL;

	*ret = buf;
	if (error == Z_OK)
		return n;
	archive_set_error(a, EINVAL, "%s", why);
	return -1;
}

static void
account(struct unpack *u, uint64_t bytes)
{
	u->bytes += bytes;
	if (u->bytes > u->bytes_max)
		tool_die("it holds more than max_image allows: %" PRIu64 " KB",
		    u->bytes_max / 1024);
}

/* Their inodes take room as well. */
static void
account_entries(struct unpack *u, uint64_t count)
{
	u->entries += count;
	if (u->entries > ENTRIES_MAX)
		tool_die("more than %d entries", ENTRIES_MAX);
	account(u, count * 512);
}

/* The checksum stands behind the end of the archive, and what else may. */
static void
read_to_end(struct unpack *u)
{
	const void *data;
	la_ssize_t n;

	do {
		n = u->file != NULL ? read_file(u->archive, u->file, &data) : 0;
		account(u, n > 0 ? (uint64_t)n : 0);
	} while (n > 0);
	if (n < 0)
		die_of_archive(u->archive);
}

static void
open_archive(struct unpack *u, const char *path, bool owned)
{
	int fd = STDIN_FILENO;

	if (*path == '/') {
		u->archive = open_layer(path);
		return;
	}
	if (strncmp(path, TREE, strlen(TREE)) == 0)
		fd = open_tree(path + strlen(TREE), owned);
	u->archive = new_reader();
	u->file = gzdopen(fd, "rb");
	/* Nothing at all is what a program writes that failed. */
	(void)archive_read_support_format_tar(u->archive);
	if (u->file == NULL || gzbuffer(u->file, BLOCK) != 0)
		tool_die("no memory");
	if (archive_read_open(u->archive, u->file, NULL, read_file, NULL) !=
	    ARCHIVE_OK)
		die_of_archive(u->archive);
}

/* A filter that is a program would need one that is not there. */
static void
check_archive(struct unpack *u, int r)
{
	if (r == ARCHIVE_OK || r == ARCHIVE_EOF)
		return;
	if (r == ARCHIVE_WARN && archive_errno(u->archive) != EINVAL)
		return;
	die_of_archive(u->archive);
}

/* The holes of a sparse file stay holes. */
static void
copy_data(struct unpack *u, int fd, struct archive_entry *e)
{
	const void *data;
	la_int64_t at;
	size_t len;
	int r;

	while ((r = archive_read_data_block(u->archive, &data, &len, &at)) ==
	       ARCHIVE_OK) {
		account(u, len);
		while (len > 0) {
			ssize_t n = pwrite(fd, data, len, at);

			if (n < 0)
				tool_die("write: %s", strerror(errno));
			data = (const char *)data + n;
			len -= (size_t)n;
			at += n;
		}
	}
	check_archive(u, r);
	if (archive_entry_size_is_set(e) &&
	    ftruncate(fd, archive_entry_size(e)) != 0)
		tool_die("write: %s", strerror(errno));
}

/*
 * Attributes of the user's own alone: others would be capabilities or the
 * overlay's, which say where else its files are. They take room as well.
 */
static void
set_attributes(struct unpack *u, int fd, struct archive_entry *e)
{
	const char *name;
	const void *value;
	size_t size;

	(void)archive_entry_xattr_reset(e);
	while (
	    archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
		account(u, size + (name != NULL ? strlen(name) : 0));
		if (name == NULL || strncmp(name, "user.", 5) != 0 ||
		    strncmp(name, "user.overlay.", 13) == 0)
			continue;
		if (fsetxattr(fd, name, value, size, 0) != 0 &&
		    errno != ENOTSUP)
			tool_die("attribute '%s': %s", tool_quote(name),
			    strerror(errno));
	}
}

static struct owner
owner_of(struct archive_entry *e)
{
	struct owner o = { .mode = archive_entry_perm(e),
		.uid = (uint64_t)archive_entry_uid(e),
		.gid = (uint64_t)archive_entry_gid(e),
		.mtime = {
		    archive_entry_mtime(e), archive_entry_mtime_nsec(e) } };

	return o;
}

/*
 * ".wh.NAME"; true where that was it. Where there is nothing below, as in what
 * is imported, it is a name like any other.
 */
static bool
take_whiteout(struct unpack *u, const char *name, const char *base)
{
	if (u->file != NULL || strncmp(base, WHITEOUT, strlen(WHITEOUT)) != 0)
		return false;
	if (strcmp(base, OPAQUE) == 0)
		tree_opaque(&u->tree, u->tree.parent);
	else if (strncmp(base, WHITEOUT WHITEOUT, 2 * strlen(WHITEOUT)) != 0)
		tree_whiteout(&u->tree, name, base + strlen(WHITEOUT));
	return true;
}

static void
take_file(struct unpack *u, struct archive_entry *e, const char *base)
{
	struct owner o = owner_of(e);
	int fd = tree_file(&u->tree, base);

	copy_data(u, fd, e);
	set_attributes(u, fd, e);
	tree_finish_file(&u->tree, fd, &o);
}

static void
take_directory(struct unpack *u, struct archive_entry *e, const char *name,
    const char *base)
{
	struct owner o = owner_of(e);

	tree_directory(&u->tree, name, base, &o);
	if (base == NULL || archive_entry_xattr_count(e) == 0)
		return;
	auto_fd fd = openat(
	    u->tree.dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		tool_die("open '%s': %s", tool_quote(name), strerror(errno));
	set_attributes(u, fd, e);
}

/* What stands in an entry that is no file is unpacked all the same. */
static void
account_unused(struct unpack *u, struct archive_entry *e)
{
	la_int64_t size = archive_entry_size(e);

	account(u, size > 0 ? (uint64_t)size : 0);
}

static void
take_entry(struct unpack *u, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e), *base;
	const char *target = archive_entry_hardlink(e);
	struct owner o = owner_of(e);

	if (name == NULL || *name == '\0')
		tool_die("an entry without a name");
	if (target != NULL) {
		account_unused(u, e);
		tree_link(&u->tree, name, target);
		return;
	}
	base = tree_enter(&u->tree, name);
	if (base == NULL && archive_entry_filetype(e) != AE_IFDIR)
		tool_die("'%s': the root is no directory", tool_quote(name));
	if (base != NULL && take_whiteout(u, name, base)) {
		account_unused(u, e);
		return;
	}
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		take_file(u, e, base);
		break;
	case AE_IFDIR:
		take_directory(u, e, name, base);
		break;
	case AE_IFLNK:
		target = archive_entry_symlink(e);
		if (target == NULL || *target == '\0')
			tool_die("'%s': a link to nothing", tool_quote(name));
		account(u, strlen(target));
		tree_symlink(&u->tree, base, target, &o);
		break;
	case AE_IFIFO:
		tree_fifo(&u->tree, base, &o);
		break;
	default:
		/* Devices: those of a sandbox are made for each run. */
		u->passed_over++;
	}
}

int
tool_unpack(int argc, char **argv)
{
	static struct unpack u;
	struct archive_entry *e;
	uint64_t size;
	int r;

	(void)argc;
	(void)umask(0);
	u.bytes_max = strtoull(argv[3], NULL, 10) * 1024;
	open_archive(&u, argv[1], strcmp(argv[4], "trusted") == 0);
	tree_open(&u.tree, argv[2], strcmp(argv[4], "user") == 0, argv[5]);
	while ((r = archive_read_next_header(u.archive, &e)) != ARCHIVE_EOF) {
		check_archive(&u, r);
		account_entries(&u, 1);
		take_entry(&u, e);
		/* So are the directories that it takes for granted. */
		account_entries(&u, u.tree.implied_count);
		u.tree.implied_count = 0;
	}
	size = u.bytes - u.entries * 512;
	read_to_end(&u);
	tree_close(&u.tree);
	(void)archive_read_free(u.archive);
	wait_for_tree();
	tool_say("size_kb", "%" PRIu64, size / 1024);
	if (u.tree.implied)
		tool_say("implied", "1");
	tool_say("entries", "%" PRIu64, u.entries);
	tool_say("passed_over", "%" PRIu64, u.passed_over);
	return 0;
}
