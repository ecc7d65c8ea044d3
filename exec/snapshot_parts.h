#ifndef EXEC_SNAPSHOT_PARTS_H
#define EXEC_SNAPSHOT_PARTS_H

#include "snapshot.h"

/* What the parts of the store of snapshots share. */

/*
 * Opens the state and the snapshots in it. Whoever only looks makes no
 * directory: SESSION_NOT_FOUND where there are none, and st is closed.
 */
enum session_result snapshot_open_all(
    const struct config *c, struct state *st, int *ret_fd, struct failure *f);

/* The record of the directory dir, which has the snapshot's id. */
enum session_result snapshot_read(int dir, const char *owner, const char *id,
    struct snapshot *n, struct failure *f);

/* Opens its directory, and reads its record, if it is the owner's. */
enum session_result snapshot_find(int snapshots, const char *owner,
    const char *id, struct snapshot *n, int *ret_dir, struct failure *f);

/* Replaces the record, synced; the directory is not. 0 or -1/errno. */
int snapshot_write(int dir, const struct snapshot *n);

/*
 * Without its record it is none, and that takes no room on a full disk. What
 * else there is the reaper removes where this is broken off. 0 or -1/errno.
 */
int snapshot_remove_files(int snapshots, const char *id, int dir);

/* SESSION_FAILED, with errno. */
enum session_result snapshot_failed(struct failure *f, const char *what);

#endif
