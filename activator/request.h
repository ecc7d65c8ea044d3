#ifndef ACTIVATOR_REQUEST_H
#define ACTIVATOR_REQUEST_H

#include <stddef.h>

#include "http.h"
#include "jsonread.h"
#include "message.h"
#include "routes.h"

/*
 * A request as the front has it: what the broker is told, and what only the
 * sandbox is given. All of it points into the body or is malloc()ed and
 * lasts as long as the process.
 */
struct body {
	struct request request;
	char *in; /* for the command's stdin */
	size_t in_len;
	char *files; /* in the form of files.h, ended; NULL for none */
	size_t files_len;
};

/*
 * Reads the object for this route from text, which is changed in place. 0, or
 * -1 with d->code and a sentence in d->why that names the byte or the field.
 */
int request_read(struct body *b, const struct route *r, char *text, size_t len,
    struct json_doc *d);

/* The query's parameters. 0, or -1 with a sentence. */
int request_read_query(struct body *b, const struct route *r,
    const struct http_head *h, char *why, size_t size);

#endif
