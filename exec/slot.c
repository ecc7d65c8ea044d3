#include "slot.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rundir.h"
#include "sys.h"

/* Byte n of the file stands for place n; a lock takes it. */
int
slot_take(const struct config *c, struct failure *f)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1
	};
	char dir[4096], path[4200];

	if (rundir_path(c, dir, sizeof(dir)) != 0)
		return failure_set(f, "slot", errno, "run_dir");
	(void)snprintf(path, sizeof(path), "%s/runs", dir);
	auto_fd fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failure_set(f, "slot", errno, "open %s", path);
	for (uint64_t i = 0; i < c->max_runs; i++) {
		/* Begun anywhere, so that few meet the same ones first. */
		lock.l_start = (off_t)(((uint64_t)getpid() + i) % c->max_runs);
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return sys_take(&fd);
		if (errno != EAGAIN && errno != EACCES)
			return failure_set(f, "slot", errno, "lock");
	}
	return failure_set(f, "slot", EAGAIN, "all are taken");
}
