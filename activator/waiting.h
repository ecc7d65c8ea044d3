#ifndef ACTIVATOR_WAITING_H
#define ACTIVATOR_WAITING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Connections of which nothing has come yet. A process is for a request, and
 * who only connects has none: so they wait here, at the cost of a descriptor
 * each, for FRONT_HEAD_MS at most. Nothing is read of what they send.
 */
struct waiting {
	int epoll; /* readable when one of them is */
	struct waiter {
		int next, last; /* in the order in which they came, or -1 */
		int64_t until_ms; /* CLOCK_MONOTONIC; 0: none waits here */
	} * slots; /* by descriptor */
	int size, oldest, newest;
	int count, max;
};

/*
 * For as many as there can be descriptors, but for own ones that the server has
 * a use for; the limit of these is raised to what it may be. 0 or -1/errno.
 */
int waiting_init(struct waiting *w, unsigned own);

/* Will nothing more come, whatever is there still to be read? */
bool waiting_has_ended(int sock);

/*
 * Is there anything of the connection to be read? Where it has ended without
 * that, *ret_gone is set.
 */
bool waiting_has_data(int sock, bool *ret_gone);

/*
 * Takes the connection over. Where there is no room, it is for the one that has
 * waited longest that there is none.
 */
void waiting_add(struct waiting *w, int sock);

/*
 * The next one with something to read, which is the caller's then; -1: there
 * is none. Closes those that it finds gone.
 */
int waiting_take(struct waiting *w);

/* Closes those whose time is up. */
void waiting_expire(struct waiting *w);

/* Milliseconds until that is to be done, or -1. */
int waiting_next_ms(const struct waiting *w);

/* Closes all of them, also in a new process, where they are not its own. */
void waiting_drop(struct waiting *w);

#endif
