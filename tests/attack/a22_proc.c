/*
 * A22: every file of /proc and /sys, opened for writing and for reading.
 *
 * Prints "w PATH" for what opens for writing and "r PATH" for what gives at
 * least a byte. Process directories other than our own are left out, except
 * for PID 1; numbers in paths become N, so that the list can be compared.
 */
#include "attack.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static long files;

/* "/proc/self/task/17/fd/3" is the same finding as "/proc/self/task/N/fd/N".
 */
static void
report(char letter, const char *path)
{
	putchar(letter);
	putchar(' ');
	for (const char *p = path; *p != '\0'; p++) {
		if (p[0] == '/' && isdigit((unsigned char)p[1])) {
			fputs("/N", stdout);
			while (isdigit((unsigned char)p[1]))
				p++;
		} else {
			putchar(*p);
		}
	}
	putchar('\n');
}

/* Our null device, laid over a file that is hidden. */
static int
is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(1, 3);
}

/* A read that would block is one that gives nothing; some files wait even
 * though they were opened not to. */
static void
try_file(int dir, const char *name, const char *path)
{
	char buf[4096];
	int fd;

	files++;
	fd = openat(dir, name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd != -1) {
		if (!is_null(fd))
			report('w', path);
		close(fd);
	}
	fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return;
	alarm(1);
	if (read(fd, buf, sizeof(buf)) > 0)
		report('r', path);
	alarm(0);
	close(fd);
}

static int
foreign(const char *path, const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return strcmp(path, "/proc") == 0 && name[digits] == '\0' &&
	       strcmp(name, "1") != 0;
}

static void
walk(int at, const char *path)
{
	char below[PATH_MAX];
	struct dirent *de;
	struct stat st;
	DIR *d = fdopendir(at);

	if (d == NULL) {
		close(at);
		return;
	}
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0 || foreign(path, de->d_name))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, de->d_name);
		if (fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISDIR(st.st_mode))
			walk(openat(dirfd(d), de->d_name,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			    below);
		else if (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode))
			try_file(dirfd(d), de->d_name, below);
	}
	closedir(d);
}

static void
woken(int sig)
{
	(void)sig;
}

int
main(int argc, char *argv[])
{
	struct sigaction sa = { .sa_handler = woken };

	sigaction(SIGALRM, &sa, NULL);
	for (int i = 1; i < argc; i++)
		walk(
		    open(argv[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC), argv[i]);
	printf("files %s\n", files > 200 ? "many" : "few");
	return verdict();
}
