/*
 * Images of registries, layouts and archives: skopeo fetches them, whatever
 * they are, as an OCI layout; it has the host's network and nothing else of
 * it. Then each file is what its name says, or nothing more is done; only then
 * is anything of it read.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "io.h"
#include "json.h"
#include "known.h"
#include "layout.h"
#include "make.h"
#include "program.h"
#include "sha256.h"
#include "source.h"
#include "sys.h"
#include "work.h"

#define POLICY "/etc/containers/policy.json"
#define AUTH_INSIDE "/run/auth.json"
#define AUTH_OWN "auth.json" /* in the work directory, for a while */
#define WORDS_MAX 32

/* Tells how far it is: a line. */
static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* What skopeo is called with. Texts belong to the caller. */
struct call {
	const char *words[WORDS_MAX];
	size_t n;
	struct job job;
	struct place place;
	char os[64], arch[64];
};

static void
add(struct call *c, const char *word)
{
	if (c->n < WORDS_MAX - 1)
		c->words[c->n++] = word;
	c->words[c->n] = NULL;
}

static int
add_platform(struct call *c, const char *platform, struct failure *f)
{
	const char *slash = platform != NULL ? strchr(platform, '/') : NULL;

	if (platform == NULL)
		return 0;
	if (slash == NULL || slash == platform || slash[1] == '\0' ||
	    strlen(platform) >= sizeof(c->os))
		return failure_set(f, "usage", 0,
		    "--platform: '%.60s' is not OS/ARCH", platform);
	(void)snprintf(c->os, sizeof(c->os), "--override-os=%.*s",
	    (int)(slash - platform), platform);
	(void)snprintf(
	    c->arch, sizeof(c->arch), "--override-arch=%s", slash + 1);
	add(c, c->os);
	add(c, c->arch);
	return 0;
}

/* The file of containers-auth.json(5) for one registry. 0, or -1 with f. */
static int
write_auth(const struct work *w, const struct source *s, struct failure *f)
{
	char *token = source_token(s);
	struct json j;
	int r = -1;

	json_init(&j);
	json_object(&j, NULL);
	json_object(&j, "auths");
	json_object(&j, s->registry);
	json_text(&j, "auth", token);
	source_forget(token);
	if (json_finish(&j) != 0)
		fail_memory();
	auto_fd fd = openat(w->dir, AUTH_OWN,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		r = io_write(fd, j.data, j.len);
	explicit_bzero(j.data, j.len);
	json_free(&j);
	return r == 0 ? 0 : failure_set(f, "authfile", errno, "write it");
}

static int
add_auth(struct call *c, const struct work *w, const struct source *s,
    struct failure *f)
{
	if (s->username != NULL) {
		add(c, "--authfile=/mnt/" AUTH_OWN);
		return write_auth(w, s, f);
	}
	if (s->authfile == NULL)
		return 0;
	if (access(s->authfile, R_OK) != 0)
		return failure_set(f, "authfile", errno, "%.160s", s->authfile);
	add(c, "--authfile=" AUTH_INSIDE);
	job_bind(&c->job, s->authfile, AUTH_INSIDE);
	return 0;
}

/* Without a file of the machine's it has the sandbox's own. */
static void
bind_there(struct job *j, const char *path)
{
	if (access(path, F_OK) == 0)
		job_bind(j, path, path);
}

static int
no_skopeo(struct failure *f)
{
	return failure_set(
	    f, "skopeo", 0, "there is no skopeo here: apt-get install skopeo");
}

/* skopeo copy SOURCE oci:/mnt/oci:image */
static int
fetch(const struct work *w, const struct source *s, struct failure *f)
{
	static struct call c;
	int r;

	memset(&c, 0, sizeof(c));
	job_init(&c.job, "skopeo", c.words);
	c.job.out = STDERR_FILENO;
	add(&c, "skopeo");
	/* Where there is one and it cannot be read, nothing is fetched. */
	if (access(POLICY, F_OK) == 0 || errno != ENOENT)
		job_bind(&c.job, POLICY, POLICY);
	else
		add(&c, "--insecure-policy");
	if (add_platform(&c, s->platform, f) != 0 ||
	    source_find(s, &c.place, f) != 0)
		return -1;
	c.job.network = !c.place.is_here;
	if (c.place.is_here)
		job_bind(&c.job, c.place.path, WORK_SOURCE);
	add(&c, "copy");
	/* Nothing is gained from packing what is unpacked next. */
	if (!c.job.network)
		add(&c, "--dest-oci-accept-uncompressed-layers");
	if (s->plain_http)
		add(&c, "--src-tls-verify=false");
	if (add_auth(&c, w, s, f) != 0)
		return -1;
	if (c.job.network) {
		bind_there(&c.job, "/etc/resolv.conf");
		bind_there(&c.job, "/etc/hosts");
	}
	add(&c, c.place.text);
	add(&c, "oci:" LAYOUT ":image");
	if (mkdirat(w->dir, "tmp", 0700) != 0)
		return failure_set(f, "skopeo", errno, "mkdir");
	r = work_run(w, &c.job, NULL, f);
	(void)unlinkat(w->dir, AUTH_OWN, 0);
	return r != 0 && strcmp(f->step, "skopeo") == 0 && f->error == ENOENT
		   ? no_skopeo(f)
		   : r;
}

int
make_can_pull(struct failure *f)
{
	return program_find("skopeo") != NULL ? work_find_tool(f)
					      : no_skopeo(f);
}

/*
 * Its name where it is what it is upon the layers below it alone: by their
 * names, and its own.
 */
static void
name_upon(const struct image *m, size_t i, char ret[IMAGE_LAYER_MAX + 1])
{
	char text[(PLAN_LAYERS_MAX + 1) * (IMAGE_LAYER_MAX + 2)];
	char hex[SHA256_HEX + 1];
	/* In front stands what no layer's archive begins with. */
	size_t len = (size_t)snprintf(text, sizeof(text), "mayfly layers\n");

	for (size_t n = 0; n <= i; n++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "%s\n", m->layers[n].name);
	sha256_hex(text, len, hex);
	(void)snprintf(ret, IMAGE_LAYER_MAX + 1, "sha256/%s", hex);
}

/* Takes the layer of that number from the layout. */
static int
add_layer(struct work *w, struct image *m, size_t i, const struct plan *below,
    const char *upon, struct failure *f)
{
	struct image_layer *l = &m->layers[i];
	char path[sizeof(BLOBS) + IMAGE_LAYER_MAX], from[IMAGE_LAYER_MAX + 1];
	struct unpacked u = { .archive = path, .in = -1, .below = below };

	(void)snprintf(
	    path, sizeof(path), BLOBS "/%s", strchr(l->name, '/') + 1);
	/* Who has fetched it must not know where it is going to be. */
	if (work_new_layer(from, f) != 0 || work_unpack(w, &u, from, f) != 0)
		return -1;
	l->size_kb = u.size_kb;
	if (u.implied)
		(void)strcpy(l->name, upon);
	return work_keep(w, from, l->name, f);
}

/* The same layer further down, or i where there is none. */
static size_t
find_earlier(const struct image *m, size_t i)
{
	size_t n = 0;

	while (strcmp(m->layers[n].name, m->layers[i].name) != 0)
		n++;
	return n;
}

/*
 * An overlay takes a directory but once. A layer that comes again has and hides
 * all that it did further down, which then makes no difference.
 */
static void
drop_layer(struct image *m, struct plan *below, size_t n)
{
	size_t rest = --m->layer_count - n, fds = --below->layer_count - n;

	sys_close(&below->layers[n]);
	memmove(&m->layers[n], &m->layers[n + 1], rest * sizeof(*m->layers));
	memmove(&below->layers[n], &below->layers[n + 1],
	    fds * sizeof(*below->layers));
}

static int
add_layers(struct work *w, struct image *m, struct plan *below,
    const struct known *known, struct failure *f)
{
	char upon[IMAGE_LAYER_MAX + 1], hex[13];
	const size_t count = m->layer_count;

	for (size_t i = 0, n = 1; i < m->layer_count; i++, n++) {
		struct image_layer *l = &m->layers[i];
		size_t earlier = find_earlier(m, i);

		(void)snprintf(
		    hex, sizeof(hex), "%s", strchr(l->name, '/') + 1);
		name_upon(m, i, upon);
		if (earlier < i)
			*l = m->layers[earlier];
		if (earlier < i || known_find(known, w, l->name, l) ||
		    known_find(known, w, upon, l)) {
			say("layer %zu of %zu: %s is there", n, count, hex);
		} else {
			say("layer %zu of %zu: %s", n, count, hex);
			if (add_layer(w, m, i, below, upon, f) != 0)
				return -1;
		}
		if (images_open_layer(&w->state, l->name, below, f) != 0)
			return -1;
		if (earlier < i) {
			drop_layer(m, below, earlier);
			i--;
		}
	}
	return 0;
}

/* In the work directory. */
static int
pull(struct work *w, const struct source *s, struct image *m, struct failure *f)
{
	static struct plan below;
	const char *digest = source_digest(s);
	struct known known;
	int r;

	plan_init(&below);
	r = known_list(&known, w->config, f);
	if (r == 0)
		r = known_spare(&known, w, f);
	if (r == 0)
		r = fetch(w, s, f);
	if (r == 0)
		r = known_unspare(&known, w, f);
	if (r == 0)
		r = layout_verify(w, f);
	if (r == 0)
		r = layout_describe(w, m, f);
	if (r == 0)
		r = add_layers(w, m, &below, &known, f);
	/* Its description may be another now: skopeo makes the OCI's of all. */
	if (r == 0 && digest != NULL)
		(void)strcpy(m->digest, digest);
	images_release(&below);
	known_free(&known);
	return r == 0 ? images_publish(&w->state, m, s->pull, f) : -1;
}

int
make_pull(const struct config *c, const struct source *s, struct image *m,
    struct failure *f)
{
	struct work w;
	int r;

	if (make_check_name(s, m, f) != 0)
		return -1;
	r = work_open(&w, c, f);
	if (r == 0)
		r = pull(&w, s, m, f);
	work_close(&w);
	return r;
}
