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
#include <time.h>
#include <unistd.h>

#include "images.h"
#include "io.h"
#include "json.h"
#include "layout.h"
#include "make.h"
#include "source.h"
#include "sys.h"
#include "work.h"

#define POLICY "/etc/containers/policy.json"
#define AUTH_INSIDE "/run/auth.json"
#define AUTH_OWN "auth.json" /* in the work directory, for a while */
#define WORDS_MAX 32

void
make_say(const char *fmt, ...)
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
	char *pair = NULL;
	struct json j;
	int r = -1;

	if (asprintf(&pair, "%s:%s", s->username, s->password) < 0)
		fail_memory();
	json_init(&j);
	json_object(&j, NULL);
	json_object(&j, "auths");
	json_object(&j, s->registry);
	json_base64(&j, "auth", pair, strlen(pair));
	explicit_bzero(pair, strlen(pair));
	free(pair);
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
	if (access(POLICY, R_OK) == 0)
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
		job_bind(&c.job, "/etc/resolv.conf", "/etc/resolv.conf");
		job_bind(&c.job, "/etc/hosts", "/etc/hosts");
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
	/* The PATH inside, of what of it is the host's. */
	static const char *const places[] = { "/usr/local/sbin/skopeo",
		"/usr/local/bin/skopeo", "/usr/sbin/skopeo",
		"/usr/bin/skopeo" };
	size_t i = 0;

	while (i < sizeof(places) / sizeof(*places) &&
	       access(places[i], X_OK) != 0)
		i++;
	return i < sizeof(places) / sizeof(*places) ? work_find_tool(f)
						    : no_skopeo(f);
}

/* What another image has said of the same layer. */
struct known {
	const struct image *wanted;
	bool is[PLAN_LAYERS_MAX];
	uint64_t size_kb[PLAN_LAYERS_MAX];
};

static void
note_sizes(void *context, const struct image *other)
{
	struct known *k = context;

	for (size_t i = 0; i < k->wanted->layer_count; i++) {
		for (size_t n = 0; n < other->layer_count; n++) {
			if (strcmp(k->wanted->layers[i].name,
				other->layers[n].name) != 0)
				continue;
			k->is[i] = true;
			k->size_kb[i] = other->layers[n].size_kb;
		}
	}
}

static int
add_layers(struct work *w, struct image *m, struct failure *f)
{
	static struct known known;
	char path[sizeof(BLOBS) + IMAGE_LAYER_MAX];

	memset(&known, 0, sizeof(known));
	known.wanted = m;
	if (images_list(w->config, note_sizes, &known, f) != 0)
		return -1;
	for (size_t i = 0; i < m->layer_count; i++) {
		struct image_layer *l = &m->layers[i];
		const char *hex = strchr(l->name, '/') + 1;

		if (images_has_layer(&w->state, l->name) == 1 && known.is[i]) {
			l->size_kb = known.size_kb[i];
			make_say("layer %zu of %zu: %.12s is there", i + 1,
			    m->layer_count, hex);
			continue;
		}
		make_say("layer %zu of %zu: %.12s", i + 1, m->layer_count, hex);
		(void)snprintf(path, sizeof(path), BLOBS "/%s", hex);
		if (work_unpack(w, path, -1, NULL, l->name, &l->size_kb, f) !=
			0 ||
		    work_keep(w, l->name, f) != 0)
			return -1;
	}
	return 0;
}

int
make_pull(const struct config *c, const struct source *s, struct image *m,
    struct failure *f)
{
	struct work w;
	int r;

	if (source_name(s, m->name, f) != 0)
		return -1;
	m->created_at = (int64_t)time(NULL);
	r = work_open(&w, c, f);
	if (r == 0)
		r = fetch(&w, s, f);
	if (r == 0)
		r = layout_verify(&w, f);
	if (r == 0)
		r = layout_describe(&w, m, f);
	if (r == 0)
		r = add_layers(&w, m, f);
	if (r == 0)
		r = images_publish(&w.state, m, s->pull, f);
	work_close(&w);
	return r;
}
