#ifndef EXEC_NET_H
#define EXEC_NET_H

#include <stdbool.h>
#include <stddef.h>

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
 * Makes one more for runs with NETWORK_OFF of processes that this one starts:
 * such a run leaves nothing in it, because it has no socket but pairs without a
 * name (FILTER_NOSOCKET), and so the next one can have the same; one at a time,
 * because /proc/net tells how many pairs there are. Where there is none left
 * each has a new one. False where no more are wanted, or it cannot be. A
 * process of it is the caller's to reap.
 */
#define NET_SPARES_MAX 16
bool net_spare(void);

/* Their descriptors, which those processes are to keep. */
size_t net_spares(const int **ret);

#endif
