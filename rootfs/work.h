#ifndef ROOTFS_WORK_H
#define ROOTFS_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "fail.h"
#include "image.h"
#include "plan.h"
#include "state.h"
#include "verdict.h"

/*
 * Where an image is being made: a directory in the trash that is locked, so
 * that nothing of it stays, however this ends. Programs that meet what others
 * made run in sandboxes, to which it is /mnt.
 */
struct work {
	const struct config *config;
	struct state state;
	int hold; /* the layers: images_hold() */
	int dir;
	char name[40]; /* in the trash */
};

/* 0, or -1 with f. work_close() after either. */
int work_open(struct work *w, const struct config *c, struct failure *f);
void work_close(struct work *w);

/* What of it has that name, as the host sees it. 0, or -1 with f. */
int work_path(const struct work *w, const char *name, char *ret, size_t size,
    struct failure *f);

/* Where a program finds what of the host it is to read. */
#define WORK_SOURCE "/run/source"

/* A program that runs there, and what it is given. */
struct job {
	const char *step; /* for failures */
	const char *const *argv; /* NULL-terminated */
	struct {
		const char *source; /* on the host, readable as its owner */
		const char *target;
	} binds[8];
	size_t bind_count;
	int in; /* its input, or -1 */
	int out; /* for its output; or -1: it is kept */
	bool whole; /* all that it writes there is, or it has failed */
	bool network; /* the host's */
	/* The layers that it is to read: plan.h, layers_shown; or NULL. */
	const struct plan *layers;
	size_t layer_count; /* the lowest of them */
	int cancel; /* readable when it is to end, or -1 */
};

void job_init(struct job *j, const char *step, const char *const *argv);
void job_bind(struct job *j, const char *source, const char *target);

/*
 * Runs it; what it says on stderr goes there. 0 with the output, which is the
 * caller's to free and ended by a NUL; or -1 with f when it failed.
 */
int work_run(const struct work *w, const struct job *j, struct kept *ret_out,
    struct failure *f);

/* Is there a mayfly-rootfs? 0, or -1 with f. */
int work_find_tool(struct failure *f);

/* The same of mayfly-rootfs, whose arguments begin with a verb. */
int work_tool(const struct work *w, struct job *j, struct kept *ret_out,
    struct failure *f);

/* What becomes a layer, and what came of it. */
struct unpacked {
	const char *archive; /* "/mnt/..."; "-" for in; "tree:/..." in bind */
	int in;
	const char *bind;
	/* The layers on which it will lie, or NULL where it is the lowest. */
	const struct plan *below;

	uint64_t size_kb;
	/*
	 * It has not all the directories that lead to its files: then it is
	 * what it is upon those layers alone.
	 */
	bool implied;
};

/*
 * Makes a tree of it: it is in the work directory under the last part of the
 * layer's name. 0 or -1/f.
 */
int work_unpack(const struct work *w, struct unpacked *u, const char *layer,
    struct failure *f);

/*
 * Puts what was unpacked as `from` into the store as layer, unless that is
 * there. 0 or -1/f.
 */
int work_keep(
    struct work *w, const char *from, const char *layer, struct failure *f);

/* A new name for a layer without a digest. 0 or -1/f. */
int work_new_layer(char ret[IMAGE_LAYER_MAX + 1], struct failure *f);

#endif
