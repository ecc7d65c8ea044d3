#ifndef EXEC_NET_H
#define EXEC_NET_H

#include "fail.h"
#include "ids.h"
#include "plan.h"

/*
 * Making a network namespace takes as long as all the mounts together, so
 * root's supervisor makes it while the sandbox builds, and lends it: it stays
 * in it itself, with no socket that has a name. 0, or -1 with f.
 */
int net_lend(int control, const struct ids *ids, enum network network,
    struct failure *f);

/*
 * Nothing of a caller's ran, or will, in the sandbox it was lent to: the next
 * one of this process gets the same.
 */
void net_keep(void);

/* Where this process is before that, and back there. */
void net_remember(void);
void net_return(void);

/*
 * Makes one for all runs with NETWORK_OFF of this process and those that it
 * starts. They have no way to anything in it: no socket but pairs that cannot
 * be named (FILTER_NOSOCKET), and none of them owns it. Where that cannot be,
 * each has its own.
 */
void net_share(void);

/* Its descriptor, which a new process is to keep; or -1. */
int net_shared(void);

#endif
