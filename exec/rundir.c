#include "rundir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "state.h"

int
rundir_path(const struct config *c, char *buf, size_t size)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	char state[4096];
	int n;

	if (geteuid() == 0 || getenv("MAYFLY_RUN_DIR") != NULL) {
		n = snprintf(buf, size, "%s", c->run_dir);
	} else if (base != NULL && *base == '/') {
		n = snprintf(buf, size, "%s/mayfly", base);
	} else {
		if (state_path(c, state, sizeof(state)) != 0) {
			errno = ENOENT;
			return -1;
		}
		n = snprintf(buf, size, "%s/run", state);
	}
	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return state_make_path(buf);
}
