/*
 * A21: locks on files that every sandbox shares, as a channel between them or
 * a way to hold up the host.
 *
 * argv: hold FILE | try FILE
 */
#include "attack.h"

#include <sys/file.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct flock fl = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = argc == 3 ? open(argv[2], O_RDONLY) : -1;

	tried(fd, "open");
	tried(flock(fd, LOCK_EX | LOCK_NB), "flock");
	tried(fcntl(fd, F_OFD_SETLK, &fl), "read lock");
	tried(fcntl(fd, F_SETLEASE, F_RDLCK), "lease");
	if (argc == 3 && strcmp(argv[1], "hold") == 0)
		hold();
	return verdict();
}
