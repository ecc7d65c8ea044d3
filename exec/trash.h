#ifndef EXEC_TRASH_H
#define EXEC_TRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "state.h"

enum trash_result {
	TRASH_GONE,
	TRASH_LEFT, /* there was more than the budget allows */
	TRASH_FAILED, /* something cannot be removed; all else is gone */
};

/*
 * Removes the tree `name` in the directory dir, whatever is in it: by
 * descriptors, without following a link or entering a mount. At most budget
 * entries. problem, unless NULL, is told what stays and the errno value that
 * says why. Very deep trees are taken apart: parts of them come to stand in dir
 * meanwhile, under names of their own.
 */
enum trash_result trash_tree(int dir, const char *name, uint64_t budget,
    void (*problem)(const char *name, int error));

/*
 * The same of a session that nobody can run in any more, or of a part of one:
 * also where files belong to the ids of /etc/subuid that an ordinary user's
 * sandbox had. The session's lock is the caller's.
 */
enum trash_result
trash_remove(const struct config *c, int dir, const char *name, uint64_t budget,
    void (*problem)(const char *name, int error));

/*
 * Removes what is in the trash and in nobody's hands. say names each; with
 * dry nothing else is done. Returns false where something could not be
 * removed.
 */
bool trash_empty(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error));

#endif
