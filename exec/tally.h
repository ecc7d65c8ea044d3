#ifndef EXEC_TALLY_H
#define EXEC_TALLY_H

#include <sys/types.h>

#include <stdbool.h>

#include "config.h"
#include "usage.h"

/*
 * Counts what the runs of the session, whose directory it is, have left on
 * disk, with whatever rights that takes. Ends where it is more than most, and
 * ret is more then. 0 or -1.
 */
int tally(const struct config *c, int session, const struct usage *most,
    struct usage *ret);

/* The same of one layer, in the state_dir that is open at dir, and all of it.
 */
int tally_layer(
    const struct config *c, int dir, const char *layer, struct usage *ret);

/*
 * The same, and what the processes of the /proc at proc have open besides; but
 * only where there are few files, which takes some 2 ms. 0 or -1.
 */
int
tally_few(int session, int proc, const struct usage *most, struct usage *ret);

/* A process that counts; { 0, -1 } where there is none. */
struct tally {
	pid_t pid;
	int result; /* readable once it has counted, or -1 */
};

/* Has all of it counted; t->result stays -1 where that is not possible. */
void tally_start(struct tally *t, const struct config *c, int session, int proc,
    const struct usage *most);

/* What came of it, once result is readable, and its end. 0 or -1. */
int tally_take(struct tally *t, struct usage *ret);

void tally_stop(struct tally *t);

#endif
