#ifndef EXEC_DISK_H
#define EXEC_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "fail.h"
#include "limit.h"
#include "plan.h"
#include "tally.h"
#include "usage.h"

/*
 * What a session holds on disk, during a run in it. Where it is a project of
 * its own (project.h), the kernel refuses what is beyond `session_disk`, and
 * nothing else is to be done. Elsewhere it is looked at.
 *
 * To count all files of a session takes a microsecond for each, so that is
 * not done where it can be helped. What is asked often is how much more the
 * whole file system holds than when they were counted last: a session can
 * hold no more than it did then and that, but for what others have removed
 * meanwhile. Only when that would be too much are they counted, by a process
 * of its own; and at the end of the run, which then has the reason `disk` if
 * it leaves more than it may. What a session holds stands in its lock file
 * until the next run.
 *
 * A file without a name is in no tree. Those are found that processes have
 * open; but one can be mapped and closed, or on its way through a socket. So
 * where there is less than `min_free`, a run is ended during which the file
 * system has come to hold more than the session may: it, or somebody else.
 */
struct disk {
	enum enforcer by; /* ENFORCED_NONE also where there is no session */
	const struct config *config;
	int session, lock; /* the plan's */
	struct usage most;
	struct usage counted; /* what it held at the last count */
	struct usage around; /* what the whole file system held then */
	bool spare; /* the quota has room to build, which it must not keep */
	bool blind; /* the file system does not know how many inodes it has */
	struct usage at_first; /* the same when the run began */
	uint64_t free_kb; /* for root */
	uint64_t opened_us; /* CLOCK_MONOTONIC */
	uint64_t counted_us; /* when it was counted, or the run began */
	uint64_t cost_us; /* what a count takes */
	uint64_t spared_us; /* of runs since the last count, before this one */

	struct tally tally;
	uint64_t again_us; /* not before this moment */
	struct usage then; /* `around` when the tally began */
	uint64_t then_us;
};

/*
 * Before a run. -1 with f, step `limits`, where the session holds more than
 * it may and only looking could keep it from growing; else 0. Ends with
 * disk_close(), also after a failure.
 */
int disk_open(struct disk *d, const struct config *c, const struct plan *p,
    struct failure *f);

/* All is built, and the command starts. */
void disk_built(struct disk *d);

/*
 * Looks: is there too much already? ret_us: how many microseconds later to
 * look again, or UINT64_MAX. proc: the sandbox's /proc; cpus: how many CPUs it
 * can use.
 */
bool disk_look(struct disk *d, int proc, unsigned cpus, uint64_t *ret_us);

/* After d->tally.result is readable: does it hold more than it may? */
bool disk_is_over(struct disk *d);

/*
 * What a session holds is nothing any more: for who has its lock. The other one
 * is what it held when that was last counted or estimated, in KB; 0 or -1.
 */
void disk_forget(int lock);
int disk_recall(int lock, uint64_t *ret_kb);

/* All of the run has ended. Does it leave more than the session may hold? */
bool disk_close(struct disk *d);

#endif
