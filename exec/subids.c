#include "subids.h"

#include <fcntl.h>
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

/* The file's text in buf, empty when there is none. */
static char *
read_subids(const char *path, char buf[SUBID_FILE_MAX])
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, SUBID_FILE_MAX - 1);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

uint64_t
subids_skip(const char *path, uint64_t start, uint64_t count)
{
	static char buf[SUBID_FILE_MAX];
	char *text = read_subids(path, buf);
	struct subid s;

	while (next_subid(&text, &s)) {
		if (start < s.start + s.count && s.start < start + count)
			return s.start + s.count;
	}
	return start;
}

uint64_t
subids_find(const char *path, const char *name, uint64_t *ret_count)
{
	static char buf[SUBID_FILE_MAX];
	char *text = read_subids(path, buf), number[16];
	struct subid s;

	(void)snprintf(number, sizeof(number), "%u", (unsigned)getuid());
	while (next_subid(&text, &s)) {
		if (strcmp(s.name, number) != 0 &&
		    (name == NULL || strcmp(s.name, name) != 0))
			continue;
		*ret_count = s.count;
		return s.start;
	}
	return 0;
}
