#ifndef ROOTFS_PROGRAM_H
#define ROOTFS_PROGRAM_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "fail.h"

#define PROGRAM_WORDS_MAX 16

/*
 * A program of the machine's that runs as the caller, as it would by hand, but
 * in a process group of its own: there are some that end their group when they
 * fail, and it is told to stop when mayfly is, however that ends.
 */
struct program {
	char *words[PROGRAM_WORDS_MAX + 1]; /* words[0] is its path */
	size_t count;
	pid_t keeper;
	bool told; /* to stop, as mayfly was */
};

/* Where apt-get or an administrator has put it, until the next call; or NULL.
 */
const char *program_find(const char *name);

/* One more word for it. */
void program_add(struct program *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Starts it; ret_output, unless NULL, is what it writes, and the caller's to
 * close. It has nothing to read. 0, or -1 with f.
 */
int program_start(struct program *p, int *ret_output, struct failure *f);

/*
 * Waits until it has written something, or will not; false for the latter. It
 * is told to stop when mayfly is.
 */
bool program_await(struct program *p, int output);

/*
 * Waits for its end, which it is first told of where stop is true or mayfly is
 * told to stop. 0 when it has succeeded, else -1 with f.
 */
int program_wait(struct program *p, bool stop, struct failure *f);

void program_free(struct program *p);

#endif
