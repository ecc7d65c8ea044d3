#ifndef ACTIVATOR_STREAM_H
#define ACTIVATOR_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "reply.h"

/* Events on their way to a client: mayfly-api(7). */
struct stream_out {
	struct reply *reply;
	bool is_sse; /* text/event-stream, else application/x-ndjson */
	struct json event; /* being made */
	char *data; /* made, framed, not all sent */
	size_t start, len;
	int64_t last_ms; /* of an event */
};

/* Begins the response. 0, or -1 when the client has gone. */
int stream_begin(struct stream_out *s, struct reply *r, bool is_sse);

/* Opens an event of this type; its members go to s->event. */
void stream_open(struct stream_out *s, const char *type);

/* Puts it behind what is to be sent. 0, or -1 for want of memory. */
int stream_close(struct stream_out *s);

/* Puts a whole event there, whose text ends with its newline. */
int stream_put(struct stream_out *s, const char *event, size_t len);

/* Sends what can be sent without waiting. 0, or -1 when the client has gone. */
int stream_flush(struct stream_out *s);

/* After the last event: waits until all is sent. */
int stream_end(struct stream_out *s);

/*
 * How many bytes at the end of data are the beginning of a character that
 * may still become whole.
 */
size_t stream_tail(const char *data, size_t len);

#endif
