#ifndef ACTIVATOR_AUTH_H
#define ACTIVATOR_AUTH_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "message.h"

/*
 * The other end of the connection, as the kernel says; one that has gone has no
 * address any more.
 */
struct peer {
	enum { PEER_UNIX, PEER_LOCAL, PEER_REMOTE, PEER_GONE } kind;
	uid_t uid; /* of a UNIX socket's */
	char text[64]; /* for the log: "uid:1000", "127.0.0.1:4711", "gone" */
};

/* Whom a request is made for. */
struct identity {
	char owner[SESSION_OWNER_MAX + 1];
	bool sees_all; /* other owners' sessions too */
	bool is_admin; /* may change images */
};

/* 0 or -1/errno; ENOTSUP for what is neither TCP nor a UNIX socket. */
int peer_read(int sock, struct peer *ret);

/*
 * As mayfly-api(7) says: may this caller call, and as whom? 0, or the status of
 * the refusal (401, 403, 500) with a sentence for the client in why and,
 * where it shall not know it all, another one for the log in because.
 */
int authorize(const struct config *c, const struct peer *p,
    const struct caller *who, struct identity *ret, char *why, char *because,
    size_t size);

/* Is host ("name[:port]") localhost, 127.0.0.1, [::1] or in the list? */
bool host_is_allowed(const char *host, const char *allowed);

#endif
