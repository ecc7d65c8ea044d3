#ifndef FAULTS_CLIENT_H
#define FAULTS_CLIENT_H

#include <sys/types.h>

/* One request over a UNIX socket. */
struct client {
	const char *socket; /* where; it is gone again afterwards */
	const char *request, *answer; /* files */
	uid_t uid; /* whose it is */
};

/*
 * Makes the socket, of which *ret_listener is the descriptor, and starts a
 * child that is connected to it: first in the queue, before there is a server.
 */
pid_t client_start(const struct client *c, int *ret_listener);

#endif
