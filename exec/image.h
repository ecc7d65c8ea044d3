#ifndef EXEC_IMAGE_H
#define EXEC_IMAGE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "fail.h"
#include "plan.h"
#include "state.h"

#define IMAGE_NAME_MAX                                                         \
	129 /* [a-z0-9][a-z0-9._-]{0,63}(:[A-Za-z0-9._-]{1,64})? */
#define IMAGE_DIGEST_MAX 71 /* "sha256:" and 64 digits */
#define IMAGE_LAYER_MAX 71 /* "sha256/" and 64 digits, or "id/" and 26 */
#define IMAGE_TEXT_MAX 4095 /* bytes of a directory or a user */
#define IMAGE_SIZE_UNKNOWN (UINT64_C(1) << 42) /* a snapshot's, not counted */
#define IMAGE_WORDS_MAX 4096 /* variables, or words of the command */

/* The tree layers/NAME of state_dir. */
struct image_layer {
	char name[IMAGE_LAYER_MAX + 1];
	uint64_t size_kb; /* of what it holds, without the directories */
	bool is_snapshot; /* of a session's runs: there size_kb has all */
};

/*
 * What an image is, as its manifest says: images/NAME/manifest, and a copy in
 * each session and snapshot that began with it. The image `host` has none.
 */
struct image {
	char name[IMAGE_NAME_MAX + 1];
	char digest[IMAGE_DIGEST_MAX + 1]; /* where it came from; or "" */
	char cwd[IMAGE_TEXT_MAX + 1];
	char user[IMAGE_TEXT_MAX +
		  1]; /* as in an image's configuration, or "" */
	int64_t created_at; /* seconds since the epoch */
	struct image_layer layers[PLAN_LAYERS_MAX]; /* the lowest first */
	size_t layer_count;
	char **env, **command; /* NULL-terminated, or NULL for none */
	size_t env_count, command_count;
};

/*
 * The manifest as text: a line with the format's version, then "key=value"
 * fields, each ended by a NUL: name, digest, cwd, user and created_at once and
 * in this order, then any number of layer and snapshot ("NAME KB": a layer of
 * either kind), env and command.
 */
#define IMAGE_HEAD "mayfly-image 1\n"
#define IMAGE_MANIFEST_MAX 1048576

void image_init(struct image *m);
void image_free(struct image *m);

/* Is it a name in form? Only then may it become part of a path. */
bool image_is_name(const char *name);

/* The same of a layer's name. */
bool image_is_layer(const char *name);

/* Appends a copy of text. 0, or -1 where there are too many or too long. */
int image_add_env(struct image *m, const char *text);
int image_add_command(struct image *m, const char *text);
int image_add_layer(struct image *m, const char *name, uint64_t size_kb);
int image_add_snapshot(struct image *m, const char *name, uint64_t size_kb);

/* The manifest's length, or -1 where it does not fit. */
ssize_t image_encode(const struct image *m, char *buf, size_t size);

/*
 * Reads one into m, which has been through image_init(), and which is the
 * caller's to free also on failure. 0, or -1 with a sentence.
 */
int image_decode(
    struct image *m, const char *data, size_t len, char *why, size_t size);

#endif
