#ifndef ACTIVATOR_FEED_H
#define ACTIVATOR_FEED_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that go into the sandbox by a pipe; it is closed behind the last. */
struct feed {
	int fd; /* -1 once closed */
	const char *data;
	size_t len;
	bool lost; /* not all of it arrived, and not by the reader's will */
};

/* Writes what the pipe takes now. */
void feed_move(struct feed *f);

#endif
