#ifndef EXEC_FILES_H
#define EXEC_FILES_H

#include <sys/types.h>

#include <stdint.h>

#include "plan.h"

#define FILES_NAME_MAX 4095 /* bytes of a path */

#define FILES_END UINT64_MAX /* the index of the last file_out */

/*
 * Files that go in before the command starts, and come back after its end.
 * Both are done by a process inside, as the command's user, in its directory
 * and behind its filter: nobody outside resolves a path of the sandbox's.
 *
 * In: for each a file_in, its path, its content; one without a path ends.
 * Out: for each that is there and is a regular file a file_out, its content;
 * then one for no file, without which it is not known what else there is.
 */
struct file_in {
	uint32_t name_len; /* 0: the end */
	uint32_t mode; /* permission bits */
	uint64_t size;
};

struct file_out {
	uint64_t index; /* in plan->collect */
	uint64_t size; /* of the file */
	uint64_t len; /* of what follows, at most plan->collect_max */
};

/*
 * Reads plan->files_in to its end. 0, or -1 with errno and in name (of
 * FILES_NAME_MAX + 1 bytes) the path it was at.
 */
int files_place(const struct plan *p, char *name);

/*
 * Writes what plan->collect names to plan->files_out. 0, or -1/errno when what
 * is there cannot be read; then the end is missing.
 */
int files_collect(const struct plan *p);

#endif
