#ifndef EXEC_USAGE_H
#define EXEC_USAGE_H

#include <stdbool.h>
#include <stdint.h>

/* What files take up on disk. */
struct usage {
	uint64_t kb;
	uint64_t inodes;
};

/* Is it more than most, by either? */
bool usage_is_more(const struct usage *u, const struct usage *most);

/*
 * Counts what is in the trees of these names in dir, NULL-terminated, and the
 * trees' own directories: by descriptors, without following a link or entering
 * a mount, and a file with several names once. Stops when it is more than
 * most, unless that is NULL; what is in ret is more then. A name that does not
 * exist is nothing. 0, or -1/errno: EACCES where a directory cannot be read,
 * ESTALE where directories were moved meanwhile.
 */
int usage_count(int dir, const char *const *names, const struct usage *most,
    struct usage *ret);

/*
 * Adds what has no name any more and so is in no tree: the files of overlays
 * that the processes of the /proc at proc have open. Stops at what is more
 * than most.
 */
void usage_count_open(int proc, const struct usage *most, struct usage *u);

#endif
