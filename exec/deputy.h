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

#endif
