#ifndef ROOTFS_LAYOUT_H
#define ROOTFS_LAYOUT_H

#include "fail.h"
#include "image.h"
#include "work.h"

/* The OCI layout that was fetched, as the programs that read it find it. */
#define LAYOUT "/mnt/oci"
#define BLOBS LAYOUT "/blobs/sha256"

/* Is each file what its name says? 0, or -1 with f. */
int layout_verify(const struct work *w, struct failure *f);

/* What its one image is, into m. 0, or -1 with f. */
int layout_describe(const struct work *w, struct image *m, struct failure *f);

#endif
