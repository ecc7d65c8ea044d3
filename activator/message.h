#ifndef ACTIVATOR_MESSAGE_H
#define ACTIVATOR_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limit.h"
#include "session.h"
#include "verdict.h"

/*
 * What front and broker say to each other, in this order:
 *
 *	front	caller			who asks, and with what credential
 *	broker	allowed | error
 *	front	request | note		note: answered without the broker;
 *					it need not wait to be allowed
 *	broker	answer | error | started (with descriptors), then verdict|error
 *		| started, then progress any number of times, then answer|error
 *	front	note			how it went, for the log
 *
 * While a command runs the front may send the one byte 'o', which box_run()
 * reads (plan.h). All of it goes over a socket pair that keeps packets apart.
 * Neither side believes the other: each value has its bound in message.c.
 */
enum message {
	MESSAGE_CALLER,
	MESSAGE_ALLOWED,
	MESSAGE_REQUEST,
	MESSAGE_ERROR,
	MESSAGE_ANSWER,
	MESSAGE_STARTED,
	MESSAGE_VERDICT,
	MESSAGE_NOTE,
	MESSAGE_PROGRESS,
	MESSAGE_MAX
};

/*
 * The descriptors that come with MESSAGE_STARTED, the front's ends; the last
 * two only where the request has files to place, or to collect.
 */
enum started_fd {
	STARTED_IN,
	STARTED_OUT,
	STARTED_ERR,
	STARTED_FILES, /* to place: files.h */
	STARTED_COLLECT,
	STARTED_MAX
};

/* Who asks. Texts that were not given are NULL. */
struct caller {
	char *method, *path; /* for the log */
	char *host, *origin, *token;
	char *request_id;
	uint64_t open; /* a route that needs no credential */
	uint64_t bad_credential; /* one that is not a bearer token */
};

#define USERNAME_MAX 1024 /* bytes */
#define PASSWORD_MAX 16384 /* tokens can be long */

/* What is asked; see routes.h for the verbs and which fields each has. */
struct request {
	uint64_t verb;
	char *id; /* of the session */
	char **command;
	uint64_t shell; /* the one text is /bin/sh's */
	char **env; /* "NAME=VALUE"; "NAME" removes */
	char *cwd, *user, *image, *snapshot, *name, *source;
	char *username, *password; /* at the registry of source */
	uint64_t network; /* enum network */
	char **collect;
	uint64_t files; /* some are to be placed */
	uint64_t streamed;
	char *limits[LIMIT_MAX]; /* as the limit's text */
	uint64_t has_ttl, has_expires;
	int64_t ttl, expires; /* SESSION_NEVER for null */
	uint64_t limit; /* of a list */
	char *after;
	uint64_t count;
};

/*
 * MESSAGE_ERROR, MESSAGE_ANSWER (body), MESSAGE_STARTED (id, output) and
 * MESSAGE_PROGRESS (text).
 */
struct answer {
	uint64_t status;
	uint64_t error; /* enum error, and a sentence */
	char *text;
	char *body; /* JSON, or NULL */
	char *id; /* of the run */
	uint64_t output; /* the limit in force, LIMIT_UNSET for none */
};

/* MESSAGE_NOTE: what the client got. */
struct note {
	uint64_t status; /* 0: it went away before */
	uint64_t output_over; /* the run's reason is `output` */
	char *why; /* of an answer that the broker did not give */
};

/* A message that was received; data is malloc()ed. */
struct packet {
	enum message type;
	char *data;
	size_t len;
	int fds[STARTED_MAX]; /* -1 where none came */
};

/*
 * Sends one; with descriptors. body points to the struct that belongs to the
 * type (MESSAGE_ALLOWED has none). 0 or -1/errno.
 */
int message_send(
    int link, enum message type, const void *body, const int *fds, int n);

/*
 * Waits for one. 1, 0 at the other's end, -1/errno (EPROTO for what breaks
 * the bounds).
 */
int message_receive(int link, struct packet *p);

/* Fills the struct of the packet's type. NULL, or what is wrong. */
const char *message_read(struct packet *p, void *to);

#endif
