#include "files.h"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "fail.h"
#include "io.h"
#include "sys.h"

/* The directories that lead to the file. What is wrong shows when it opens. */
static void
make_parents(char *name)
{
	for (char *slash = strchr(name + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(name, 0755);
		*slash = '/';
	}
}

/*
 * What /proc says of this process is ours and not the sandbox's: how the
 * server was called, and from where on the host. 0, or -1/errno: EACCES there,
 * or what kept it from being known.
 */
static int
refuse_proc(int fd)
{
#ifdef MUTATE_PROC_FILES
	(void)fd;
	return 0;
#else
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return -1;
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	errno = EACCES;
	return -1;
#endif
}

/*
 * Opens without waiting, whatever stands there: at a pipe nobody may ever
 * come, a device may do anything.
 */
static int
open_regular(const char *name, int flags, mode_t mode, struct stat *st)
{
	auto_fd fd =
	    open(name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);

	if (fd < 0 || fstat(fd, st) != 0)
		return -1;
	if (DEFENCE(FILES_REGULAR) && !S_ISREG(st->st_mode)) {
		errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	if (refuse_proc(fd) != 0)
		return -1;
	return sys_take(&fd);
}

static int
place_one(int from, char *name, const struct file_in *head)
{
	static char buf[65536];
	uint64_t left = head->size;
	struct stat st;

	make_parents(name);
	auto_fd to = open_regular(
	    name, O_WRONLY | O_CREAT | O_TRUNC, (mode_t)head->mode & 0777, &st);
	if (to < 0)
		return -1;
	while (left > 0) {
		size_t n = left < sizeof(buf) ? (size_t)left : sizeof(buf);

		if (io_read(from, buf, n) != 0 || io_write(to, buf, n) != 0)
			return -1;
		left -= n;
	}
	/* Whatever the umask is, and whatever stood there before. */
	return fchmod(to, (mode_t)head->mode & 0777);
}

int
files_place(const struct plan *p, char *name)
{
	struct file_in head;

	*name = '\0';
	for (;;) {
		if (io_read(p->files_in, &head, sizeof(head)) != 0)
			return -1;
		if (head.name_len == 0)
			return 0;
		if (DEFENCE(FILES_NAME) && head.name_len > FILES_NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (io_read(p->files_in, name, head.name_len) != 0)
			return -1;
		name[head.name_len] = '\0';
		if (place_one(p->files_in, name, &head) != 0)
			return -1;
	}
}

/* Reads to the end of the file or of the room. 0 or -1/errno. */
static int
fill(int fd, char *data, size_t size, uint64_t *ret_len)
{
	size_t len = 0;
	ssize_t n = 1;

	while (len < size && n != 0) {
		n = read(fd, data + len, size - len);
		if (n < 0 && errno != EINTR)
			return -1;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_len = len;
	return 0;
}

static int
collect_one(const struct plan *p, size_t i)
{
	struct file_out head = { .index = i };
	struct stat st;
	uint64_t room;
	char *data;
	int r;

	auto_fd fd = open_regular(p->collect[i], O_RDONLY, 0, &st);
	if (fd < 0)
		return fail_is_machines(errno) ? -1 : 0;
	room = (uint64_t)st.st_size;
	if (room > p->collect_max)
		room = p->collect_max;
	data = malloc(room > 0 ? room : 1);
	if (data == NULL)
		return -1;
	head.size = (uint64_t)st.st_size;
	r = fill(fd, data, room, &head.len);
	if (r == 0)
		r = io_write(p->files_out, &head, sizeof(head));
	if (r == 0)
		r = io_write(p->files_out, data, head.len);
	free(data);
	return r;
}

int
files_collect(const struct plan *p)
{
	const struct file_out end = { .index = FILES_END };

	for (size_t i = 0; i < p->collect_count; i++) {
		if (collect_one(p, i) != 0)
			return -1;
	}
	return io_write(p->files_out, &end, sizeof(end));
}
