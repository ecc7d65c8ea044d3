/*
 * A21: what two sandboxes could tell each other, or do to each other, by locks
 * and leases on files that are the sandbox's own, and on the host's.
 *
 * argv: "hold" or "try", then files. Holds locks of all kinds, or says which
 * ones can be had.
 */
#include "attack.h"

#include <sys/file.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
try_all(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open(path, O_RDWR | O_CREAT, 0666);

	tried(fd, "open %s", path);
	tried(flock(fd, LOCK_EX | LOCK_NB), "flock %s", path);
	tried(fcntl(fd, F_SETLK, &lock), "lock %s", path);
	fd = open(path, O_RDWR);
	tried(fcntl(fd, F_OFD_SETLK, &lock), "lock %s anew", path);
}

/* What is shown of the host's: nobody there may be made to wait. */
static void
try_host(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open(path, O_RDONLY);

	refused(fcntl(fd, F_SETLEASE, F_WRLCK), "a lease on %s", path);
	refused(fcntl(fd, F_SETLEASE, F_RDLCK), "a read lease on %s", path);
	refused(fcntl(fd, F_SETLK, &lock), "a write lock on %s", path);
	refused(open(path, O_WRONLY), "write %s", path);
}

int
main(int argc, char *argv[])
{
	if (argc < 2)
		return 2;
	signal(SIGIO, SIG_IGN);
	for (int i = 2; i < argc; i++) {
		if (strncmp(argv[i], "/usr/", 5) == 0)
			try_host(argv[i]);
		else
			try_all(argv[i]);
	}
	if (strcmp(argv[1], "hold") == 0)
		hold();
	return verdict();
}
