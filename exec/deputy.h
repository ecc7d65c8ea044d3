#ifndef EXEC_DEPUTY_H
#define EXEC_DEPUTY_H

#include "config.h"

/*
 * An ordinary user's sandboxes leave files that belong to ids of /etc/subuid,
 * and directories that nobody may read. Does the work in a process that has
 * every right over them: in a user namespace with those ids. What work
 * returns, 0 to 255; or -1 when there is no such process, or it was killed.
 */
int
deputy_run(const struct config *c, int (*work)(void *context), void *context);

/*
 * The same for work that mostly takes no more than the caller's own rights: it
 * is done by the caller first, and by a deputy where that failed with EACCES
 * or EPERM. work returns an errno value, or 0. 0 or -1/errno.
 */
int
deputy_try(const struct config *c, int (*work)(void *context), void *context);

/*
 * Gives a directory of files that sandboxes left another name and place:
 * nothing is replaced. 0 or -1/errno.
 */
int deputy_rename(const struct config *c, int from, const char *name, int to,
    const char *new_name);

#endif
