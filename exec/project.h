#ifndef EXEC_PROJECT_H
#define EXEC_PROJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "usage.h"

/*
 * Project quotas, of ext4, XFS and f2fs where they are mounted with them. Each
 * file has the number of a project, which it takes from its directory; the
 * kernel counts what all files of a project hold, and refuses what is beyond
 * the project's limits. Only root of the host can change either.
 *
 * Each session of root's is a project. Nowhere else is it written who has a
 * number: it is taken as long as a file has it, and so is in use until the
 * last file of a deleted session is gone, wherever mayfly was killed. Who
 * takes one gives it to a directory and then asks how many files have it: of
 * two who do so at once not both find that it is theirs alone, and who shares
 * one takes another. The numbers are those of the host ids of sandboxes.
 */

/* Does the file system at fd count projects and hold their limits? */
bool project_is_on(int fd);

/* And may the caller, root, set them? In a container's user namespace not. */
bool project_may_limit(const struct config *c, int fd);

/*
 * Makes what is open at fd one of the project of the directory dir, so that it
 * can be moved there. 0 or -1/errno.
 */
int project_join(int fd, int dir);

/*
 * Moves a directory that is to be removed: where nothing of another project may
 * come it joins that one. 0 or -1/errno.
 */
int project_discard(int from, const char *name, int to, const char *new_name);

/*
 * Lets directories of any project be moved into dir: what is made there has its
 * project no longer. 0 or -1/errno.
 */
int project_admit(int dir);

/*
 * Gives the n new and empty directories a number that nothing else has, which
 * all that is made in them will have as well. 0, also where there are no
 * projects; or -1/errno.
 */
int project_take(const struct config *c, const int *dirs, size_t n);

/*
 * Sets what all files of the project may hold to which the directory `name`
 * in dir belongs. PROJECT_NONE where it belongs to none of its own, or nobody
 * holds projects to their limits, or the caller may not set them. building:
 * the caller makes something there before others write. That takes room also
 * in place of what has just been removed, since XFS takes its time with that.
 * So a project that is full has some to spare: PROJECT_SPARE, until this is
 * called again with building false.
 */
enum project_limited { PROJECT_NONE, PROJECT_HELD, PROJECT_SPARE };
enum project_limited project_limit(
    int dir, const char *name, const struct usage *most, bool building);

/*
 * What all files of the project hold, in KB: the kernel's own account. 0, or
 * -1 where there is none.
 */
int project_used(int dir, const char *name, uint64_t *ret_kb);

/* Takes the limits away again, where there are any and the caller may. */
void project_unlimit(int dir, const char *name);

#endif
