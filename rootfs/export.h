#ifndef ROOTFS_EXPORT_H
#define ROOTFS_EXPORT_H

#include "config.h"
#include "fail.h"
#include "image.h"

/*
 * Writes the image as an OCI layout: target is "oci:DIR" with, perhaps, ":TAG",
 * and DIR is not there before, or empty. All of it is there afterwards, and on
 * disk, or nothing. 0, or -1 with f, where the step "usage" says that the call
 * was wrong.
 */
int export_image(const struct config *c, const struct image *m,
    const char *target, struct failure *f);

#endif
