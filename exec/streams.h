#ifndef EXEC_STREAMS_H
#define EXEC_STREAMS_H

#include "watch.h"

/* The two ends of one of the command's streams, or -1. */
struct ends {
	int ours, theirs;
};

/*
 * A pipe between the command, which reads where it is input, and whoever does
 * not wait at the other end. 0 or -1/errno, with what there is in the results.
 */
int streams_pipe(bool input, int *ret_theirs, int *ret_ours);

/* Makes the pipes that the plan wants. 0, or -1 with the failure. */
int streams_open(struct box *b, struct ends e[3]);

/*
 * Closes the command's ends, which it has, and connects ours with where the
 * plan says that they lead.
 */
void streams_connect(struct box *b, const struct ends e[3]);

#endif
