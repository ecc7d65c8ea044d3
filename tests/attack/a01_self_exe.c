/*
 * A1: overwriting the runtime through /proc/PID/exe (CVE-2019-5736).
 *
 * Hunts for a way to the file that PID 1 executes: by link, by map, by
 * executing it, and by reopening for writing whatever could be opened.
 */
#include "attack.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An O_PATH descriptor is enough for the attack: it is reopened once the file
 * is no longer being executed. */
static void
reopen(int fd, const char *what)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	refused(open(link, O_WRONLY | O_CLOEXEC), "reopen %s to write", what);
}

static void
hunt(const char *path)
{
	char target[PATH_MAX];
	int fd;

	refused(readlink(path, target, sizeof(target)), "readlink %s", path);
	refused(open(path, O_WRONLY | O_CLOEXEC), "write %s", path);
	refused(truncate(path, 0), "truncate %s", path);
	refused(chmod(path, 0777), "chmod %s", path);
	refused(execl(path, path, (char *)NULL), "execute %s", path);
	refused(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/exe", AT_SYMLINK_FOLLOW),
	    "link %s", path);
	fd = open(path, O_PATH | O_CLOEXEC);
	refused(fd, "O_PATH %s", path);
	if (fd != -1)
		reopen(fd, path);
}

/* Whatever else is in the process table must be this program itself. */
static void
hunt_others(void)
{
	struct stat own, other;
	struct dirent *de;
	char path[300];
	DIR *proc;

	if (stat("/proc/self/exe", &own) == -1 ||
	    (proc = opendir("/proc")) == NULL) {
		breach("no /proc to hunt in: %s", outcome(errno));
		return;
	}
	while ((de = readdir(proc)) != NULL) {
		if (strspn(de->d_name, "0123456789") != strlen(de->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/exe", de->d_name);
		if (stat(path, &other) == 0 &&
		    (other.st_dev != own.st_dev || other.st_ino != own.st_ino))
			breach("%s is another program", path);
	}
	closedir(proc);
}

int
main(void)
{
	hunt("/proc/1/exe");
	hunt("/proc/1/task/1/exe");
	refused(open("/proc/1/map_files", O_RDONLY), "open /proc/1/map_files");
	refused(open("/proc/1/maps", O_RDONLY), "open /proc/1/maps");
	refused(open("/proc/1/root", O_PATH), "open /proc/1/root");
	hunt_others();
	return verdict();
}
