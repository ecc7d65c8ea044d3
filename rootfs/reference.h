#ifndef ROOTFS_REFERENCE_H
#define ROOTFS_REFERENCE_H

#include <stddef.h>

#define REFERENCE_MAX 1024 /* bytes of one */

/* An image of a registry, by its parts. */
struct reference {
	char host[262]; /* "name" or "name:port" */
	char path[REFERENCE_MAX + sizeof("library/")];
	char tag[129]; /* or "" */
	char digest[72]; /* or "" */
};

/*
 * Takes "docker://[HOST/]PATH[:TAG | @DIGEST]" apart as skopeo does: without a
 * host it is docker.io, and there without a directory in library/. 0, or -1
 * with a sentence for what is not exactly of this form.
 */
int reference_parse(
    const char *text, struct reference *ret, char *why, size_t size);

/* Puts the parts together again, with the host. */
void reference_format(const struct reference *r, char *buf, size_t size);

#endif
