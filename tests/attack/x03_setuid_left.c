/*
 * X3: leaving a setuid or setgid file in a directory that is bound for
 * writing, for somebody outside to execute.
 *
 * argv: the directory. Every call that takes a mode, also with bits above the
 * 32 or 16 that the kernel uses.
 */
#include "attack.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const unsigned int modes[] = { 04755, 02755, 06755, 04000 };

#define NMODES (sizeof(modes) / sizeof(*modes))

static void
change(unsigned int mode)
{
	int fd = open("plain", O_RDONLY | O_CREAT | O_CLOEXEC, 0755);
	int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	refused(syscall(SYS_fchmod, fd, mode), "fchmod %o", mode);
	refused(syscall(SYS_fchmod, fd, HIGH(mode)), "fchmod high %o", mode);
	refused(syscall(SYS_fchmodat, dir, "plain", mode), "fchmodat %o", mode);
	refused(syscall(SYS_fchmodat, dir, "plain", HIGH(mode)),
	    "fchmodat high %o", mode);
	refused(syscall(452, dir, "plain", mode, 0), "fchmodat2 %o", mode);
	refused(syscall(452, fd, "", HIGH(mode), AT_EMPTY_PATH),
	    "fchmodat2 high %o", mode);
	refused(
	    syscall(SYS_fchmod, fd, mode | 0x10000), "fchmod 2^16 %o", mode);
#ifdef SYS_chmod
	refused(syscall(SYS_chmod, "plain", mode), "chmod %o", mode);
	refused(syscall(SYS_chmod, "plain", HIGH(mode)), "chmod high %o", mode);
#endif
	close(fd);
	close(dir);
}

static void
create(unsigned int mode)
{
	int how = O_WRONLY | O_CREAT | O_EXCL;

	refused(
	    syscall(SYS_openat, AT_FDCWD, "a", how, mode), "openat %o", mode);
	refused(syscall(SYS_openat, AT_FDCWD, "b", how, HIGH(mode)),
	    "openat high %o", mode);
	refused(syscall(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, mode),
	    "O_TMPFILE %o", mode);
	refused(syscall(SYS_openat, AT_FDCWD, "c", HIGH(how), mode),
	    "openat high flags %o", mode);
	refused(syscall(SYS_mknodat, AT_FDCWD, "d", S_IFREG | mode, 0),
	    "mknodat %o", mode);
	refused(syscall(SYS_mknodat, AT_FDCWD, "e", HIGH(S_IFREG | mode), 0),
	    "mknodat high %o", mode);
#ifdef SYS_open
	refused(syscall(SYS_open, "f", how, mode), "open %o", mode);
	refused(syscall(SYS_open, "g", how, HIGH(mode)), "open high %o", mode);
	refused(syscall(SYS_creat, "h", mode), "creat %o", mode);
	refused(syscall(SYS_creat, "i", HIGH(mode)), "creat high %o", mode);
	refused(syscall(SYS_mknod, "j", S_IFREG | mode, 0), "mknod %o", mode);
#endif
}

static void
by_struct(unsigned int mode)
{
	struct open_how how = { .flags = O_WRONLY | O_CREAT | O_EXCL,
		.mode = mode };

	refused(syscall(SYS_openat2, AT_FDCWD, "k", &how, sizeof(how)),
	    "openat2 %o", mode);
}

/* What the calls returned is one thing, what stands in the directory another.
 */
static void
look(void)
{
	static const char *const names[] = { "plain", "a", "b", "c", "d", "e",
		"f", "g", "h", "i", "j", "k" };
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (stat(names[i], &st) == 0 && (st.st_mode & 06000) != 0)
			breach("%s has mode %o", names[i], st.st_mode);
}

int
main(int argc, char *argv[])
{
	if (argc != 2 || chdir(argv[1]) == -1)
		return 2;
	umask(0);
	for (size_t i = 0; i < NMODES; i++) {
		change(modes[i]);
		create(modes[i]);
		by_struct(modes[i]);
		look();
	}
	tried(syscall(SYS_fchmodat, AT_FDCWD, "plain", 01777), "sticky");
	tried(syscall(SYS_openat, AT_FDCWD, "good", O_WRONLY | O_CREAT, 0755),
	    "a plain file");
	tried(syscall(SYS_openat, AT_FDCWD, "plain", O_RDONLY, 04755),
	    "open without creating, mode 4755");
	return verdict();
}
