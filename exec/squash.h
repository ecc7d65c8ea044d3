#ifndef EXEC_SQUASH_H
#define EXEC_SQUASH_H

#include <stdbool.h>

#include "config.h"
#include "state.h"

/*
 * Makes one layer of all that runs have written where there are more than
 * STACK_HIGH of them: the same files by other names, and no data copied. It is
 * put into each manifest, of a session that nobody runs in or of a snapshot,
 * in place of those; which are collected when none names them. say names the
 * sessions and snapshots; problem is told of what cannot be.
 */
void squash_all(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error));

#endif
