/*
 * Layers that need not be fetched. To skopeo a blob of which there is a file is
 * there, whatever is in it: so each layer of ours has one, that is empty, as
 * long as it fetches. What is in the store of that digest was compared with it
 * when it came, and stays as long as this pull holds the store.
 */
#include "known.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "sys.h"

#define DIGESTS "sha256/"

static bool
has_name(const struct known *k, const char *name)
{
	for (size_t i = 0; i < k->count; i++) {
		if (strcmp(k->layers[i].name, name) == 0)
			return true;
	}
	return false;
}

static void
note_layers(void *context, const struct image *m)
{
	struct known *k = context;

	for (size_t i = 0; i < m->layer_count; i++) {
		if (has_name(k, m->layers[i].name))
			continue;
		if (k->count == k->size) {
			k->size = k->size * 2 + 256;
			k->layers =
			    realloc(k->layers, k->size * sizeof(*k->layers));
			if (k->layers == NULL)
				fail_memory();
		}
		k->layers[k->count++] = m->layers[i];
	}
}

int
known_list(struct known *k, const struct config *c, struct failure *f)
{
	memset(k, 0, sizeof(*k));
	return images_list(c, note_layers, k, f);
}

void
known_free(struct known *k)
{
	free(k->layers);
}

bool
known_find(const struct known *k, const struct work *w, const char *name,
    struct image_layer *ret)
{
	for (size_t i = 0; i < k->count; i++) {
		if (strcmp(k->layers[i].name, name) != 0 ||
		    images_has_layer(&w->state, name) != 1)
			continue;
		*ret = k->layers[i];
		return true;
	}
	return false;
}

/* Where skopeo writes them, in the work directory: layout.h. */
#define BLOBS_OWN "oci/blobs/sha256"

/* The file of a layer that is there, or NULL. */
static const char *
file_of(const struct known *k, size_t i, const struct work *w)
{
	const char *name = k->layers[i].name;

	return strncmp(name, DIGESTS, strlen(DIGESTS)) == 0 &&
		       images_has_layer(&w->state, name) == 1
		   ? name + strlen(DIGESTS)
		   : NULL;
}

int
known_spare(const struct known *k, const struct work *w, struct failure *f)
{
	char path[sizeof(BLOBS_OWN) + IMAGE_LAYER_MAX];

	if (mkdirat(w->dir, "oci", 0755) != 0 ||
	    mkdirat(w->dir, "oci/blobs", 0755) != 0 ||
	    mkdirat(w->dir, BLOBS_OWN, 0755) != 0)
		return failure_set(f, "skopeo", errno, "mkdir");
	for (size_t i = 0; i < k->count; i++) {
		const char *name = file_of(k, i, w);
		auto_fd fd = -1;

		if (name == NULL)
			continue;
		(void)snprintf(path, sizeof(path), BLOBS_OWN "/%s", name);
		fd = openat(w->dir, path,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0)
			return failure_set(f, "skopeo", errno, "make a file");
	}
	return 0;
}

int
known_unspare(const struct known *k, const struct work *w, struct failure *f)
{
	/* What reads a stranger's bytes has been there. */
	auto_fd blobs = sys_openat2(w->dir, BLOBS_OWN, O_RDONLY | O_DIRECTORY,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	if (blobs < 0)
		return failure_set(f, "skopeo", errno, "open a directory");
	for (size_t i = 0; i < k->count; i++) {
		const char *name = file_of(k, i, w);

		if (name != NULL && unlinkat(blobs, name, 0) != 0 &&
		    errno != ENOENT)
			return failure_set(f, "skopeo", errno, "remove a file");
	}
	return 0;
}
