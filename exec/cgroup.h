#ifndef EXEC_CGROUP_H
#define EXEC_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "fail.h"
#include "plan.h"
#include "verdict.h"

/*
 * A cgroup v2 of the sandbox's own, below that of mayfly where that one is
 * delegated: by its manager's mark (user.delegate or trusted.delegate), by
 * being the caller's, or by being the root of a cgroup namespace.
 */
struct cgroup {
	int parent; /* directory that holds it, or -1: there is none */
	int dir; /* its own, locked while somebody uses it */
	char name[64];
	bool memory, pids, cpu; /* controllers in force */
	uint64_t built_us; /* CPU time that is not the command's */
};

/* What every such directory's name begins with; `mayfly reap` looks for it. */
#define CGROUP_PREFIX "mayfly-run-"

/*
 * Makes the sandbox's cgroup and sets its limits; c->dir is -1 afterwards
 * when nothing is delegated here. -1 with f only when a delegated cgroup
 * refuses something it should not.
 */
int cgroup_open(struct cgroup *c, const struct plan *p, struct failure *f);

/* Where they differ, sets other limits before there is anything they are for.
 */
void cgroup_limit(
    struct cgroup *c, const struct limits *is, const struct limits *wanted);

/* Is the cgroup that this process is in delegated? For doctor. */
bool cgroup_is_delegated(void);

/*
 * Moves this process to the leaf in which it would be for a run, before it
 * makes others: where two are, neither can be moved by the other's doing.
 */
void cgroup_settle(void);

/* Ends every process in it. */
void cgroup_kill(const struct cgroup *c);

/* Removes it; all its processes have ended. */
void cgroup_close(struct cgroup *c);

/* Microseconds of CPU time, KB at most; was a process killed for memory? */
uint64_t cgroup_cpu_us(const struct cgroup *c);
uint64_t cgroup_peak_kb(const struct cgroup *c);
bool cgroup_was_oom(const struct cgroup *c);

/*
 * Removes cgroups of runs that nobody holds below the delegated one. Returns
 * how many; with dry_run only counts. Each is named to say().
 */
unsigned cgroup_reap(bool dry_run, void (*say)(const char *name));

#endif
