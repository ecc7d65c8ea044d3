#ifndef EXEC_READY_H
#define EXEC_READY_H

#include "watch.h"

/*
 * A sandbox that is built before it is known what it is for. It waits, as
 * fresh as any other, with the command's streams (which are `direct`) and
 * nothing else of a run: that one's command, environment, directory, limits
 * and files are told to PID 1 when they come, which then starts the command
 * as always. It is for one run, or none.
 */

/*
 * Builds it in b, for plans like p, which stays. 0, or -1 with f: then there
 * is none. All stays as it is until the process ends or one of the others is
 * called.
 */
int ready_build(
    struct box *b, struct plan *p, const struct config *c, struct failure *f);

/* Is it what the plan asks for? */
bool ready_suits(const struct box *b, const struct plan *p);

/*
 * Begins the run in it: from now on it is as one that box_start() made. The
 * plan's streams are those of the one it was built for. 0, or -1 with f, and
 * the sandbox is no more.
 */
int ready_tell(
    struct box *b, const struct plan *p, struct verdict *v, struct failure *f);

/* Until the verdict, as box_verdict(). */
int ready_run(struct box *b);

/*
 * It will not be used: another sandbox, built now, gets what it has and nobody
 * has seen.
 */
void ready_spare(struct box *b);

/* Ends it, and gives all of it back. */
void ready_drop(struct box *b);

/* The other one, built after it and living longer, unblocks the signals. */
void ready_hand_mask(struct box *from, struct box *to);

#endif
