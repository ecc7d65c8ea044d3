#ifndef ROOTFS_MAKE_H
#define ROOTFS_MAKE_H

#include "config.h"
#include "fail.h"
#include "image.h"
#include "pulls.h"

/* Where an image comes from, and how it is to be had. */
struct source {
	const char *text; /* docker://..., oci:..., a file, a directory */
	const char *name; /* of the image to be, or NULL: the source's own */
	const char *authfile; /* of containers-auth.json(5), or NULL */
	const char *platform; /* "OS/ARCH", or NULL: the machine's */
	bool plain_http;
	/* Instead of authfile: who is asked for at this registry, or NULL. */
	const char *registry, *username, *password;
	struct pull *pull; /* that it is, for a caller who does not wait */
	const char *distro, *include, *mirror; /* of an image that is built */
};

/* Is there what make_pull() cannot do without? 0, or -1 with f. */
int make_can_pull(struct failure *f);

/* Begins m with the name that s must say. 0, or -1 with f. */
int make_check_name(const struct source *s, struct image *m, struct failure *f);

/*
 * Each makes an image known under its name, or leaves nothing. m is what it
 * is then, and the caller's to free also on failure. 0, or -1 with f; where
 * the step is "usage" the call was wrong.
 */
int make_pull(const struct config *c, const struct source *s, struct image *m,
    struct failure *f);
int make_import(const struct config *c, const struct source *s, struct image *m,
    struct failure *f);
int make_import_directory(const struct config *c, const struct source *s,
    struct image *m, struct failure *f);
int make_build(const struct config *c, const struct source *s, struct image *m,
    struct failure *f);
int make_from_dockerfile(const struct config *c, const struct source *s,
    struct image *m, struct failure *f);

#endif
