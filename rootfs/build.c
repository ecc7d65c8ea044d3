/*
 * Images that are made here of a distribution's packages: by mmdebstrap, or by
 * debootstrap where there is no other. They run as the caller, and what they
 * make is taken in like anything else.
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "make.h"
#include "mirror.h"
#include "program.h"
#include "sys.h"
#include "work.h"

/* What a distribution's name means to the programs. */
static const struct distro {
	const char *name, *mirror, *components, *keyring;
} distros[] = {
	{ "debian", "http://deb.debian.org/debian", "main",
	    "/usr/share/keyrings/debian-archive-keyring.gpg" },
	{ "ubuntu", "http://archive.ubuntu.com/ubuntu", "main,universe",
	    "/usr/share/keyrings/ubuntu-archive-keyring.gpg" },
};

/* What is built, and of what. */
struct build {
	const struct distro *distro;
	const char *suite, *mirror, *include;
	char own[512]; /* the machine's mirror */
	struct program program;
};

/* "debian:bookworm" */
static int
read_distro(struct build *b, const struct source *s, struct failure *f)
{
	const char *colon = strchr(s->distro, ':');
	size_t len = colon != NULL ? (size_t)(colon - s->distro) : 0;

	for (size_t i = 0; i < sizeof(distros) / sizeof(*distros); i++) {
		if (strlen(distros[i].name) == len &&
		    memcmp(distros[i].name, s->distro, len) == 0)
			b->distro = &distros[i];
	}
	if (colon == NULL || b->distro == NULL || colon[1] == '\0' ||
	    colon[1] == '-' ||
	    strspn(colon + 1, "abcdefghijklmnopqrstuvwxyz0123456789.-") !=
		strlen(colon + 1))
		return failure_set(f, "usage", 0,
		    "--distro: '%.60s' is not debian:SUITE or ubuntu:SUITE",
		    s->distro);
	b->suite = colon + 1;
	b->include = s->include;
	b->mirror = s->mirror;
	if (b->mirror == NULL)
		b->mirror = mirror_of_machine(b->distro->name, b->suite, b->own,
				sizeof(b->own))
				? b->own
				: b->distro->mirror;
	return 0;
}

/* The words that both of them take. */
static void
add_options(struct build *b, const char *path)
{
	struct program *p = &b->program;

	program_add(p, "%s", path);
	program_add(p, "--variant=minbase");
	program_add(p, "--components=%s", b->distro->components);
	if (access(b->distro->keyring, R_OK) == 0)
		program_add(p, "--keyring=%s", b->distro->keyring);
	if (b->include != NULL)
		program_add(p, "--include=%s", b->include);
}

/* Has everybody who could write to it gone? */
static bool
is_at_end(int output)
{
	struct pollfd fd = { .fd = output };

	return poll(&fd, 1, 0) == 1 && (fd.revents & POLLHUP) != 0;
}

static int
run_mmdebstrap(struct work *w, struct build *b, const char *layer,
    uint64_t *ret_size_kb, struct failure *f)
{
	static const char file[] = "file:";
	struct unpacked u = { .archive = "-" };
	struct program *p = &b->program;
	struct failure why;
	bool ended = true;
	int r = 0;

	program_add(p, "--format=tar");
	program_add(p, "%s", b->suite);
	program_add(p, "-");
	/* It has no other way to a directory of the host's. */
	if (strncmp(b->mirror, file, strlen(file)) == 0)
		program_add(p, "copy:%s", b->mirror + strlen(file));
	else
		program_add(p, "%s", b->mirror);
	if (program_start(p, &u.in, f) != 0)
		return -1;
	/* For minutes there is nothing to unpack. */
	if (program_await(p, u.in)) {
		r = work_unpack(w, &u, layer, f);
		*ret_size_kb = u.size_kb;
		ended = is_at_end(u.in);
	}
	(void)close(u.in);
	/* An archive that is not whole is the failure of who wrote it. */
	if (program_wait(p, !ended, &why) != 0 && ended) {
		*f = why;
		r = -1;
	}
	return r;
}

static int
run_debootstrap(struct work *w, struct build *b, const char *layer,
    uint64_t *ret_size_kb, struct failure *f)
{
	char directory[PATH_MAX];
	struct unpacked u = {
		.archive = "tree:" WORK_SOURCE, .in = -1, .bind = directory
	};
	struct program *p = &b->program;

	if (geteuid() != 0)
		return failure_set(f, "build", 0,
		    "debootstrap needs root: apt-get install mmdebstrap");
	if (work_path(w, "debootstrap", directory, sizeof(directory), f) != 0)
		return -1;
	/* Else it does without signatures where it has no keys. */
	program_add(p, "--force-check-gpg");
	program_add(p, "%s", b->suite);
	program_add(p, "%s", directory);
	program_add(p, "%s", b->mirror);
	if (program_start(p, NULL, f) != 0 || program_wait(p, false, f) != 0 ||
	    work_unpack(w, &u, layer, f) != 0)
		return -1;
	*ret_size_kb = u.size_kb;
	return 0;
}

static int
build(struct work *w, struct build *b, struct image *m, struct failure *f)
{
	static const struct {
		const char *name;
		int (*run)(struct work *w, struct build *b, const char *layer,
		    uint64_t *ret_size_kb, struct failure *f);
	} ways[] = {
		{ "mmdebstrap", run_mmdebstrap },
		{ "debootstrap", run_debootstrap },
	};
	char layer[IMAGE_LAYER_MAX + 1];
	const char *path = NULL;
	uint64_t size_kb = 0;
	size_t i = 0;

	while (i < sizeof(ways) / sizeof(*ways) &&
	       (path = program_find(ways[i].name)) == NULL)
		i++;
	if (path == NULL)
		return failure_set(f, "build", 0,
		    "there is neither mmdebstrap nor debootstrap here: apt-get "
		    "install mmdebstrap");
	add_options(b, path);
	if (work_new_layer(layer, f) != 0 ||
	    ways[i].run(w, b, layer, &size_kb, f) != 0 ||
	    work_keep(w, layer, layer, f) != 0)
		return -1;
	(void)image_add_layer(m, layer, size_kb);
	return images_publish(&w->state, m, NULL, f);
}

int
make_build(const struct config *c, const struct source *s, struct image *m,
    struct failure *f)
{
	struct build b = { .distro = NULL };
	struct work w;
	int r;

	if (make_check_name(s, m, f) != 0 || read_distro(&b, s, f) != 0)
		return -1;
	r = work_open(&w, c, f);
	if (r == 0)
		r = build(&w, &b, m, f);
	program_free(&b.program);
	work_close(&w);
	return r;
}
