/*
 * X2: files that only root of the host may read, with every right the sandbox
 * gives, and through every call that opens, executes, copies or changes one.
 *
 * argv: such files.
 */
#include "attack.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void
become(int id)
{
	if (setgid(id) == -1 || setuid(id) == -1)
		tried(-1, "become %d", id);
}

static void
one(const char *name)
{
	int fd;

	refused(open(name, O_RDONLY), "read %s", name);
	refused(open(name, O_WRONLY), "write %s", name);
	refused(open(name, O_RDWR | O_TRUNC), "truncate %s", name);
	fd = open(name, O_PATH);
	if (fd != -1) {
		char link[32];

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		refused(open(link, O_RDONLY), "reopen %s", name);
		close(fd);
	}
	refused(access(name, R_OK), "access %s", name);
	refused(chmod(name, 0644), "chmod %s", name);
	refused(chown(name, getuid(), getgid()), "chown %s", name);
	refused(link(name, "/tmp/copy"), "link %s", name);
	refused(rename(name, "/tmp/moved"), "rename %s", name);
	refused(execl(name, name, (char *)NULL), "execute %s", name);
}

int
main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		one(argv[i]);
	if (getuid() == 0) {
		become(1);
		for (int i = 1; i < argc; i++)
			refused(
			    open(argv[i], O_RDONLY), "read %s as 1", argv[i]);
	}
	return verdict();
}
