#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "defence.h"
#include "place.h"
#include "rundir.h"
#include "sys.h"

int
slot_take(const struct config *c, struct failure *f)
{
	char dir[4096], path[4200];
	uint64_t n;

	if (rundir_path(c, dir, sizeof(dir)) != 0)
		return failure_set(f, "slot", errno, "run_dir");
	(void)snprintf(path, sizeof(path), "%s/runs", dir);
	auto_fd fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failure_set(f, "slot", errno, "open %s", path);
	if (place_take(fd, DEFENCE(MAX_RUNS) ? c->max_runs : UINT32_MAX, NULL,
		NULL, &n) == 0)
		return sys_take(&fd);
	return failure_set(
	    f, "slot", errno, errno == EAGAIN ? "all are taken" : "lock");
}
