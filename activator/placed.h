#ifndef ACTIVATOR_PLACED_H
#define ACTIVATOR_PLACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLLECT_MAX 256

/* A file that a request brings along. */
struct placed {
	char *path;
	char *data; /* NULL for an empty one */
	size_t len;
	uint32_t mode;
};

/* "0644": octal, up to 0777. 0 or -1. */
int placed_mode(const char *text, uint32_t *ret);

/* Not empty, not too long, and the name of something in a directory? */
bool placed_path_is_good(const char *path);

/* All of them as files.h wants them, malloc()ed, or NULL. */
char *placed_encode(const struct placed *all, size_t n, size_t *ret_len);

#endif
