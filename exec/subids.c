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

#define SUBID_FILE_MAX 65536

/* One "name:start:count" of /etc/subuid. */
struct subid {
	const char *name;
	uint64_t start;
	uint64_t count;
};

/* The next well-formed line of text; moves *text on. */
static bool
next_subid(char **text, struct subid *ret)
{
	char *line, *start, *count;

	while ((line = strsep(text, "\n")) != NULL) {
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
			return true;
	}
	return false;
}

/* The file's text in buf, empty where there is none. 0 or -1 with f. */
static int
read_subids(const char *path, char buf[SUBID_FILE_MAX], struct failure *f)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, SUBID_FILE_MAX - 1);

	buf[n > 0 ? n : 0] = '\0';
	/* Not to know is not the same as nothing: it would be other ids. */
	if (n < 0 || (fd < 0 && errno != ENOENT && errno != EACCES))
		return failure_set(f, "ids", errno, "%s", path);
	return 0;
}

/* Does a range of the file meet [start, +count)? -1 with f. */
static int
meets_range(const char *path, uint64_t start, uint64_t count, struct failure *f)
{
	static char buf[SUBID_FILE_MAX];
	char *text = buf;
	struct subid s;

	if (read_subids(path, buf, f) != 0)
		return -1;
	while (next_subid(&text, &s)) {
		if (start < s.start + s.count && s.start < start + count)
			return 1;
	}
	return 0;
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
	static char buf[SUBID_FILE_MAX];
	char *text = buf, number[16];
	struct subid s;

	*ret_start = *ret_count = 0;
	if (read_subids(path, buf, f) != 0)
		return -1;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)getuid());
	while (next_subid(&text, &s)) {
		if (strcmp(s.name, number) != 0 &&
		    (name == NULL || strcmp(s.name, name) != 0))
			continue;
		*ret_count = s.count;
		*ret_start = s.start;
		return 0;
	}
	return 0;
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
