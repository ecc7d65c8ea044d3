#ifndef EXEC_STATE_H
#define EXEC_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "fail.h"

#define STATE_RANDOM 17 /* digits of a name that nobody can guess: 87 bits */

/* The directories on disk that sessions need. */
struct state {
	int dir; /* state_dir */
	int sessions;
	int trash;
};

/*
 * Opens them and makes what is missing. Those that hold what others wrote are
 * the caller's alone: another owner, a wider mode or a link is refused. 0, or
 * -1 with f.
 */
int state_open(const struct config *c, struct state *st, struct failure *f);

void state_close(struct state *st);

/*
 * One more directory like those, in dir, made where it is missing. -1 with f.
 */
int state_open_private(int dir, const char *name, struct failure *f);

/*
 * The present user's home: HOME, and where that is not set, as it is not for
 * what inetd starts, that of /etc/passwd. NULL: there is none. As getpwuid()
 * it is there until that is called again.
 */
const char *state_home(void);

/*
 * Where the state of the present user is: state_dir for root and for whoever
 * sets MAYFLY_STATE_DIR, else in $XDG_STATE_HOME or ~/.local/state. 0, or -1
 * where there is no home either, or the path is longer than size.
 */
int state_path(const struct config *c, char *buf, size_t size);

/*
 * Makes the directories that lead to path, and path, which is as it was
 * afterwards. 0 or -1/errno.
 */
int state_make_path(char *path);

/* Is there less room than min_free? Then 0 becomes -1 with f. */
int state_check_room(
    const struct config *c, const struct state *st, struct failure *f);

/*
 * An empty directory in the trash, locked, so that the reaper leaves it. Its
 * descriptor, or -1/errno.
 */
int state_make_locked(const struct state *st, const char *name);

/* Random digits and letters, of which n are written. 0 or -1/errno. */
int state_random(char *buf, size_t n);

/*
 * Does what is open at fd still have this name in dir? Whoever has waited for
 * a lock has to ask. Where not, errno is ENOENT, or why it cannot be told.
 */
bool state_is_there(int dir, const char *name, int fd);

#endif
