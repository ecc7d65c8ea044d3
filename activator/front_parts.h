#ifndef ACTIVATOR_FRONT_PARTS_H
#define ACTIVATOR_FRONT_PARTS_H

#include <stdnoreturn.h>

#include "errors.h"
#include "http.h"
#include "message.h"
#include "reply.h"
#include "request.h"
#include "routes.h"

/* One request. */
struct front {
	struct reply reply;
	struct http_head head;
	char buf[HTTP_HEAD_MAX]; /* the head, and what came with it */
	size_t len, head_len;
	const struct route *route;
	int no_route; /* status where there is none */
	char id[ROUTE_HOLE_MAX + 1]; /* or name, in the path, or "" */
	char allow[64]; /* methods of the path */
	struct body body;
	char *text; /* of the body, ended */
	size_t text_len;
	bool unread; /* the client may be sending more */
	bool waits; /* for the broker to say whether the caller may ask */
	struct note note;
};

/* Ends: with a word for the log, and without a reset for the client. */
noreturn void front_leave(struct front *f);

/* Answers with an error, and ends. why is a sentence, allow as reply_error().
 */
noreturn void front_refuse(
    struct front *f, enum error error, const char *why, const char *allow);

/*
 * Waits for the broker's word on who asks, once; ends where that is no. What
 * the client could learn something from comes after this: whether there is such
 * a path, what its body should be, and that somebody reads it.
 */
void front_be_admitted(struct front *f);

/*
 * Waits until the client has sent something, to the moment until of
 * sys_now_ms(); false when it is too late.
 */
bool front_wait_client(int64_t until);

/* front_body.c: reads the body, which is wanted, into text. */
void front_read_body(struct front *f);

#endif
