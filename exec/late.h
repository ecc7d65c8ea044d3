#ifndef EXEC_LATE_H
#define EXEC_LATE_H

#include "inside.h"

/*
 * What a sandbox that was prepared is told of the run it is for: everything
 * of a plan that nothing built depends on. It goes from the supervisor to
 * PID 1, which believes it, in one packet of at most so many bytes of text.
 */
#define LATE_TEXT_MAX 65536

/* Can the plan's words be told so? */
bool late_fits(const struct plan *p);

/* To PID 1 at the other end of control. 0 or -1/errno. */
int late_send(int control, const struct plan *p, uint64_t as_kb);

/*
 * In PID 1: makes the memory for it, which it shares with the command's process
 * until that one becomes the command. 0, or -1 with the failure.
 */
int late_open(struct inside *in);

/*
 * PID 1 waits for it, and fills the plan. Ends the process where the supervisor
 * ends without a word; or the command's process, which has the other end of the
 * pipe go.
 */
void late_receive(struct inside *in, int go);

/*
 * The command's process, when it is there: fills its plan, and wipes what PID 1
 * shall not keep.
 */
void late_take(struct inside *in);

#endif
