/*
 * A5, A6: what stands in /dev and which attributes the mounts carry.
 *
 * Prints the directory with types, modes and numbers, then every mount.
 */
#include "attack.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
show_entry(int dir, const char *name)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		printf("%s: %c %u:%u\n", name, S_ISCHR(st.st_mode) ? 'c' : 'b',
		    major(st.st_rdev), minor(st.st_rdev));
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dir, name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("%s -> %s\n", name, target);
	} else if (S_ISDIR(st.st_mode)) {
		printf("%s/\n", name);
	} else {
		breach("/dev/%s is neither a device, a link nor a directory",
		    name);
	}
}

static void
show_dev(void)
{
	struct dirent **names;
	int n = scandir("/dev", &names, NULL, alphasort);
	int dir = open("/dev", O_PATH | O_DIRECTORY);

	for (int i = 0; i < n; i++)
		if (names[i]->d_name[0] != '.')
			show_entry(dir, names[i]->d_name);
}

static int
has(const char *options, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = options; p != NULL && *p != '\0';
	     p = strchr(p, ',') == NULL ? NULL : strchr(p, ',') + 1)
		if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return 1;
	return 0;
}

static int
is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode);
}

/* Where a device may be opened: /dev, which nobody can write, the terminals,
 * which the kernel makes, a mount of one device and nothing else, and what
 * covers a directory of /proc, if it is empty. */
static int
may_have_devices(const char *path, const char *options)
{
	struct dirent **names;

	if (strcmp(path, "/dev/pts") == 0 || is_device(path))
		return 1;
	if (!has(options, "ro"))
		return 0;
	return strcmp(path, "/dev") == 0 ||
	       (strncmp(path, "/proc/", 6) == 0 &&
		   scandir(path, &names, NULL, NULL) == 2);
}

static void
check_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[4096], path[1024], options[1024];
	int mounts = 0;

	if (f == NULL) {
		breach("no mountinfo");
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%*s %*s %*s %*s %1023s %1023s", path,
			options) != 2)
			continue;
		mounts++;
		if (!has(options, "nosuid") && !is_device(path))
			breach("%s may hold setuid files: %s", path, options);
		if (!has(options, "nodev") && !may_have_devices(path, options))
			breach("%s may hold devices: %s", path, options);
		if (!has(options, "ro") && strncmp(path, "/usr", 4) == 0)
			breach("%s is writable", path);
		if (strstr(line, " shared:") || strstr(line, " master:"))
			breach("%s propagates: %s", path, line);
	}
	fclose(f);
	printf("mounts looked at: %s\n", mounts > 3 ? "several" : "too few");
}

int
main(void)
{
	show_dev();
	check_mounts();
	refused(open("/dev/console", O_RDWR | O_NOCTTY), "open /dev/console");
	refused(open("/dev/kmsg", O_RDONLY), "open /dev/kmsg");
	refused(open("/dev/mem", O_RDONLY), "open /dev/mem");
	refused(creat("/dev/new", 0644), "create in /dev");
	refused(unlink("/dev/null"), "unlink /dev/null");
	refused(rename("/dev/zero", "/dev/null"), "rename over /dev/null");
	refused(chmod("/dev/null", 0777), "chmod /dev/null");
	refused(link("/dev/null", "/tmp/null"), "link of /dev/null");
	return verdict();
}
