#ifndef ROOTFS_SOURCE_H
#define ROOTFS_SOURCE_H

#include <limits.h>
#include <stdbool.h>

#include "fail.h"
#include "image.h"
#include "make.h"

/* Where skopeo finds an image. */
struct place {
	char text[PATH_MAX + 64]; /* as it is called inside */
	char path[PATH_MAX]; /* on the host; it is WORK_SOURCE inside */
	bool is_here; /* else the network has it, and there is no path */
};

/* 0, or -1 with f. */
int source_find(const struct source *s, struct place *ret, struct failure *f);

/*
 * The name of the image to be: what s says, or else the source's own. 0, or
 * -1 with f.
 */
int source_name(
    const struct source *s, char ret[IMAGE_NAME_MAX + 1], struct failure *f);

/* The digest by which a registry is asked for it: "sha256:HEX", or NULL. */
const char *source_digest(const struct source *s);

/*
 * User and password as HTTP and containers-auth.json(5) have them, or NULL
 * where there are none; for source_forget().
 */
char *source_token(const struct source *s);
void source_forget(char *token);

#endif
