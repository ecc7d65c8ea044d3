#ifndef EXEC_TTY_H
#define EXEC_TTY_H

#include <stdbool.h>
#include <termios.h>

/* The caller's terminal while the command has one of its own. */
struct tty {
	int fd; /* the caller's, or -1: it has none */
	bool raw;
	struct termios before;
};

/*
 * Takes the first of the descriptors that is a terminal, and passes every key
 * on as it is from now on: Ctrl-C is the command's.
 */
void tty_take(struct tty *t, const int *fds, int n);

/* Gives the terminal of the command, at its master, the caller's size. */
void tty_copy_size(const struct tty *t, int master);

/* As it was. */
void tty_restore(struct tty *t);

#endif
