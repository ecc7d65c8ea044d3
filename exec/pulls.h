#ifndef EXEC_PULLS_H
#define EXEC_PULLS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "fail.h"
#include "image.h"
#include "state.h"

/*
 * Pulls that are asked for and not waited for:
 *
 *	pulls/NAME	the image of this name is being pulled while somebody
 *			has the file locked; else why it could not be
 *
 * Whoever removes the file ends the pull: nothing is published without it.
 */

#define PULL_WHY_MAX 511 /* bytes of a reason */

/* One that goes on: the lock, which its processes share. */
struct pull {
	char name[IMAGE_NAME_MAX + 1];
	int dir, fd; /* pulls, and the file */
};

enum pull_state {
	PULL_NONE,
	PULL_GOING,
	PULL_FAILED,
};

/* Makes the file and locks it. 0, or -1 with f: EBUSY where somebody has. */
int pulls_begin(const struct config *c, const char *name, struct pull *ret,
    struct failure *f);

/* Is the file still there? */
bool pulls_is_wanted(const struct pull *p);

/*
 * It has ended: with a reason, which is kept, or without one. Gives the lock
 * back.
 */
void pulls_end(struct pull *p, const char *why);

/* Closes what this process has of it; the file is as it was. */
void pulls_close(struct pull *p);

/* How that of an image stands; why is "" unless it has failed. */
enum pull_state pulls_look(
    const struct state *st, const char *name, char why[PULL_WHY_MAX + 1]);

/* The names of all files, by names_list(); none is no error. 0 or -1/errno. */
int pulls_list(const struct state *st, char ***ret, size_t *ret_n);

/* Removes the file; was there one? */
bool pulls_remove(const struct state *st, const char *name);

/* The same, unless it is locked. */
void pulls_forget(const struct state *st, const char *name);

/*
 * Removes the files of pulls that have ended more than an hour ago; say names
 * each. With dry nothing is done.
 */
void pulls_reap(const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error));

#endif
