#ifndef ROOTFS_IMAGE_VERBS_H
#define ROOTFS_IMAGE_VERBS_H

#include "config.h"
#include "fail.h"

/* The verbs of `mayfly image` that only read. Each returns the exit code. */
int image_list(const struct config *c);
int image_show(const struct config *c, const char *name);

/* The same as the objects of mayfly-api(7). */
int image_list_json(const struct config *c);
int image_show_json(const struct config *c, const char *name);

/* These say why on stderr, and return the exit code. */
int image_fail(const struct failure *f);
int image_not_found(const char *name);

#endif
