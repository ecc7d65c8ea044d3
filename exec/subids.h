#ifndef EXEC_SUBIDS_H
#define EXEC_SUBIDS_H

#include <stdint.h>

#include "fail.h"

/* The caller's first ranges of /etc/subuid and /etc/subgid. */
struct subids {
	uint64_t uids, uid_count;
	uint64_t gids, gid_count;
};

/*
 * 1 when the caller has both and newuidmap(1) can be asked for them, 0, or -1
 * with f where that cannot be told: it would be other ids.
 */
int subids_find(struct subids *ret, struct failure *f);

/*
 * Has somebody been given any of the ids from start on? 1, 0, or -1 with f.
 */
int subids_meet(uint64_t start, uint64_t count, struct failure *f);

#endif
