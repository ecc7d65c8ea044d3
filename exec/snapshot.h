#ifndef EXEC_SNAPSHOT_H
#define EXEC_SNAPSHOT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "session.h"
#include "state.h"

#define SNAPSHOT_NAME_MAX 128 /* bytes of its name, which is any text */

/*
 * What a session was at a moment: the directory snapshots/ID, with
 *
 *	meta	its record
 *	image	its manifest: all the layers, as they lay below the session
 *
 * It comes to be by a rename from the trash, whole and synced, and without its
 * record it is none. Neither file changes what it means: the reaper puts in how
 * much a layer holds, and one layer in place of several.
 */
struct snapshot {
	char name[SNAPSHOT_NAME_MAX + 1]; /* "" for none */
	uint64_t size_kb; /* of all that runs had written */
	bool counted; /* or that is what the last run thought */
	/*
	 * What a session made from it begins with: directory, variables,
	 * limits and image; its owner and moment. The id is the snapshot's,
	 * the parent is the session.
	 */
	struct session as;
};

/*
 * As text: a line with the format's version; then name, size_kb and counted as
 * "key=value", each ended by a NUL; then a session's record.
 */
#define SNAPSHOT_HEAD "mayfly-snapshot 1\n"

void snapshot_init(struct snapshot *n);
void snapshot_free(struct snapshot *n);

/* Can it be a snapshot's name? Bounded, UTF-8 aside, and no control bytes. */
bool snapshot_is_name(const char *name);

ssize_t snapshot_encode(const struct snapshot *n, char *buf, size_t size);
int snapshot_decode(
    struct snapshot *n, const char *data, size_t len, char *why, size_t size);

/*
 * Those of owner, or all where owner is NULL; as with sessions another's is
 * SESSION_NOT_FOUND.
 *
 * snapshot_take() waits for its turn in the session, as a run does. n has the
 * name and in as.owner whose it will be; the rest is filled in. It is on disk,
 * synced, when this returns SESSION_OK.
 */
enum session_result snapshot_take(const struct config *c, const char *owner,
    const char *id, int caller, struct snapshot *n, struct failure *f);

enum session_result snapshot_show(const struct config *c, const char *owner,
    const char *id, struct snapshot *n, struct failure *f);

/* Like session_list(); of: only those of this session, or NULL. */
enum session_result snapshot_list(const struct config *c, const char *owner,
    const char *of, const char *after, uint64_t limit,
    bool (*take)(void *context, const struct snapshot *n), void *context,
    struct failure *f);

enum session_result snapshot_delete(const struct config *c, const char *owner,
    const char *id, struct failure *f);

/*
 * session_create() from a snapshot: what s says goes before what the snapshot
 * does. SESSION_WRONG where there is none of that id.
 */
enum session_result snapshot_begin(const struct config *c, const char *owner,
    const char *id, struct session *s, struct failure *f);

/*
 * Makes count sessions of new_owner's that are what the session is now, and
 * go on by themselves. All of them or none; each is given to take.
 */
#define FORK_MAX 16
enum session_result session_fork(const struct config *c, const char *owner,
    const char *id, int caller, const char *new_owner, uint64_t count,
    void (*take)(void *context, const struct session *s), void *context,
    struct failure *f);

/* What one that is made of another has of it: all but owner and times. */
void session_inherit(struct session *to, const struct session *from);

/*
 * For the reaper: counts what nobody had the time to count, and removes what
 * crashes have left. problem is told of what cannot be.
 */
void snapshot_reap(const struct config *c, const struct state *st, bool dry,
    void (*problem)(const char *name, int error));

#endif
