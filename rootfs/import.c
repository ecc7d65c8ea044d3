/* Images of one layer each: of an archive, and of a directory. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "make.h"
#include "sys.h"
#include "work.h"

/* What the tool is to read is the image's one layer. */
static int
add_only_layer(struct work *w, struct image *m, const char *archive, int in,
    const char *bind, struct failure *f)
{
	struct unpacked u = { .archive = archive, .in = in, .bind = bind };
	char layer[IMAGE_LAYER_MAX + 1];

	if (work_new_layer(layer, f) != 0 ||
	    work_unpack(w, &u, layer, f) != 0 ||
	    work_keep(w, layer, layer, f) != 0)
		return -1;
	(void)image_add_layer(m, layer, u.size_kb);
	return images_publish(&w->state, m, NULL, f);
}

int
make_import(const struct config *c, const struct source *s, struct image *m,
    struct failure *f)
{
	struct work w;
	struct stat st;
	int r;
	auto_fd in = strcmp(s->text, "-") == 0
			 ? dup(STDIN_FILENO)
			 : open(s->text, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (make_check_name(s, m, f) != 0)
		return -1;
	if (in < 0 || fstat(in, &st) != 0)
		return failure_set(f, "source", errno, "%.160s", s->text);
	if (S_ISDIR(st.st_mode))
		return failure_set(f, "source", EISDIR, "%.160s", s->text);
	r = work_open(&w, c, f);
	if (r == 0)
		r = add_only_layer(&w, m, "-", in, NULL, f);
	work_close(&w);
	return r;
}

int
make_import_directory(const struct config *c, const struct source *s,
    struct image *m, struct failure *f)
{
	struct work w;
	struct stat st;
	int r;

	if (make_check_name(s, m, f) != 0)
		return -1;
	if (stat(s->text, &st) != 0)
		return failure_set(f, "source", errno, "%.160s", s->text);
	if (!S_ISDIR(st.st_mode))
		return failure_set(f, "source", ENOTDIR, "%.160s", s->text);
	r = work_open(&w, c, f);
	if (r == 0)
		r = add_only_layer(&w, m, "tree:" WORK_SOURCE, -1, s->text, f);
	work_close(&w);
	return r;
}
