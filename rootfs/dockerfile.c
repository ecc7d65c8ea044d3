/*
 * What a Dockerfile says: buildah, which runs as the caller, makes it in
 * storage of its own and writes it as a layout, and that is pulled.
 */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "make.h"
#include "program.h"
#include "work.h"

#define TAG "mayfly-image"

/* `buildah WORD...`: 0, or -1 with f. */
static int
run_buildah(const char *path, const char *storage, const char *const *words,
    struct failure *f)
{
	struct program p = { .count = 0 };
	int r;

	program_add(&p, "%s", path);
	program_add(&p, "--root=%s/root", storage);
	program_add(&p, "--runroot=%s/run", storage);
	program_add(&p, "--storage-driver=vfs");
	for (; *words != NULL; words++)
		program_add(&p, "%s", *words);
	r = program_start(&p, NULL, f);
	if (r == 0)
		r = program_wait(&p, false, f);
	program_free(&p);
	return r;
}

static int
build(const struct work *w, const char *directory, char layout[PATH_MAX + 32],
    struct failure *f)
{
	const char *path = program_find("buildah");
	const char *const bud[] = { "bud", "--isolation=chroot", "--format=oci",
		"-t", TAG, "--", directory, NULL };
	const char *const push[] = { "push", "-q", TAG, layout, NULL };
	char storage[PATH_MAX];

	if (path == NULL)
		return failure_set(f, "build", 0,
		    "there is no buildah here: apt-get install buildah");
	if (work_path(w, "buildah", storage, sizeof(storage), f) != 0)
		return -1;
	if (mkdirat(w->dir, "buildah", 0700) != 0)
		return failure_set(f, "build", errno, "mkdir");
	(void)snprintf(layout, PATH_MAX + 32, "oci:%s/layout:image", storage);
	return run_buildah(path, storage, bud, f) == 0 &&
		       run_buildah(path, storage, push, f) == 0
		   ? 0
		   : -1;
}

int
make_from_dockerfile(const struct config *c, const struct source *s,
    struct image *m, struct failure *f)
{
	char layout[PATH_MAX + 32];
	struct source from = { .text = layout, .name = s->name };
	struct work w;
	int r;

	if (make_check_name(s, m, f) != 0)
		return -1;
	if (access(s->text, F_OK) != 0)
		return failure_set(f, "source", errno, "%.160s", s->text);
	r = work_open(&w, c, f);
	if (r == 0)
		r = build(&w, s->text, layout, f);
	if (r == 0)
		r = make_pull(c, &from, m, f);
	work_close(&w);
	return r;
}
