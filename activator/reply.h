#ifndef ACTIVATOR_REPLY_H
#define ACTIVATOR_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"

/* A client that takes nothing for so long is given up. */
#define REPLY_PATIENCE_MS 30000

/* The response to one request. */
struct reply {
	int client;
	int minor; /* of the request's HTTP version */
	bool head_only; /* the request was a HEAD */
	char request_id[65];
	int status; /* what has been answered, 0 for nothing yet */
};

/*
 * Answers with the bytes as a whole. allow: the methods there are, or NULL.
 * 0, or -1 when the client has gone.
 */
int reply_whole(struct reply *r, int status, const char *type, const char *data,
    size_t len, const char *allow);

/* {"code", "message", "request_id"}. */
int reply_error(
    struct reply *r, enum error error, const char *message, const char *allow);

/* Status 200 and the head of a body that comes in parts. */
int reply_begin(struct reply *r, const char *type);

/* "100 Continue", where the client waits for it. */
int reply_continue(struct reply *r);

/* Sends all of it, waiting for the client as long as it takes some. */
int reply_send(struct reply *r, const char *data, size_t len);

#endif
