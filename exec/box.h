#ifndef EXEC_BOX_H
#define EXEC_BOX_H

#include "config.h"
#include "fail.h"
#include "plan.h"
#include "verdict.h"

/*
 * Runs the plan in a fresh sandbox and waits for its end. Descriptors 0, 1
 * and 2 must be open. 0 with the verdict, which is the caller's to free; -1
 * with the step that failed. verdict->exec_error tells why a command that
 * could not be started was not.
 */
int box_run(const struct plan *p, const struct config *c, struct verdict *v,
    struct failure *f);

#endif
