#ifndef ACTIVATOR_REQUEST_PARTS_H
#define ACTIVATOR_REQUEST_PARTS_H

#include "jsonread.h"
#include "request.h"

/* What each reader of a field is given. */
struct reader {
	struct body *b;
	struct json_doc *d;
	enum verb verb;
};

/* An array of strings, malloc()ed, with NULL at its end. */
int request_read_list(struct reader *r, const struct json_node *v, char ***ret);

/* request_files.c: what goes into the sandbox and comes back. */
int request_read_stdin(struct reader *r, const struct json_node *v);
int request_read_files(struct reader *r, const struct json_node *v);
int request_read_collect(struct reader *r, const struct json_node *v);

/* request_image.c: where an image comes from. */
int request_read_source(struct reader *r, const struct json_node *v);
int request_read_auth(struct reader *r, const struct json_node *v);

#endif
