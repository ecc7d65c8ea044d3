#include "subids.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* A longer line is not understood, and not passed over. */
#define LINE_SIZE 4096

/* One "name:start:count" of /etc/subuid. */
struct subid {
	const char *name;
	uint64_t start;
	uint64_t count;
};

/* The file, which is read in parts: with many users it is of any size. */
struct subid_file {
	const char *path;
	int fd; /* -1 where there is none */
	size_t start, len; /* of buf: what is next, and all of it */
	char buf[LINE_SIZE + 1];
};

/* 0 or -1 with f. */
static int
open_subids(struct subid_file *s, const char *path, struct failure *f)
{
	s->path = path;
	s->start = s->len = 0;
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Not to know is not the same as nothing: it would be other ids. */
	if (s->fd < 0 && errno != ENOENT && errno != EACCES)
		return failure_set(f, "ids", errno, "%s", path);
	return 0;
}

/* More of it behind what is left. 1, 0 at its end, or -1 with f. */
static int
fill(struct subid_file *s, struct failure *f)
{
	ssize_t n;

	memmove(s->buf, s->buf + s->start, s->len - s->start);
	s->len -= s->start;
	s->start = 0;
	if (s->len == LINE_SIZE)
		return failure_set(
		    f, "ids", EOVERFLOW, "a line of %s", s->path);
	n = s->fd < 0 ? 0 : read(s->fd, s->buf + s->len, LINE_SIZE - s->len);
	if (n < 0)
		return failure_set(f, "ids", errno, "%s", s->path);
	s->len += (size_t)n;
	return n > 0;
}

/* The next line in *ret. 1, 0 at the end, or -1 with f. */
static int
next_line(struct subid_file *s, char **ret, struct failure *f)
{
	char *end;
	int r = 1;

	while ((end = memchr(s->buf + s->start, '\n', s->len - s->start)) ==
		   NULL &&
	       (r = fill(s, f)) > 0)
		;
	if (r < 0 || (end == NULL && s->start == s->len))
		return r;
	if (end == NULL)
		end = s->buf + s->len++;
	*end = '\0';
	*ret = s->buf + s->start;
	s->start = (size_t)(end - s->buf) + 1;
	return 1;
}

/* The next well-formed line. 1, 0 at the end, or -1 with f. */
static int
next_subid(struct subid_file *s, struct subid *ret, struct failure *f)
{
	char *line, *start, *count;
	int r;

	while ((r = next_line(s, &line, f)) > 0) {
		start = strchr(line, ':');
		count = start != NULL ? strchr(start + 1, ':') : NULL;
		if (count == NULL)
			continue;
		*start++ = '\0';
		*count++ = '\0';
		ret->name = line;
		ret->start = strtoull(start, NULL, 10);
		ret->count = strtoull(count, NULL, 10);
		if (ret->count > 0)
			return 1;
	}
	return r;
}

/* Does a range of the file meet [start, +count)? -1 with f. */
static int
meets_range(const char *path, uint64_t start, uint64_t count, struct failure *f)
{
	struct subid_file file;
	struct subid s;
	int r;

	if (open_subids(&file, path, f) != 0)
		return -1;
	while ((r = next_subid(&file, &s, f)) > 0) {
		if (start < s.start + s.count && s.start < start + count)
			break;
	}
	sys_close(&file.fd);
	return r;
}

int
subids_meet(uint64_t start, uint64_t count, struct failure *f)
{
	int r = meets_range("/etc/subuid", start, count, f);

	return r != 0 ? r : meets_range("/etc/subgid", start, count, f);
}

/* 1, 0, or -1 with f where it cannot be told. */
static int
can_access(const char *path, int mode, struct failure *f)
{
	if (access(path, mode) == 0)
		return 1;
	return fail_is_machines(errno)
		   ? failure_set(f, "ids", errno, "%s", path)
		   : 0;
}

/* The caller's name where one is needed, or NULL. 0 or -1 with f. */
static int
find_name(const char **ret, struct failure *f)
{
	const struct passwd *pw;
	int r = can_access("/etc/subuid", R_OK, f);

	*ret = NULL;
	if (r <= 0)
		return r;
	errno = 0;
	pw = getpwuid(getuid());
	if (pw != NULL)
		*ret = pw->pw_name;
	else if (fail_is_machines(errno))
		return failure_set(f, "ids", errno, "/etc/passwd");
	return 0;
}

/*
 * The caller's first range in the file, by name or number; *ret_start is 0
 * for none. 0 or -1 with f.
 */
static int
find_subids(const char *path, const char *name, uint64_t *ret_start,
    uint64_t *ret_count, struct failure *f)
{
	struct subid_file file;
	char number[16];
	struct subid s;
	int r;

	*ret_start = *ret_count = 0;
	if (open_subids(&file, path, f) != 0)
		return -1;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)getuid());
	while ((r = next_subid(&file, &s, f)) > 0) {
		if (strcmp(s.name, number) != 0 &&
		    (name == NULL || strcmp(s.name, name) != 0))
			continue;
		*ret_count = s.count;
		*ret_start = s.start;
		break;
	}
	sys_close(&file.fd);
	return r < 0 ? -1 : 0;
}

int
subids_find(struct subids *ret, struct failure *f)
{
	const char *name;

	memset(ret, 0, sizeof(*ret));
	if (find_name(&name, f) != 0 ||
	    find_subids("/etc/subuid", name, &ret->uids, &ret->uid_count, f) !=
		0 ||
	    find_subids("/etc/subgid", name, &ret->gids, &ret->gid_count, f) !=
		0)
		return -1;
	if (ret->uids == 0 || ret->gids == 0)
		return 0;
	return can_access("/usr/bin/newuidmap", X_OK, f);
}
