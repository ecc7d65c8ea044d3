/*
 * A23: the kernel's log, symbols and memory.
 *
 * A masked file is our null device or an empty directory: it opens and gives
 * nothing. Prints how each file answers.
 */
#include "attack.h"

#include <sys/klog.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *const names[] = { "/dev/kmsg", "/dev/mem", "/dev/port",
	"/proc/kmsg", "/proc/kcore", "/proc/kallsyms", "/proc/keys",
	"/proc/key-users", "/proc/timer_list", "/proc/sched_debug",
	"/proc/latency_stats", "/proc/slabinfo", "/proc/vmallocinfo",
	"/proc/pagetypeinfo", "/proc/kpagecount", "/proc/kpageflags",
	"/proc/kpagecgroup", "/proc/config.gz", "/proc/interrupts",
	"/proc/mtrr", "/proc/1/stack", "/proc/self/stack", "/sys/kernel/notes",
	"/proc/schedstat", "/proc/dynamic_debug/control" };

static const char *const directories[] = { "/proc/acpi", "/proc/asound",
	"/proc/scsi", "/proc/driver", "/sys/kernel/debug", "/sys/firmware",
	"/sys/module", "/boot" };

static void
file(const char *name)
{
	char buf[64];
	int fd = open(name, O_RDONLY | O_NONBLOCK);
	ssize_t n = fd == -1 ? -1 : read(fd, buf, sizeof(buf));

	if (n > 0)
		breach("%s can be read", name);
	else
		printf("%s: nothing\n", name);
	if (fd != -1)
		close(fd);
}

static void
directory(const char *name)
{
	DIR *d = opendir(name);
	int entries = 0;

	while (d != NULL && readdir(d) != NULL)
		entries++;
	if (entries > 2)
		breach("%s has entries", name);
	else
		printf("%s: nothing\n", name);
	if (d != NULL)
		closedir(d);
}

int
main(void)
{
	char buf[256];

	for (int type = 0; type <= 10; type++)
		refused(klogctl(type, buf, sizeof(buf)), "syslog %d", type);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		file(names[i]);
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		directory(directories[i]);
	return verdict();
}
