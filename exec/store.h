#ifndef EXEC_STORE_H
#define EXEC_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"
#include "state.h"

/*
 * What the parts of the session store share. A session is the directory
 * sessions/ID:
 *
 *	meta	its record, replaced by a rename
 *	lock	locked by whoever runs in it, and never removed alone
 *	cancel	a FIFO: readable once somebody is deleting the session
 *	upper	what its runs have written, as the upper directory of an overlay
 *	work	the overlay's own
 *
 * It comes to be by a rename from the trash, whole and synced, and ends by a
 * rename into it: a crash leaves nothing that is not in the trash already.
 */

/* Records are held for the moment that a change takes, in ms. */
#define RECORD_WAIT 5000

/* Opens the directory of a session. -1/errno. */
int store_open_dir(const struct state *st, const char *id);

/*
 * Reads the record into s, whose id it must have, and checks the owner:
 * another's is SESSION_NOT_FOUND.
 */
enum session_result store_read(int dir, const char *owner, const char *id,
    struct session *s, struct failure *f);

/*
 * What all begin with who are asked for one session: opens the state, in it
 * the session, and reads its record; NOT_FOUND where that is another owner's
 * or has expired. st and ret_dir are the caller's to close whatever comes of
 * it; ret_dir is -1 only where there is no such directory.
 */
enum session_result
store_find(const struct config *c, const char *owner, const char *id,
    struct state *st, int *ret_dir, struct session *s, struct failure *f);

/* The same in a state that is open, for an id that is one. */
enum session_result store_look(const struct state *st, const char *owner,
    const char *id, int *ret_dir, struct session *s, struct failure *f);

/*
 * Replaces the record, synced. Who calls it has locked the directory, if
 * others can see it. 0, or -1 with f.
 */
int store_write(int dir, const struct session *s, struct failure *f);

int64_t store_now(void);

/*
 * Has it expired? Idle time does not count while somebody runs in it: the
 * lock tells, unless it is the caller's own. 1, 0, or -1/errno when that
 * cannot be told.
 */
int store_is_expired(const struct session *s, int dir, bool locked);

/*
 * Takes it out of sight, into the trash under a new name. On a disk without
 * room for that name it stays in its place without a record, and ret_name is
 * "". 0 or -1/errno. dir is the session's; ret_name has room for
 * STORE_TRASH_SIZE.
 */
#define STORE_TRASH_SIZE (SESSION_ID_LEN + 1 + STATE_RANDOM + 1)
int
store_discard(const struct state *st, const char *id, int dir, char *ret_name);

/*
 * After that, for who has its lock: takes away at most budget entries of each
 * part of what it holds, which makes room for the name. 0 or -1/errno.
 */
int store_make_room(const struct config *c, const struct state *st,
    const char *id, int dir, uint64_t budget, char *ret_name);

/*
 * Discards what has expired and nobody runs in; say names each. problem,
 * unless NULL, is told what stays although it has expired, and why. Returns
 * how many, or -1/errno when it cannot be told of one, or be done: then the
 * others have gone all the same. With dry only says.
 */
int store_expire(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error));

/*
 * The ids of all sessions that come after `after` (or NULL), in order: those
 * that were made first come first. Each takes SESSION_ID_LEN + 1 bytes. 0, or
 * -1/errno.
 */
int store_list(
    const struct state *st, const char *after, char **ret_ids, size_t *ret_n);

/* A name for a new one; later ones sort after it. 0 or -1/errno. */
int store_make_id(char id[SESSION_ID_LEN + 1]);

/* How many there are; UINT64_MAX/errno when that cannot be told. */
uint64_t store_count(const struct state *st);

/* The same, or more than there are; never takes long for long. */
uint64_t store_bound(const struct state *st);

/*
 * There are so many, or will be when the caller has made one more; with the
 * lock of those who make sessions. 0, or -1/errno: then none is to be made.
 */
int store_note_count(const struct state *st, uint64_t count);

/*
 * Waits for the exclusive lock of the file or directory at fd, ms at most.
 * gone: a descriptor that is readable when there is nothing to wait for any
 * more, and caller: one whose hang-up, or whatever comes from it, ends the
 * wait; or -1. 0, or -1/errno: ETIMEDOUT, ECANCELED for gone, EPIPE for caller.
 */
int turn_wait(int fd, int caller, int gone, uint64_t ms);

/*
 * The same for a session's lock: also waits for what the last run has left
 * when that was killed.
 */
int turn_wait_run(int fd, int caller, int gone, uint64_t ms);

#endif
