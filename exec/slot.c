#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "defence.h"
#include "place.h"
#include "rundir.h"
#include "sys.h"

static int
take(const struct config *c, const char *name, uint64_t max, struct failure *f)
{
	char dir[4096], path[4200];
	uint64_t n;

	if (rundir_path(c, dir, sizeof(dir)) != 0)
		return failure_set(f, "slot", errno, "run_dir");
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	auto_fd fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failure_set(f, "slot", errno, "open %s", path);
	if (place_take(fd, max, NULL, NULL, &n) == 0)
		return sys_take(&fd);
	return failure_set(
	    f, "slot", errno, errno == EAGAIN ? "all are taken" : "lock");
}

int
slot_take(const struct config *c, struct failure *f)
{
	return take(c, "runs", DEFENCE(MAX_RUNS) ? c->max_runs : UINT32_MAX, f);
}

int
slot_take_pull(const struct config *c, struct failure *f)
{
	return take(
	    c, "pulls", DEFENCE(MAX_PULLS) ? c->max_pulls : UINT32_MAX, f);
}
