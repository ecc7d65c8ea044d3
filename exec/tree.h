#ifndef EXEC_TREE_H
#define EXEC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session.h"
#include "state.h"

/*
 * Who comes from whom. Each session's record names its parent; of one that
 * others come from, or may because it has snapshots, the file tree/ID says who
 * it was, whose and when, so that its children are related after it has gone.
 * It stays as long as a session or snapshot is left below it.
 */

/* Generations that are shown, of which half are ancestors at most; and all. */
#define TREE_DEPTH_MAX 120
#define TREE_MAX 20000

/* One that is, or was. Children stand behind their parent, the oldest first. */
struct relative {
	char id[SESSION_ID_LEN + 1];
	char parent[SESSION_ID_LEN + 1]; /* "" at the top */
	int64_t created_at;
	bool deleted;
	size_t depth; /* 0 at the top */
};

/* Notes it before it has children: s is a session's record. 0, or -1 with f. */
int
tree_note(const struct state *st, const struct session *s, struct failure *f);

/*
 * All relatives of the session from its oldest ancestor on, depth first; what
 * belongs to others is left out, with what only they connect. malloc()ed.
 */
enum session_result tree_show(const struct config *c, const char *owner,
    const char *id, struct relative **ret, size_t *ret_n, struct failure *f);

/*
 * Removes the notes that no session or snapshot needs. The caller has the
 * layers alone, so that nobody is making any; but not with dry, which only
 * counts. How many they are, or -1/errno.
 */
int tree_collect(const struct config *c, const struct state *st, bool dry);

#endif
