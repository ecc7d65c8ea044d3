#ifndef EXEC_FILTER_H
#define EXEC_FILTER_H

enum {
	FILTER_NOSUID = 1, /* nothing can be made set-user-id or set-group-id */
	FILTER_NOSOCKET = 2, /* no socket can be made */
	FILTER_SAMPLED = 4, /* disk space is taken only by writing to it */
};

/*
 * Confines the calling thread and all that comes after it to what filter.table
 * allows, and to the extras, which are FILTER_ values. no_new_privs must be set
 * before. 0, or -1/errno; a failure may leave some of the programs loaded.
 */
int filter_load(unsigned extra);

/* The same where filter_load() was called before, for more extras. */
int filter_add(unsigned extra);

#endif
