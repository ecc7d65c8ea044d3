#ifndef EXEC_RELAY_H
#define EXEC_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verdict.h"

#define RELAY_SIZE 65536

/*
 * Carries bytes from one descriptor to another, or into memory, without ever
 * blocking: a reader that is slow holds back the writer, not this process.
 */
struct relay {
	int from; /* -1 once nothing more comes */
	int to; /* -1: into kept, or nowhere */
	struct kept *kept; /* told of a truncation; and with keeps, given all */
	bool keeps;
	uint64_t limit; /* bytes to let through, LIMIT_UNSET for all */
	uint64_t passed;
	int error; /* errno of a failed write, or 0 */
	bool whole; /* also EPIPE is one */
	bool over; /* the limit is passed: no more is read */
	bool to_socket;
	bool to_blocks; /* writing may block: only in small pieces */
	bool to_is_ours; /* opened here, close it at the end */
	bool owns_from; /* close `from` at its end */
	int from_index, to_index; /* in the pollfd array, or -1 */
	size_t start, len; /* what is in buf, not yet written */
	char last; /* what was written last, at first a newline */
	char *buf; /* RELAY_SIZE bytes, the caller's */
};

enum relay_state {
	RELAY_GOES_ON,
	RELAY_OVER, /* the limit is passed: what is within it was carried */
};

/* Nothing to carry yet; buf has RELAY_SIZE bytes. */
void relay_init(struct relay *r, char *buf);

/*
 * Sets up the writing end for a descriptor that others share, whose flags
 * must not be changed: a second open file description where there can be one.
 */
void relay_to_shared(struct relay *r, int fd);

/* Adds what to wait for; returns the new count. At most two entries. */
int relay_poll(struct relay *r, struct pollfd *fds, int n);

/* Reads and writes what is possible after poll(2). */
enum relay_state relay_move(struct relay *r, const struct pollfd *fds);

/* Is there, or may there come, anything to carry? */
bool relay_pending(const struct relay *r);

/* Gives up both ends. */
void relay_close(struct relay *r);

#endif
