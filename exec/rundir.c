#include "rundir.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

/* The directories that lead to path, and path. */
static int
make_path(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* What exists may be nobody's to write to. */
		if (access(path, F_OK) != 0 && mkdir(path, 0755) != 0 &&
		    errno != EEXIST) {
			*slash = '/';
			return -1;
		}
		*slash = '/';
	}
	return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
}

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
	return make_path(buf);
}
