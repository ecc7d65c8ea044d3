#ifndef ROOTFS_KNOWN_H
#define ROOTFS_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "image.h"
#include "work.h"

/* What images say of their layers: a name, and how much it holds. */
struct known {
	struct image_layer *layers;
	size_t count, size;
};

/* 0, or -1 with f. known_free() after either. */
int known_list(struct known *k, const struct config *c, struct failure *f);
void known_free(struct known *k);

/* Is it there, and is it known how much it holds? */
bool known_find(const struct known *k, const struct work *w, const char *name,
    struct image_layer *ret);

/*
 * Before and after a fetch: no layer that is there comes. 0, or -1 with f.
 */
int known_spare(const struct known *k, const struct work *w, struct failure *f);
int
known_unspare(const struct known *k, const struct work *w, struct failure *f);

#endif
