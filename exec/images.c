#include "images.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "defence.h"
#include "io.h"
#include "names.h"
#include "sys.h"

/*
 * Whoever only looks makes no directory. ret_images is -1 where there are none.
 * 0, or -1 with f.
 */
static int
open_images(const struct config *c, int *ret_images, struct failure *f)
{
	struct state st;
	int r = 0;

	*ret_images = -1;
	if (state_open(c, &st, f) != 0)
		return -1;
	if (faccessat(st.dir, "images", F_OK, 0) == 0 || errno != ENOENT) {
		*ret_images = state_open_private(st.dir, "images", f);
		r = *ret_images < 0 ? -1 : 0;
	}
	state_close(&st);
	return r;
}

enum images_result
images_read_file(int dir, const char *name, struct image *m, struct failure *f)
{
	char why[160];
	size_t len = 0;
	char *data = io_read_file(dir, name, IMAGE_MANIFEST_MAX, &len);
	int r;

	if (data == NULL) {
		if (errno == ENOENT || errno == ENOTDIR)
			return IMAGES_NOT_FOUND;
		(void)failure_set(f, "images", errno, "read a manifest");
		return IMAGES_FAILED;
	}
	r = image_decode(m, data, len, why, sizeof(why));
	free(data);
	if (r == 0)
		return IMAGES_OK;
	(void)failure_set(f, "images", 0, "its manifest: %s", why);
	return IMAGES_FAILED;
}

int
images_write_file(
    int dir, const char *name, const struct image *m, struct failure *f)
{
	char *buf = malloc(IMAGE_MANIFEST_MAX);
	ssize_t len =
	    buf != NULL ? image_encode(m, buf, IMAGE_MANIFEST_MAX) : -1;
	int r;

	if (len < 0)
		r = failure_set(f, "images", 0, "its manifest is too large");
	else if (io_write_file(dir, name, buf, (size_t)len) != 0)
		r = failure_set(f, "images", errno, "write a manifest");
	else
		r = 0;
	free(buf);
	return r;
}

enum images_result
images_read(const struct config *c, const char *name, struct image *m,
    struct failure *f)
{
	char path[IMAGE_NAME_MAX + sizeof("/manifest")];
	auto_fd images = -1;

	if (DEFENCE(IMAGES_NAME) && !image_is_name(name))
		return IMAGES_NOT_FOUND;
	if (open_images(c, &images, f) != 0)
		return IMAGES_FAILED;
	(void)snprintf(path, sizeof(path), "%s/manifest", name);
	return images < 0 ? IMAGES_NOT_FOUND
			  : images_read_file(images, path, m, f);
}

int
images_hold(const struct state *st, struct failure *f)
{
	auto_fd layers = state_open_private(st->dir, "layers", f);

	if (layers < 0)
		return -1;
	if (flock(layers, LOCK_SH) != 0)
		return failure_set(f, "images", errno, "lock the layers");
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "sha256" : "id";

		if (mkdirat(layers, name, 0700) == 0 ? fsync(layers) != 0
						     : errno != EEXIST)
			return failure_set(
			    f, "images", errno, "mkdir %s", name);
	}
	return sys_take(&layers);
}

static int
open_layer(int state, const char *name)
{
	char path[IMAGE_LAYER_MAX + sizeof("layers/")];

	(void)snprintf(path, sizeof(path), "layers/%s", name);
	return openat(state, path, OPEN_DIR);
}

int
images_has_layer(const struct state *st, const char *name)
{
	auto_fd fd = open_layer(st->dir, name);

	return fd >= 0 ? 1 : errno == ENOENT ? 0 : -1;
}

int
images_add_layer(const struct state *st, int dir, const char *name,
    const char *layer, struct failure *f)
{
	char path[IMAGE_LAYER_MAX + sizeof("layers/")];

	(void)snprintf(path, sizeof(path), "layers/%s", layer);
	/* A directory takes the place of an empty one, and of no other. */
	if (sys_rename_new(dir, name, st->dir, path) != 0)
		return errno == EEXIST
			   ? 0
			   : failure_set(f, "images", errno, "keep a layer");
	*strrchr(path, '/') = '\0';
	auto_fd parent = openat(st->dir, path, OPEN_DIR);
	if (parent < 0 || fsync(parent) != 0)
		return failure_set(f, "images", errno, "sync the layers");
	return 0;
}

int
images_publish(const struct state *st, const struct image *m, struct pull *p,
    struct failure *f)
{
	auto_fd images = state_open_private(st->dir, "images", f);

	if (images < 0)
		return -1;
	/* One at a time: its directory goes when it is deleted. */
	if (flock(images, LOCK_EX) != 0)
		return failure_set(f, "images", errno, "lock the images");
	if (p != NULL && !pulls_is_wanted(p) && DEFENCE(PULL_WANTED))
		return failure_set(
		    f, "images", ECANCELED, "%s was deleted", m->name);
	if (mkdirat(images, m->name, 0700) != 0 && errno != EEXIST)
		return failure_set(f, "images", errno, "mkdir %s", m->name);
	auto_fd dir = openat(images, m->name, OPEN_DIR);
	if (dir < 0)
		return failure_set(f, "images", errno, "open %s", m->name);
	if (images_write_file(dir, "manifest", m, f) != 0)
		return -1;
	if (fsync(dir) != 0 || fsync(images) != 0)
		return failure_set(f, "images", errno, "sync %s", m->name);
	if (p != NULL)
		pulls_end(p, NULL);
	else
		pulls_forget(st, m->name);
	return 0;
}

static enum images_result
delete_from(
    const struct state *st, int images, const char *name, struct failure *f)
{
	bool was, was_pulled;

	if (flock(images, LOCK_EX) != 0) {
		(void)failure_set(f, "images", errno, "lock the images");
		return IMAGES_FAILED;
	}
	was_pulled = pulls_remove(st, name);
	auto_fd dir = openat(images, name, OPEN_DIR);
	was = dir >= 0 && unlinkat(dir, "manifest", 0) == 0;
	if (!was && errno != ENOENT) {
		(void)failure_set(f, "images", errno, "delete %s", name);
		return IMAGES_FAILED;
	}
	/* Who makes one of that name now has it; else it is empty. */
	(void)unlinkat(dir, "manifest.new", 0);
	(void)unlinkat(images, name, AT_REMOVEDIR);
	if (was && fsync(images) != 0) {
		(void)failure_set(f, "images", errno, "sync");
		return IMAGES_FAILED;
	}
	return was || was_pulled ? IMAGES_OK : IMAGES_NOT_FOUND;
}

enum images_result
images_delete(const struct config *c, const char *name, struct failure *f)
{
	enum images_result r = IMAGES_NOT_FOUND;
	struct state st;

	if (!image_is_name(name))
		return IMAGES_NOT_FOUND;
	if (state_open(c, &st, f) != 0)
		return IMAGES_FAILED;
	auto_fd images = openat(st.dir, "images", OPEN_DIR);
	if (images >= 0) {
		r = delete_from(&st, images, name, f);
	} else if (errno != ENOENT) {
		(void)failure_set(f, "images", errno, "open images");
		r = IMAGES_FAILED;
	}
	state_close(&st);
	return r;
}

int
images_list(const struct config *c,
    void (*take)(void *context, const struct image *m), void *context,
    struct failure *f)
{
	static struct image m;
	char **names, path[IMAGE_NAME_MAX + sizeof("/manifest")];
	auto_fd images = -1;
	size_t n;

	if (open_images(c, &images, f) != 0)
		return -1;
	if (images < 0)
		return 0;
	if (names_list(images, &names, &n) != 0)
		return failure_set(f, "images", errno, "list images");
	for (size_t i = 0; i < n; i++) {
		if (!image_is_name(names[i]))
			continue;
		(void)snprintf(path, sizeof(path), "%s/manifest", names[i]);
		image_init(&m);
		if (images_read_file(images, path, &m, f) == IMAGES_OK)
			take(context, &m);
		image_free(&m);
	}
	names_free(names, n);
	return 0;
}

static enum images_result
put_words(const struct image *m, struct plan *p, struct failure *f)
{
	char why[200];

	for (size_t i = 0; i < m->env_count; i++) {
		if (plan_has_env(p, m->env[i]))
			continue;
		/* Alone they would not be too many. */
		if (plan_env(p, m->env[i], why, sizeof(why)) != 0) {
			(void)failure_set(f, "images", 0, "%s", why);
			return IMAGES_WRONG;
		}
	}
	if (p->cwd == NULL && *m->cwd != '\0')
		p->cwd = m->cwd;
	/* As Docker has it; a session has taken it over when it was made. */
	p->cwd_made = p->cwd != NULL && strcmp(p->cwd, m->cwd) == 0;
	/* Not plan_user(): there a number alone is a group as well. */
	if (!p->user_asked && *m->user != '\0')
		p->user = m->user;
	if (p->argv == NULL && m->command_count > 0)
		p->argv = m->command;
	return IMAGES_OK;
}

int
images_open_layer(
    const struct state *st, const char *name, struct plan *p, struct failure *f)
{
	int fd = open_layer(st->dir, name);

	if (fd < 0 || flock(fd, LOCK_SH) != 0) {
		(void)failure_set(f, "images", errno, "layer %s", name);
		sys_close(&fd);
		return -1;
	}
	p->layers[p->layer_count++] = fd;
	return 0;
}

int
images_open_layers(const struct config *c, const struct image *m,
    struct plan *p, struct failure *f)
{
	struct state st;
	int r = 0;

	/* The host's, and nothing has ever been done to it. */
	if (m->layer_count == 0)
		return 0;
	if (state_open(c, &st, f) != 0)
		return -1;
	for (size_t i = 0; i < m->layer_count && r == 0; i++)
		r = images_open_layer(&st, m->layers[i].name, p, f);
	state_close(&st);
	if (r != 0)
		images_release(p);
	return r;
}

enum images_result
images_plan(const struct config *c, const struct image *m, struct plan *p,
    struct failure *f)
{
	enum images_result r;

	if (images_open_layers(c, m, p, f) != 0)
		return IMAGES_FAILED;
	r = put_words(m, p, f);
	if (r != IMAGES_OK)
		images_release(p);
	return r;
}

void
images_release(struct plan *p)
{
	while (p->layer_count > 0)
		sys_close(&p->layers[--p->layer_count]);
}

void
images_path(const struct config *c, const char *name, char *path, size_t size)
{
	char dir[3072];

	*path = '\0';
	if (state_path(c, dir, sizeof(dir)) == 0)
		(void)snprintf(
		    path, size, "%s/images/%.130s/manifest", dir, name);
}
