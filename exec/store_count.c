/*
 * How many sessions there are. Most file systems say it of a directory at
 * once. Others, and ext4 with very many, do not; to list 100,000 at each
 * creation would take longer than all else of it. There a file has a number
 * that is never below the true one: who makes a session raises it before, and
 * nobody lowers it. Only when it reaches the limit they are counted, which
 * sets it right.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "store.h"
#include "sys.h"

#define COUNT_FILE "sessions.count"
#define BOOT_SIZE 40 /* of a UUID, a newline and more */
#define TEXT_SIZE (BOOT_SIZE + 24)

/*
 * A directory's links are its own two and one from each directory in it, on
 * all file systems that count them. Others, and ext4 with very many, say 1.
 * 1, 0 where it is not said, or -1/errno.
 */
static int
says_count(const struct state *st, uint64_t *ret)
{
	struct stat s;

	if (fstat(st->sessions, &s) != 0)
		return -1;
	if (s.st_nlink < 2)
		return 0;
	*ret = s.st_nlink - 2;
	return 1;
}

uint64_t
store_count(const struct state *st)
{
	uint64_t count;
	size_t n = 0;
	char *ids;

	if (says_count(st, &count) > 0)
		return count;
	if (store_list(st, NULL, &ids, &n) != 0)
		return UINT64_MAX;
	free(ids);
	return n;
}

/*
 * What a power cut leaves of the file may be older than what it leaves of the
 * sessions: it is of one boot. 0 or -1/errno.
 */
static int
read_boot(char boot[BOOT_SIZE])
{
	auto_fd fd =
	    open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, boot, BOOT_SIZE - 1);

	if (n <= 0)
		return -1;
	boot[n] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	return 0;
}

uint64_t
store_bound(const struct state *st)
{
	char boot[BOOT_SIZE], *text, *end;
	uint64_t count;
	size_t len, n;

	if (says_count(st, &count) > 0)
		return count;
	count = UINT64_MAX;
	text = io_read_file(st->dir, COUNT_FILE, TEXT_SIZE, &len);
	if (text != NULL && read_boot(boot) == 0) {
		n = strlen(boot);
		if (strncmp(text, boot, n) == 0 && text[n] == ' ') {
			count = strtoull(text + n, &end, 10);
			if (*end != '\n')
				count = UINT64_MAX;
		}
	}
	free(text);
	return count != UINT64_MAX ? count : store_count(st);
}

/* None is as good, and one that is too low is not. */
static int
forget_count(const struct state *st)
{
	return unlinkat(st->dir, COUNT_FILE, 0) != 0 && errno != ENOENT ? -1
									: 0;
}

int
store_note_count(const struct state *st, uint64_t count)
{
	char boot[BOOT_SIZE], text[TEXT_SIZE];
	uint64_t ignored;
	auto_fd fd = -1;
	int said = says_count(st, &ignored), len;

	if (said < 0)
		return -1;
	/* One of before must not be found when that ends. */
	if (said > 0 || read_boot(boot) != 0)
		return forget_count(st);
	/* Of one length, which takes no room when it is written again. */
	len = snprintf(text, sizeof(text), "%s %020" PRIu64 "\n", boot, count);
	fd = openat(st->dir, COUNT_FILE,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && pwrite(fd, text, (size_t)len, 0) == len)
		return 0;
	return forget_count(st);
}
