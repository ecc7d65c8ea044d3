#ifndef EXEC_SUBIDS_H
#define EXEC_SUBIDS_H

#include <stdint.h>

/*
 * The files /etc/subuid and /etc/subgid: see subuid(5). A path that cannot be
 * read is a file without lines, as a line is nothing that has another form.
 */

/*
 * The first id of the caller's first range in the file, by name (or NULL) or
 * number, and in *ret_count how many there are; 0 for none.
 */
uint64_t subids_find(const char *path, const char *name, uint64_t *ret_count);

/* Where the file's first range that [start, +count) meets ends, or start. */
uint64_t subids_skip(const char *path, uint64_t start, uint64_t count);

#endif
