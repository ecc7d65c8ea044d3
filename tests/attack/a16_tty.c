/*
 * A16: pushing input to a terminal (CVE-2017-5226), the console's selection
 * (CVE-2023-28100) and line disciplines (CVE-2017-2636), on a terminal of the
 * sandbox's own and where there is none.
 *
 * argv: "own" or "none".
 */
#include "attack.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCLINUX
#define TIOCLINUX 0x541c
#endif

static void
ioctls(int fd, const char *where)
{
	static const struct {
		const char *name;
		unsigned long number;
	} row[] = { { "TIOCSTI", TIOCSTI }, { "TIOCLINUX", TIOCLINUX },
		{ "TIOCSETD", TIOCSETD }, { "TIOCCONS", TIOCCONS } };
	static const char commands[] = "echo pushed\n";
	char arg[8] = { 0 };

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		arg[0] = row[i].number == TIOCSTI ? 'x' : 2;
		refused(syscall(SYS_ioctl, fd, row[i].number, arg), "%s %s",
		    where, row[i].name);
		refused(syscall(SYS_ioctl, fd, HIGH(row[i].number), arg),
		    "%s %s + 1<<32", where, row[i].name);
	}
	for (const char *p = commands; *p != '\0'; p++)
		if (syscall(SYS_ioctl, fd, HIGH(TIOCSTI), p) == 0)
			breach("pushed '%c'", *p);
}

int
main(int argc, char *argv[])
{
	int own = argc == 2 && strcmp(argv[1], "own") == 0;
	int fd = open("/dev/tty", O_RDWR);

	if (own) {
		tried(fd, "open /dev/tty");
		printf("isatty %d%d%d\n", isatty(0), isatty(1), isatty(2));
	} else {
		refused(fd, "open /dev/tty");
		refused(isatty(0) ? 0 : -1, "stdin is a terminal");
		refused(tcgetsid(0), "session of stdin");
	}
	ioctls(own ? fd : 0, own ? "/dev/tty" : "stdin");
	refused(open("/dev/console", O_RDWR | O_NOCTTY), "open /dev/console");
	refused(open("/dev/tty0", O_RDWR | O_NOCTTY), "open /dev/tty0");
	return verdict();
}
