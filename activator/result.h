#ifndef ACTIVATOR_RESULT_H
#define ACTIVATOR_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "verdict.h"

/* A file that came back. */
struct collected {
	const char *path; /* as it was asked for */
	char *data;
	size_t len;
	uint64_t size; /* of the file, which may be more */
};

/*
 * The members of the result of mayfly-api(7), into one that is open; the
 * streams only where asked for.
 */
void result_put(struct json *j, const struct verdict *v, bool streams,
    const struct collected *files, size_t n);

#endif
