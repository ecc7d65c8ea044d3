#ifndef EXEC_RUNDIR_H
#define EXEC_RUNDIR_H

#include <stddef.h>

#include "config.h"

/*
 * The directory for what lasts no longer than the machine runs: run_dir for
 * root and for whoever sets MAYFLY_RUN_DIR, else the user's own in
 * $XDG_RUNTIME_DIR, or in the state directory where that is not set. It is
 * made where it is missing. 0 or -1/errno.
 */
int rundir_path(const struct config *c, char *buf, size_t size);

#endif
