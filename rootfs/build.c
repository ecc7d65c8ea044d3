/*
 * Images that are made here: of a distribution's packages by mmdebstrap, or
 * by debootstrap where there is no other; and of a Dockerfile by buildah. They
 * run as the caller, as they would by hand, and what they make is taken in
 * like anything else.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "images.h"
#include "make.h"
#include "sys.h"
#include "work.h"

#define WORDS_MAX 16

extern char **environ;

/* What a distribution's name means to the programs. */
static const struct distro {
	const char *name, *mirror, *components, *keyring;
} distros[] = {
	{ "debian", "http://deb.debian.org/debian", "main",
	    "/usr/share/keyrings/debian-archive-keyring.gpg" },
	{ "ubuntu", "http://archive.ubuntu.com/ubuntu", "main,universe",
	    "/usr/share/keyrings/ubuntu-archive-keyring.gpg" },
};

struct build {
	const struct distro *distro;
	const char *suite;
	char mirror[512], include[2048], keyring[128], components[64];
	char directory[PATH_MAX];
	char *words[WORDS_MAX];
	size_t n;
};

static void
add(struct build *b, const char *word)
{
	if (b->n < WORDS_MAX - 1)
		b->words[b->n++] = (char *)(uintptr_t)word;
	b->words[b->n] = NULL;
}

static bool
is_there(const char *program)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/usr/bin/%s", program);
	if (access(path, X_OK) == 0)
		return true;
	(void)snprintf(path, sizeof(path), "/usr/sbin/%s", program);
	return access(path, X_OK) == 0;
}

/* Is the machine itself of that distribution? Then apt knows its mirror. */
static bool
is_own(const struct distro *d)
{
	char line[256], want[64];
	FILE *f = fopen("/etc/os-release", "re");
	bool own = false;

	(void)snprintf(want, sizeof(want), "ID=%s\n", d->name);
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		own = own || strcmp(line, want) == 0;
	if (f != NULL)
		(void)fclose(f);
	return own;
}

/*
 * The first mirror of the machine's own sources, in either of their forms.
 * false where none is told.
 */
static bool
own_mirror(char *ret, size_t size)
{
	static const char command[] =
	    "cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list "
	    "/etc/apt/sources.list.d/*.sources 2>/dev/null";
	char line[1024], *from, *end;
	FILE *f = popen(command, "re");
	bool found = false;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		from = line + strspn(line, " \t");
		if (found || (strncmp(from, "deb ", 4) != 0 &&
				 strncasecmp(from, "URIs:", 5) != 0))
			continue;
		from = strstr(from, "://");
		while (from != NULL && from > line && from[-1] != ' ' &&
		       from[-1] != '\t' && from[-1] != ':')
			from--;
		if (from == NULL)
			continue;
		end = from + strcspn(from, " \t\n");
		*end = '\0';
		if (strstr(from, "security") != NULL)
			continue;
		found = (size_t)snprintf(ret, size, "%s", from) < size;
	}
	if (f != NULL)
		(void)pclose(f);
	return found;
}

/* "debian:bookworm" */
static int
read_distro(struct build *b, const struct source *s, struct failure *f)
{
	const char *colon = strchr(s->distro, ':');
	size_t len = colon != NULL ? (size_t)(colon - s->distro) : 0;
	const struct distro *d = NULL;

	for (size_t i = 0; i < sizeof(distros) / sizeof(*distros); i++) {
		if (strlen(distros[i].name) == len &&
		    memcmp(distros[i].name, s->distro, len) == 0)
			d = &distros[i];
	}
	if (colon == NULL || d == NULL || colon[1] == '\0' ||
	    strspn(colon + 1, "abcdefghijklmnopqrstuvwxyz0123456789.-") !=
		strlen(colon + 1))
		return failure_set(f, "usage", 0,
		    "--distro: '%.60s' is not debian:SUITE or ubuntu:SUITE",
		    s->distro);
	b->distro = d;
	b->suite = colon + 1;
	if (s->mirror != NULL)
		(void)snprintf(b->mirror, sizeof(b->mirror), "%s", s->mirror);
	else if (!is_own(b->distro) ||
		 !own_mirror(b->mirror, sizeof(b->mirror)))
		(void)snprintf(
		    b->mirror, sizeof(b->mirror), "%s", b->distro->mirror);
	return 0;
}

static int
start(struct build *b, int out, pid_t *ret_pid, struct failure *f)
{
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error == 0) {
		error = posix_spawn_file_actions_adddup2(
		    &actions, out, STDOUT_FILENO);
		if (error == 0)
			error = posix_spawnp(ret_pid, b->words[0], &actions,
			    NULL, b->words, environ);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	return error == 0 ? 0
			  : failure_set(f, "build", error, "%s", b->words[0]);
}

/* 0, or -1 with f for a program that failed. */
static int
finish(const struct build *b, pid_t pid, struct failure *f)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return failure_set(f, "build", errno, "wait");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return failure_set(f, "build", 0, "%s failed with %d", b->words[0],
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* The work directory as the host sees it. */
static int
name_directory(
    const struct work *w, struct build *b, const char *name, struct failure *f)
{
	char path[PATH_MAX - 128];

	if (state_path(w->config, path, sizeof(path)) != 0)
		return failure_set(f, "build", ENAMETOOLONG, "state_dir");
	(void)snprintf(b->directory, sizeof(b->directory), "%s/trash/%s/%s",
	    path, w->name, name);
	return 0;
}

/* What the program writes to its output is the layer. */
static int
unpack_output(struct work *w, struct build *b, const char *layer,
    uint64_t *ret_size_kb, struct failure *f)
{
	struct unpacked u = { .archive = "-" };
	struct failure why;
	int fds[2], r;
	pid_t pid = -1;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return failure_set(f, "build", errno, "pipe");
	r = start(b, fds[1], &pid, f);
	(void)close(fds[1]);
	if (r != 0) {
		(void)close(fds[0]);
		return -1;
	}
	u.in = fds[0];
	r = work_unpack(w, &u, layer, f);
	*ret_size_kb = u.size_kb;
	(void)close(fds[0]);
	/* What is not whole is its failure, and not the archive's. */
	if (finish(b, pid, &why) != 0 &&
	    (r == 0 || strcmp(f->step, "layer") == 0)) {
		*f = why;
		r = -1;
	}
	return r;
}

static int
run_mmdebstrap(struct work *w, struct build *b, const struct source *s,
    const char *layer, uint64_t *ret_size_kb, struct failure *f)
{
	add(b, "mmdebstrap");
	add(b, "--quiet");
	add(b, "--variant=minbase");
	add(b, "--format=tar");
	(void)snprintf(b->components, sizeof(b->components), "--components=%s",
	    b->distro->components);
	add(b, b->components);
	(void)snprintf(
	    b->keyring, sizeof(b->keyring), "--keyring=%s", b->distro->keyring);
	if (access(b->distro->keyring, R_OK) == 0)
		add(b, b->keyring);
	if (s->include != NULL) {
		(void)snprintf(
		    b->include, sizeof(b->include), "--include=%s", s->include);
		add(b, b->include);
	}
	add(b, b->suite);
	add(b, "-");
	add(b, b->mirror);
	return unpack_output(w, b, layer, ret_size_kb, f);
}

static int
run_debootstrap(struct work *w, struct build *b, const struct source *s,
    const char *layer, uint64_t *ret_size_kb, struct failure *f)
{
	struct unpacked u = {
		.archive = "tree:" WORK_SOURCE, .in = -1, .bind = b->directory
	};
	pid_t pid = -1;

	if (geteuid() != 0)
		return failure_set(f, "build", 0,
		    "debootstrap needs root: apt-get install mmdebstrap");
	if (name_directory(w, b, "debootstrap", f) != 0)
		return -1;
	add(b, "debootstrap");
	add(b, "--variant=minbase");
	(void)snprintf(b->components, sizeof(b->components), "--components=%s",
	    b->distro->components);
	add(b, b->components);
	if (s->include != NULL) {
		(void)snprintf(
		    b->include, sizeof(b->include), "--include=%s", s->include);
		add(b, b->include);
	}
	add(b, b->suite);
	add(b, b->directory);
	add(b, b->mirror);
	if (start(b, STDERR_FILENO, &pid, f) != 0 || finish(b, pid, f) != 0)
		return -1;
	if (work_unpack(w, &u, layer, f) != 0)
		return -1;
	*ret_size_kb = u.size_kb;
	return 0;
}

static int
build(struct work *w, struct build *b, const struct source *s, struct image *m,
    struct failure *f)
{
	char layer[IMAGE_LAYER_MAX + 1];
	uint64_t size_kb = 0;
	int r;

	if (work_new_layer(layer, f) != 0)
		return -1;
	if (is_there("mmdebstrap"))
		r = run_mmdebstrap(w, b, s, layer, &size_kb, f);
	else if (is_there("debootstrap"))
		r = run_debootstrap(w, b, s, layer, &size_kb, f);
	else
		return failure_set(f, "build", 0,
		    "there is neither mmdebstrap nor debootstrap here: apt-get "
		    "install mmdebstrap");
	if (r != 0 || work_keep(w, layer, layer, f) != 0)
		return -1;
	(void)image_add_layer(m, layer, size_kb);
	return images_publish(&w->state, m, NULL, f);
}

int
make_build(const struct config *c, const struct source *s, struct image *m,
    struct failure *f)
{
	static struct build b;
	struct work w;
	int r;

	memset(&b, 0, sizeof(b));
	b.distro = distros;
	if (make_check_name(s, m, f) != 0 || read_distro(&b, s, f) != 0)
		return -1;
	r = work_open(&w, c, f);
	if (r == 0)
		r = build(&w, &b, s, m, f);
	work_close(&w);
	return r;
}

/* buildah makes it in storage of its own, and writes it as a layout. */
static int
run_buildah(struct work *w, struct build *b, const char *directory,
    char *layout, size_t size, struct failure *f)
{
	/* Words of the shell's, so that no path is part of its text. */
	static const char script[] =
	    "set -e; s=$1; set -- --root \"$1/root\" --runroot \"$1/run\" "
	    "--storage-driver vfs -- \"$2\"; "
	    "buildah \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" bud "
	    "--isolation chroot --format oci -t mayfly-image \"$8\"; "
	    "buildah \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" push -q "
	    "mayfly-image \"oci:$s/layout:image\"";
	pid_t pid = -1;
	int r;

	if (!is_there("buildah"))
		return failure_set(f, "build", 0,
		    "there is no buildah here: apt-get install buildah");
	if (name_directory(w, b, "buildah", f) != 0)
		return -1;
	if (mkdirat(w->dir, "buildah", 0700) != 0)
		return failure_set(f, "build", errno, "mkdir");
	add(b, "/bin/sh");
	add(b, "-c");
	add(b, script);
	add(b, "sh");
	add(b, b->directory);
	add(b, directory);
	r = start(b, STDERR_FILENO, &pid, f);
	if (r == 0)
		r = finish(b, pid, f);
	(void)snprintf(layout, size, "oci:%s/layout:image", b->directory);
	return r;
}

int
make_from_dockerfile(const struct config *c, const struct source *s,
    struct image *m, struct failure *f)
{
	static char layout[PATH_MAX + 32];
	static struct build b;
	struct source from = { .text = layout, .name = s->name };
	struct work w;
	int r;

	memset(&b, 0, sizeof(b));
	if (make_check_name(s, m, f) != 0)
		return -1;
	if (access(s->text, F_OK) != 0)
		return failure_set(f, "source", errno, "%.160s", s->text);
	r = work_open(&w, c, f);
	if (r == 0)
		r = run_buildah(&w, &b, s->text, layout, sizeof(layout), f);
	if (r == 0)
		r = make_pull(c, &from, m, f);
	work_close(&w);
	return r;
}
