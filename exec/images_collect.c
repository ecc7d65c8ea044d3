#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deputy.h"
#include "images.h"
#include "names.h"
#include "project.h"
#include "store.h"
#include "sys.h"
#include "trash.h"
#include "tree.h"

/*
 * What no manifest names goes. Manifests stand in three places, and nobody
 * makes one, or a layer, while the lock of all layers is held alone; but
 * everybody who does waits for that meanwhile. So first all is looked at
 * without it, and mostly there is nothing to do.
 */

/* Who makes layers may take long; the next reaper is as good. In ms. */
#define LOCK_WAIT 500

/* Where the manifests are: the file `name` in each directory of dir. */
static const struct {
	const char *dir, *name;
} places[] = { { "images", "manifest" }, { "sessions", "image" },
	{ "snapshots", "image" } };

static const char *const kinds[] = { "sha256", "id" };

struct collector {
	const struct config *config;
	const struct state *st;
	int layers;
	bool dry;
	char **used; /* names of layers, sorted once all are there */
	size_t used_count, used_size;
	void (*say)(const char *what, const char *name);
	void (*problem)(const char *name, int error);
};

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
use(struct collector *k, const char *layer)
{
	if (k->used_count == k->used_size) {
		k->used_size = k->used_size == 0 ? 64 : 2 * k->used_size;
		k->used = realloc(k->used, k->used_size * sizeof(*k->used));
		if (k->used == NULL)
			fail_memory();
	}
	k->used[k->used_count] = strdup(layer);
	if (k->used[k->used_count++] == NULL)
		fail_memory();
}

static void
forget(struct collector *k)
{
	names_free(k->used, k->used_count);
	k->used = NULL;
	k->used_count = k->used_size = 0;
}

/* What cannot be read may name any layer. 0 or -1. */
static int
read_place(struct collector *k, const char *place, const char *file)
{
	static struct image m;
	char path[2 * NAME_MAX], **names;
	struct failure f;
	size_t n;
	int r = 0;
	auto_fd dir = openat(k->st->dir, place, OPEN_DIR);

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0 || names_list(dir, &names, &n) != 0) {
		k->problem(place, errno);
		return -1;
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		f = (struct failure){ 0 };
		(void)snprintf(path, sizeof(path), "%s/%s", names[i], file);
		image_init(&m);
		if (images_read_file(dir, path, &m, &f) == IMAGES_FAILED) {
			k->problem(names[i], f.error != 0 ? f.error : EBADMSG);
			r = -1;
		}
		for (size_t l = 0; r == 0 && l < m.layer_count; l++)
			use(k, m.layers[l].name);
		image_free(&m);
	}
	names_free(names, n);
	return r;
}

static int
read_all(struct collector *k)
{
	forget(k);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (read_place(k, places[i].dir, places[i].name) != 0)
			return -1;
	}
	if (k->used_count > 0)
		qsort(k->used, k->used_count, sizeof(*k->used), compare);
	return 0;
}

static bool
is_used(const struct collector *k, const char *layer)
{
	return k->used_count > 0 && bsearch(&layer, k->used, k->used_count,
					sizeof(*k->used), compare) != NULL;
}

/*
 * Below a directory of its own in the trash: what a sandbox has left there
 * could look like a session's lock. On a full disk there is no room for that,
 * and it is taken apart where it is. 0 or -1/errno.
 */
static int
discard(struct collector *k, int kind, const char *name)
{
	char fresh[STATE_RANDOM + 7] = "layer-";

	if (state_random(fresh + 6, STATE_RANDOM) != 0)
		return -1;
	auto_fd dir = state_make_locked(k->st, fresh);
	if (dir >= 0) {
		if (deputy_rename(k->config, kind, name, dir, "upper") == 0 ||
		    (errno == EXDEV &&
			project_discard(kind, name, dir, "upper") == 0))
			return 0;
		int error = errno;

		(void)unlinkat(k->st->trash, fresh, AT_REMOVEDIR);
		errno = error;
	}
	if (errno != ENOSPC && errno != EDQUOT)
		return -1;
	return trash_remove(k->config, kind, name, UINT64_MAX, k->problem) ==
		       TRASH_GONE
		   ? 0
		   : -1;
}

/* Nobody runs over it? Whoever begins to has named it before. */
static bool
is_idle(int kind, const char *name)
{
	auto_fd fd = openat(kind, name, OPEN_DIR);

	/* What nobody can open nobody could lock. */
	return fd < 0 ? !fail_is_machines(errno)
		      : flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Goes through the layers of a kind. How many are not used; -1: trouble. */
static int
sweep(struct collector *k, const char *kind, bool remove)
{
	char layer[NAME_MAX + 16], **names;
	int found = 0;
	bool all = true;
	size_t n;
	auto_fd dir = openat(k->layers, kind, OPEN_DIR);

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0 || names_list(dir, &names, &n) != 0) {
		k->problem(kind, errno);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(layer, sizeof(layer), "%s/%s", kind, names[i]);
		if (is_used(k, layer) || !is_idle(dir, names[i]))
			continue;
		found++;
		if (!remove)
			continue;
		if (!k->dry && discard(k, dir, names[i]) != 0) {
			k->problem(names[i], errno);
			all = false;
			continue;
		}
		k->say("layer", names[i]);
	}
	names_free(names, n);
	return all ? found : -1;
}

static int
sweep_all(struct collector *k, bool remove)
{
	int found = 0, r = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int one = sweep(k, kinds[i], remove);

		found += one > 0 ? one : 0;
		r = one < 0 ? -1 : r;
	}
	return r < 0 ? -1 : found;
}

/* With the lock: nobody makes anything. */
static bool
collect(struct collector *k)
{
	bool all = true;

	if (!k->dry && tree_collect(k->config, k->st, false) < 0) {
		k->problem("tree", errno);
		all = false;
	}
	if (read_all(k) != 0)
		return false;
	return sweep_all(k, true) >= 0 && all;
}

/*
 * Who was killed while it published one has left its directory, and perhaps
 * what was to become the manifest in it.
 */
static void
put_right(const struct collector *k)
{
	char path[2 * NAME_MAX], **names;
	size_t n;
	auto_fd images = openat(k->st->dir, "images", OPEN_DIR);

	/* Whoever publishes or deletes one has it locked. */
	if (images < 0 || flock(images, LOCK_EX | LOCK_NB) != 0)
		return;
	if (names_list(images, &names, &n) != 0) {
		k->problem("images", errno);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/manifest.new", names[i]);
		(void)unlinkat(images, path, 0);
		/* What has a manifest is not empty. */
		(void)unlinkat(images, names[i], AT_REMOVEDIR);
	}
	names_free(names, n);
}

bool
images_collect(const struct config *c, const struct state *st, bool dry,
    void (*say)(const char *what, const char *name),
    void (*problem)(const char *name, int error))
{
	struct collector k = { .config = c,
		.st = st,
		.dry = dry,
		.say = say,
		.problem = problem };
	bool all = true;
	auto_fd layers = openat(st->dir, "layers", OPEN_DIR);

	if (!dry)
		put_right(&k);
	if (layers < 0 && errno == ENOENT)
		return true;
	if (layers < 0) {
		problem("layers", errno);
		return false;
	}
	k.layers = layers;
	if (read_all(&k) != 0) {
		all = false;
	} else if (sweep_all(&k, false) != 0 ||
		   tree_collect(c, st, true) != 0) {
		if (turn_wait(layers, -1, -1, LOCK_WAIT) == 0)
			all = collect(&k);
		else if (errno != ETIMEDOUT) {
			problem("layers", errno);
			all = false;
		}
	}
	forget(&k);
	return all;
}
