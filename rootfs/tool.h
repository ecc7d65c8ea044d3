#ifndef ROOTFS_TOOL_H
#define ROOTFS_TOOL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * mayfly-rootfs: what reads and writes archives and the descriptions of
 * images. It is run by mayfly in a sandbox of its own, with nothing in reach
 * but the directory that it works in, because all that it reads may be made
 * to break it. What it finds it prints as "key=value" fields, each ended by a
 * NUL, which mayfly checks again.
 */

/* "mayfly-rootfs: ..." on stderr, and the end. */
void tool_die(const char *fmt, ...)
    __attribute__((__noreturn__, format(printf, 1, 2)));

/* Prints a field. */
void tool_say(const char *key, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A name from an archive, for a message: without what a terminal acts on. */
const char *tool_quote(const char *name);

/*
 * unpack ARCHIVE|-|tree:SOURCE DIR MAX_KB trusted|user BELOW|-: makes DIR from
 * a layer's archive, or from a directory. BELOW is what the layers make on
 * which it will lie.
 */
int tool_unpack(int argc, char **argv);

/* pack DIR: an archive of the tree DIR on stdout. */
int tool_pack(int argc, char **argv);

/*
 * The same of files of the host's. owned: of root's own, and it dies of one
 * whose owner can be none in an image.
 */
int tool_pack_files(const char *path, bool owned);

/* In an archive of a layer it says that what follows is not there any more. */
#define WHITEOUT ".wh."

/*
 * diff LAYER BELOW|- ALL|-: the same of what an image's layer adds to what lies
 * below it, which BELOW shows; what both make, ALL shows. The first one has
 * nothing below it.
 */
int tool_diff(int argc, char **argv);

/* describe DIR: the one image of an OCI layout. */
int tool_describe(int argc, char **argv);

/*
 * A tree that is being made. Every name is resolved in it as in a root: a link
 * may lead anywhere in the tree, and nowhere out of it.
 */
struct tree {
	int root;
	char name[128]; /* what is being made, for messages */
	char *asked, *parent; /* of the directory open at dir, or NULL: */
	int dir; /* as the archive calls it, and without links */
	int below; /* what the layers make that it lies on, or -1 */
	char *marked; /* the last directory with whiteouts, or NULL */
	bool implied; /* there are directories that the archive does not have */
	uint64_t implied_count; /* of them, made for the entry at hand */
	bool one_id; /* nobody else can own a file here */
	bool user_xattr; /* overlay's attributes are user.*, and set here */
	struct late *late; /* directories, whose time comes last */
	size_t late_count, late_size;
};

/* What a file has beside its content. */
struct owner {
	mode_t mode;
	uint64_t uid, gid;
	struct timespec mtime;
};

void
tree_open(struct tree *t, const char *path, bool user_xattr, const char *below);

/*
 * Makes what leads to name the directory t->dir, and returns the last part of
 * name; NULL for the tree itself. Dies of a name that cannot be.
 */
const char *tree_enter(struct tree *t, const char *name);

/* These make base in t->dir, in the place of what is there. */
void tree_directory(
    struct tree *t, const char *name, const char *base, const struct owner *o);
int tree_file(struct tree *t, const char *base); /* to be written; then: */
void tree_finish_file(struct tree *t, int fd, const struct owner *o);
void tree_symlink(struct tree *t, const char *base, const char *target,
    const struct owner *o);
void tree_fifo(struct tree *t, const char *base, const struct owner *o);
void tree_link(struct tree *t, const char *name, const char *target);

/* What the layers below have of that name is not to be seen. */
void tree_whiteout(struct tree *t, const char *name, const char *base);
/* The same of all that they have in this directory. */
void tree_opaque(struct tree *t, const char *dir);

/* Sets what waited for the end. */
void tree_close(struct tree *t);

/* For tool_path.c: how a name in a tree is resolved; its parts. */
#define TREE_RESOLVE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

struct stat;
bool tree_is_whiteout(const struct stat *st);
void tree_set_owner(
    struct tree *t, int fd, const char *base, const struct owner *o, bool link);
/* The times of the directory path, which has no links, are set last. */
void tree_remember(struct tree *t, const char *path, const struct owner *o);

/*
 * tool_path.c: the directory path, made where it is missing with all that leads
 * to it, as it is below where it is there; its name without links is in
 * resolved, of PATH_MAX bytes. -1/errno.
 */
int tree_open_directory(struct tree *t, const char *path, char *resolved);

/* The attributes of the user's own, of one directory for another. */
void tree_copy_attributes(int from, int to);

#endif
