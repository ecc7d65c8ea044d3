#ifndef EXEC_METER_H
#define EXEC_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "limit.h"

/*
 * What the whole sandbox has used. From its cgroup where there is one; else
 * summed over its /proc and the tmpfs, which misses what processes did that
 * came and went unseen by their parents.
 */
struct meter {
	const struct cgroup *cgroup;
	int proc; /* the sandbox's /proc, or -1: nothing to see yet */
	int root; /* its tmpfs, or -1 */
	unsigned cpus; /* that it can use at once */
	uint64_t cpu_us; /* highest seen */
	uint64_t sum_us; /* of the last look */
	uint64_t lost_us; /* of processes that vanished from the sum */
	uint64_t memory_kb; /* of the last look */
	uint64_t peak_kb;
};

void meter_init(struct meter *m, const struct cgroup *c, uint64_t cpus_milli);

/*
 * Reads CPU time, and memory where no cgroup holds it: exactly only when it
 * looks like more than limit_kb.
 */
void meter_read(struct meter *m, uint64_t limit_kb);

/*
 * Microseconds until the limits can be spent at the earliest, from the last
 * look on: so long nobody need look again. Not less than the cost of looking
 * is worth.
 */
uint64_t meter_next_us(const struct meter *m, const struct limits *l);

/* Is memory held by looking at it, for want of a cgroup? */
bool meter_samples_memory(const struct meter *m);

#endif
