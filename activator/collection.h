#ifndef ACTIVATOR_COLLECTION_H
#define ACTIVATOR_COLLECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "result.h"

/* All that comes back of files; what is beyond is cut off. */
#define COLLECTION_MAX (16U << 20)

/* The files that come back from a sandbox, one after the other. */
struct collection {
	int fd; /* -1 once all have come */
	char **names; /* that were asked for */
	size_t name_count;
	struct file_out head;
	size_t head_len; /* of the head, read */
	uint64_t left; /* of the content */
	struct collected *files;
	size_t count;
	size_t room;
	bool whole; /* it came to its end */
};

/* fd is closed at the end. 0, or -1 for want of memory. */
int collection_begin(struct collection *l, int fd, char **names);

/*
 * Reads some. What cannot be ends the collection: it comes out of the
 * sandbox, which is not to be believed.
 */
void collection_read(struct collection *l);

#endif
