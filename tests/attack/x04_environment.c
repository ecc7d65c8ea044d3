/*
 * X4: the caller's environment, in the sandbox's own, in every process that
 * can be seen and in the memory that the program was started with.
 *
 * argv: the first half of a secret that stands in the caller's environment;
 * the second half is "secret". Halves, lest the argument itself be found.
 */
#include "attack.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static char needle[64];

static int
contains(const char *path)
{
	static char buf[1 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd == -1 ? -1 : read(fd, buf, sizeof(buf));

	if (fd != -1)
		close(fd);
	return n > 0 && memmem(buf, n, needle, strlen(needle)) != NULL;
}

static void
processes(void)
{
	static const char *const files[] = { "environ", "cmdline", "auxv",
		"stat", "status", "comm" };
	struct dirent *de;
	char path[300];
	DIR *d = opendir("/proc");

	while (d != NULL && (de = readdir(d)) != NULL)
		for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
			snprintf(path, sizeof(path), "/proc/%s/%s", de->d_name,
			    files[i]);
			if (contains(path))
				breach("%s has it", path);
		}
}

/* Above the environment the kernel put nothing but the file's name. */
static void
own_stack(void)
{
	char line[256];
	unsigned long from, to;
	FILE *f = fopen("/proc/self/maps", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strstr(line, "[stack]") != NULL &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2 &&
		    memmem((void *)from, to - from, needle, strlen(needle)))
			breach("the stack has it");
}

int
main(int argc, char *argv[])
{
	if (argc < 2)
		return 2;
	for (char **e = environ; *e != NULL; e++)
		puts(*e);
	snprintf(needle, sizeof(needle), "%s%s", argv[1], "secret");
	processes();
	own_stack();
	return verdict();
}
