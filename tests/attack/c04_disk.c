/*
 * C4: filling the disk of a session.
 *
 * argv: bytes | files | directories | attributes | links | nameless |
 *	mapped | reserved | zeroed
 *
 * Goes on until a call fails, and says how.
 */
#include "attack.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MB (1 << 20)
/* Where nothing holds them, no more than this of the host's. */
#define MANY_FILES 40000
#define MANY_MB 1000

static char block[MB];

static int
open_next(int n)
{
	char name[32];

	snprintf(name, sizeof(name), "f%d", n);
	return open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
}

/* What happens n times, or until it fails. 0 or -1/errno. */
static int
step(const char *how, int n)
{
	/* FS_IOC_RESVSP, which needs no privilege. */
	struct {
		short type, whence;
		long long start, len;
		int sysid, pid, pad[4];
	} space = { .len = 64 * MB };
	char name[32];
	void *p;
	int fd;

	snprintf(name, sizeof(name), "n%d", n);
	if (strcmp(how, "directories") == 0)
		return mkdir(name, 0700);
	if (strcmp(how, "links") == 0)
		return symlink(block, name);
	fd = open_next(n);
	if (fd < 0)
		return -1;
	if (strcmp(how, "files") == 0)
		return close(fd);
	if (strcmp(how, "attributes") == 0) {
		snprintf(block, sizeof(block), "%d", n);
		return fsetxattr(fd, "user.x", block, 3000, 0) != 0 ? -1
								    : close(fd);
	}
	if (strcmp(how, "nameless") == 0) {
		snprintf(name, sizeof(name), "f%d", n);
		unlink(name);
		return write(fd, block, sizeof(block)) < 0 ? -1 : 0;
	}
	if (strcmp(how, "mapped") == 0) {
		if (ftruncate(fd, MB) != 0)
			return -1;
		p = mmap(NULL, MB, PROT_WRITE, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED)
			return -1;
		memset(p, 'x', MB);
		return munmap(p, MB) != 0 ? -1 : close(fd);
	}
	if (strcmp(how, "reserved") == 0)
		return fallocate(fd, 0, 0, 64 * MB) != 0 ? -1 : close(fd);
	if (strcmp(how, "zeroed") == 0)
		return ioctl(fd, 0x40305828, &space) != 0 ? -1 : close(fd);
	return write(fd, block, sizeof(block)) < 0 ? -1 : close(fd);
}

int
main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "bytes";
	int n = 0, many = MANY_MB;

	memset(block, 'x', sizeof(block));
	if (strcmp(how, "links") == 0)
		block[4000] = '\0';
	if (chdir("/tmp") != 0)
		return 1;
	if (strcmp(how, "reserved") == 0 || strcmp(how, "zeroed") == 0)
		many = MANY_MB / 64;
	else if (strcmp(how, "bytes") != 0 && strcmp(how, "nameless") != 0 &&
		 strcmp(how, "mapped") != 0)
		many = MANY_FILES;
	while (n < many && step(how, n) == 0)
		n++;
	refused(n == many ? 0 : -1, "%s", how);
	return verdict();
}
