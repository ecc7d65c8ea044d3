#ifndef EXEC_IMAGES_H
#define EXEC_IMAGES_H

#include "config.h"
#include "fail.h"
#include "image.h"
#include "plan.h"
#include "pulls.h"
#include "state.h"

/*
 * The images and layers on disk:
 *
 *	images/NAME/manifest	what an image is; replaced by a rename
 *	layers/sha256/HEX	one layer of images each, by the digest of its
 *				archive, or of that and of what it lies on,
 *				where it depends on it: shared, and never
 *				changed
 *	layers/id/ID		one layer without a digest: of a directory that
 *				was imported, or of a snapshot
 *
 * A layer comes to be by a rename from the trash, whole and synced. It goes
 * when no manifest names it any more and nobody runs over it: whoever does has
 * a shared lock on it. Who makes a layer or a manifest has a shared lock on
 * layers until the one is named by the other.
 */

enum images_result {
	IMAGES_OK,
	IMAGES_NOT_FOUND,
	IMAGES_FAILED, /* the machine's failure: failure says which */
	IMAGES_WRONG, /* the caller's: failure's detail is a sentence */
};

/* Reads the manifest of that name. m is the caller's to free after any. */
enum images_result images_read(const struct config *c, const char *name,
    struct image *m, struct failure *f);

/* The same of the file `name` in dir. */
enum images_result
images_read_file(int dir, const char *name, struct image *m, struct failure *f);

/* Writes it there, synced; the directory is the caller's to sync. 0 or -1/f. */
int images_write_file(
    int dir, const char *name, const struct image *m, struct failure *f);

/*
 * Opens the layers for the plan, and puts what the image says beneath what
 * the plan says itself. m outlives the run; images_release() after it.
 */
enum images_result images_plan(const struct config *c, const struct image *m,
    struct plan *p, struct failure *f);
void images_release(struct plan *p);

/* One layer more, which lies on those that the plan has. 0, or -1 with f. */
int images_open_layer(const struct state *st, const char *name, struct plan *p,
    struct failure *f);

/* The first half of it: the layers alone. */
int images_open_layers(const struct config *c, const struct image *m,
    struct plan *p, struct failure *f);

/*
 * Locks the layers for who makes one: while this descriptor is open none is
 * removed. -1 with f.
 */
int images_hold(const struct state *st, struct failure *f);

/* Is the layer there? 1, 0, or -1/errno. */
int images_has_layer(const struct state *st, const char *name);

/*
 * Makes the directory `name` in dir, which is synced, the layer of that name,
 * unless there is one already: then the directory stays. The caller holds the
 * layers. 0, or -1 with f.
 */
int images_add_layer(const struct state *st, int dir, const char *name,
    const char *layer, struct failure *f);

/*
 * Makes it known under its name, in place of another of that name. p: the pull
 * that it is of, which ends with this, or NULL. 0, or -1 with f: ECANCELED
 * where that is not wanted any more.
 */
int images_publish(const struct state *st, const struct image *m,
    struct pull *p, struct failure *f);

/* The image, and a pull that was to become one of this name. */
enum images_result
images_delete(const struct config *c, const char *name, struct failure *f);

/*
 * All images by name; each is given to take, which must not keep it. What has
 * no manifest that can be read is left out. 0, or -1 with f.
 */
int images_list(const struct config *c,
    void (*take)(void *context, const struct image *m), void *context,
    struct failure *f);

/*
 * Moves what no manifest names into the trash; say names each. With dry only
 * says. false where it cannot be told of a layer, or one could not be moved.
 */
bool images_collect(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error));

/* The path of an image's manifest, to see whether it has changed. */
void
images_path(const struct config *c, const char *name, char *path, size_t size);

#endif
