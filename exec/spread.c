#include "spread.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* How many threads of the machine run or wait for a CPU; -1 if unknown. */
static int
count_running(void)
{
	char text[64];
	auto_fd fd = openat(AT_FDCWD, "/proc/loadavg", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *slash;

	if (n <= 0)
		return -1;
	/* "0.20 0.18 0.12 1/80 11206" */
	text[n] = '\0';
	slash = strchr(text, '/');
	while (slash != NULL && slash > text && slash[-1] != ' ')
		slash--;
	return slash != NULL ? atoi(slash) : -1;
}

void
spread(pid_t pid)
{
	cpu_set_t all, others;
	int running;

	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return;
	/*
	 * The scheduler tends to let a new process wait for its parent's CPU,
	 * which costs 0.4 ms when both have that much to do. But where every
	 * CPU is busy it knows best.
	 */
	running = count_running();
	if (running < 0 || running > CPU_COUNT(&all))
		return;
	others = all;
	CPU_CLR((size_t)sched_getcpu(), &others);
	if (CPU_COUNT(&others) > 0 &&
	    sched_setaffinity(pid, sizeof(others), &others) == 0)
		(void)sched_setaffinity(pid, sizeof(all), &all);
}
