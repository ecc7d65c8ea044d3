#ifndef EXEC_SLOT_H
#define EXEC_SLOT_H

#include "config.h"
#include "fail.h"

/*
 * One of max_runs places for a run, or of max_pulls for a pull: exact however
 * many ask at once, and free again when its holder closes it or dies. A
 * descriptor, or -1 with the failure, whose error is EAGAIN when all are taken.
 */
int slot_take(const struct config *c, struct failure *f);
int slot_take_pull(const struct config *c, struct failure *f);

#endif
