#include <sys/stat.h>
#include <sys/vfs.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys.h"
#include "usage.h"

/* Processes share descriptors: files that have been counted already. */
struct seen {
	ino_t *files;
	size_t n, size;
};

/* Has it not been seen before? Without memory it counts again. */
static bool
is_new(struct seen *s, ino_t file)
{
	ino_t *more;

	for (size_t i = 0; i < s->n; i++) {
		if (s->files[i] == file)
			return false;
	}
	if (s->n == s->size) {
		more = realloc(s->files, (s->size + 256) * sizeof(*more));
		if (more == NULL)
			return true;
		s->files = more;
		s->size += 256;
	}
	s->files[s->n++] = file;
	return true;
}

static void
add_file(int fds, const char *name, struct seen *s, struct usage *u)
{
	struct statfs fs;
	struct stat st;

	if (fstatat(fds, name, &st, 0) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_nlink > 0)
		return;
	/* Those of a tmpfs are memory. */
	auto_fd file = openat(fds, name, O_PATH | O_CLOEXEC);
	if (file < 0 || fstatfs(file, &fs) != 0 ||
	    fs.f_type != OVERLAYFS_SUPER_MAGIC || !is_new(s, st.st_ino))
		return;
	u->kb += (uint64_t)st.st_blocks / 2;
	u->inodes++;
}

static DIR *
open_entries(int dir, const char *name)
{
	auto_fd fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d != NULL)
		(void)sys_take(&fd);
	return d;
}

static void
add_process(int proc, const char *pid, struct seen *s, struct usage *u)
{
	const struct dirent *e;
	char path[32];
	DIR *d;

	(void)snprintf(path, sizeof(path), "%.20s/fd", pid);
	d = open_entries(proc, path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (*e->d_name != '.')
			add_file(dirfd(d), e->d_name, s, u);
	}
	if (d != NULL)
		(void)closedir(d);
}

void
usage_count_open(int proc, const struct usage *most, struct usage *u)
{
	struct seen seen = { NULL };
	DIR *d = open_entries(proc, ".");
	const struct dirent *e;

	while (
	    d != NULL && !usage_is_more(u, most) && (e = readdir(d)) != NULL) {
		if (*e->d_name >= '1' && *e->d_name <= '9')
			add_process(proc, e->d_name, &seen, u);
	}
	if (d != NULL)
		(void)closedir(d);
	free(seen.files);
}
