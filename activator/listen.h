#ifndef ACTIVATOR_LISTEN_H
#define ACTIVATOR_LISTEN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#define LISTEN_MAX 16

/* A listening socket. */
struct listener {
	int fd;
	char path[108]; /* of one that we made, to be removed; or "" */
	dev_t dev; /* what is there then; it may be another's by now */
	ino_t ino;
	char text[160]; /* for people */
};

/*
 * Listens on "HOST:PORT", an address in numbers or localhost, or on a path,
 * where a socket that nobody listens on any more is replaced. 0, or -1 with a
 * sentence.
 */
int listen_on(struct listener *l, const char *where, char *why, size_t size);

/* Does the text have one of these forms? */
bool listen_is_place(const char *where);

/*
 * Takes over the sockets that systemd passes; sd_listen_fds(3). How many, or
 * -1 with a sentence.
 */
int listen_inherit(struct listener *all, char *why, size_t size);

/* Closes it, and removes what it has in the file system, if that is there. */
void listen_close(struct listener *l);

#endif
