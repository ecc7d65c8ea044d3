/*
 * Images of registries, layouts and archives: skopeo fetches them, whatever
 * they are, as an OCI layout; it has the host's network and nothing else of
 * it. Then each file is what its name says, or nothing more is done; only then
 * is anything of it read.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "images.h"
#include "make.h"
#include "sys.h"
#include "work.h"

#define LAYOUT "/mnt/oci"
#define BLOBS LAYOUT "/blobs/sha256"
#define POLICY "/etc/containers/policy.json"
#define AUTH_INSIDE "/run/auth.json"
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

/* Kinds of source that skopeo knows, and whether they are on this machine. */
static const struct kind {
	const char *prefix;
	bool is_here;
} kinds[] = {
	{ "docker://", false },
	{ "oci:", true },
	{ "docker-archive:", true },
	{ "oci-archive:", true },
};

static const struct kind *
find_kind(const char *text)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) ==
		    0)
			return &kinds[i];
	}
	return NULL;
}

/*
 * The last component with its tag, as a name: "python:3.11-slim" of
 * docker://docker.io/library/python:3.11-slim@sha256:...
 */
static int
name_of(const char *text, char *name, size_t size)
{
	const char *end = strchr(text, '@'), *from = text;
	size_t len;

	if (end == NULL)
		end = text + strlen(text);
	while (end > text && end[-1] == '/')
		end--;
	for (const char *p = text; p < end; p++) {
		if (*p == '/')
			from = p + 1;
	}
	len = (size_t)(end - from);
	if (len >= size)
		return -1;
	memcpy(name, from, len);
	name[len] = '\0';
	for (char *p = name; *p != '\0' && *p != ':'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return image_is_name(name) ? 0 : -1;
}

static int
choose_name(const struct source *s, struct image *m, struct failure *f)
{
	const struct kind *k = find_kind(s->text);
	const char *text = k != NULL ? s->text + strlen(k->prefix) : s->text;

	if (s->name == NULL && name_of(text, m->name, sizeof(m->name)) != 0)
		return failure_set(f, "usage", 0,
		    "the name of '%.100s' can be no image's: give one", text);
	if (s->name != NULL && !image_is_name(s->name))
		return failure_set(f, "usage", 0,
		    "'%.100s' can be no image's name: it is "
		    "[a-z0-9][a-z0-9._-]{0,63} and perhaps a tag",
		    s->name);
	if (s->name != NULL)
		(void)strcpy(m->name, s->name);
	if (strcmp(m->name, "host") == 0)
		return failure_set(f, "usage", 0,
		    "the name 'host' is that of the machine's own files");
	return 0;
}

/* What skopeo is called with. Texts belong to the caller. */
struct call {
	const char *words[WORDS_MAX];
	size_t n;
	struct job job;
	char source[PATH_MAX + 64], path[PATH_MAX], os[64], arch[64];
};

static void
add(struct call *c, const char *word)
{
	if (c->n < WORDS_MAX - 1)
		c->words[c->n++] = word;
	c->words[c->n] = NULL;
}

/* "oci:DIR:TAG" as it is inside, and its path on the host. */
static int
name_local(struct call *c, const struct source *s, const struct kind *k,
    struct failure *f)
{
	const char *from = s->text + strlen(k->prefix), *tag = "";
	size_t len;

	(void)snprintf(c->path, sizeof(c->path), "%s", from);
	/* A tag stands behind the path, which may have a colon of its own. */
	while (access(c->path, F_OK) != 0 && strrchr(c->path, ':') != NULL) {
		len = (size_t)(strrchr(c->path, ':') - c->path);
		c->path[len] = '\0';
		tag = from + len;
	}
	if (access(c->path, F_OK) != 0)
		return failure_set(
		    f, "source", errno, "%.160s", s->text + strlen(k->prefix));
	(void)snprintf(c->source, sizeof(c->source), "%s" WORK_SOURCE "%s",
	    k->prefix, tag);
	job_bind(&c->job, c->path, WORK_SOURCE);
	return 0;
}

static int
name_source(struct call *c, const struct source *s, struct failure *f)
{
	const struct kind *k = find_kind(s->text);
	const char *text = s->text;

	if (k != NULL && k->is_here)
		return name_local(c, s, k, f);
	if (k == NULL && strstr(text, "://") != NULL)
		return failure_set(f, "usage", 0,
		    "'%.100s': sources are docker://, oci:, docker-archive: "
		    "and NAME[:TAG]",
		    text);
	/* A bare name is Docker Hub's. */
	(void)snprintf(c->source, sizeof(c->source), "docker://%s%s",
	    k == NULL && strchr(text, '/') == NULL ? "docker.io/library/" : "",
	    k != NULL ? text + strlen(k->prefix) : text);
	c->job.network = true;
	return 0;
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

/* skopeo copy SOURCE oci:/mnt/oci:image */
static int
fetch(const struct work *w, const struct source *s, struct failure *f)
{
	static struct call c;

	memset(&c, 0, sizeof(c));
	job_init(&c.job, "skopeo", c.words);
	c.job.out = STDERR_FILENO;
	add(&c, "skopeo");
	if (access(POLICY, R_OK) == 0)
		job_bind(&c.job, POLICY, POLICY);
	else
		add(&c, "--insecure-policy");
	if (add_platform(&c, s->platform, f) != 0 || name_source(&c, s, f) != 0)
		return -1;
	add(&c, "copy");
	/* Nothing is gained from packing what is unpacked next. */
	if (!c.job.network)
		add(&c, "--dest-oci-accept-uncompressed-layers");
	if (s->plain_http)
		add(&c, "--src-tls-verify=false");
	if (s->authfile != NULL && access(s->authfile, R_OK) != 0)
		return failure_set(f, "authfile", errno, "%.160s", s->authfile);
	if (s->authfile != NULL) {
		add(&c, "--authfile=" AUTH_INSIDE);
		job_bind(&c.job, s->authfile, AUTH_INSIDE);
	}
	if (c.job.network) {
		job_bind(&c.job, "/etc/resolv.conf", "/etc/resolv.conf");
		job_bind(&c.job, "/etc/hosts", "/etc/hosts");
	}
	add(&c, c.source);
	add(&c, "oci:" LAYOUT ":image");
	if (mkdirat(w->dir, "tmp", 0700) != 0)
		return failure_set(f, "skopeo", errno, "mkdir");
	if (work_run(w, &c.job, NULL, f) == 0)
		return 0;
	if (strcmp(f->step, "skopeo") == 0 && f->error == ENOENT)
		return failure_set(f, "skopeo", 0,
		    "there is no skopeo here: apt-get install skopeo");
	return -1;
}

/* "HEX  PATH" of sha256sum: is each what its name says? */
static int
check_sums(const char *text, struct failure *f)
{
	const size_t hex = 64;

	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (len != hex + 2 + strlen(BLOBS "/") + hex ||
		    memcmp(line, line + len - hex, hex) != 0)
			return failure_set(f, "digest", 0,
			    "%.*s is not what it is said to be", (int)hex,
			    line + (len > hex ? len - hex : 0));
		line += len + (line[len] == '\n');
	}
	return 0;
}

static int
verify(const struct work *w, struct failure *f)
{
	/* The shell lists what there is; the sums are looked at here. */
	const char *const words[] = { "/bin/sh", "-c",
		"exec sha256sum " BLOBS "/*", NULL };
	struct kept said;
	struct job j;
	int r;

	job_init(&j, "digest", words);
	if (work_run(w, &j, &said, f) != 0)
		return -1;
	r = check_sums(said.data, f);
	free(said.data);
	return r;
}

/* "sha256:HEX" as the name of a layer. -1 where it is none. */
static int
layer_name(const char *digest, char ret[IMAGE_LAYER_MAX + 1])
{
	if (strncmp(digest, "sha256:", 7) != 0 ||
	    strlen(digest) > IMAGE_LAYER_MAX)
		return -1;
	(void)snprintf(ret, IMAGE_LAYER_MAX + 1, "sha256/%s", digest + 7);
	return image_is_layer(ret) ? 0 : -1;
}

/* What stands in messages, where a terminal would act on what is no text. */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/* A field of what the tool says the image is; -1 for a wrong one. */
static int
take(struct image *m, const char *field)
{
	const char *value = strchr(field, '=');
	char layer[IMAGE_LAYER_MAX + 1];
	size_t len = value != NULL ? (size_t)(value++ - field) : 0;

	if (len == 6 && memcmp(field, "digest", 6) == 0 &&
	    layer_name(value, layer) == 0)
		(void)snprintf(m->digest, sizeof(m->digest), "%s", value);
	else if (len == 5 && memcmp(field, "layer", 5) == 0)
		return layer_name(value, layer) != 0
			   ? -1
			   : image_add_layer(m, layer, 0);
	else if (len == 3 && memcmp(field, "cwd", 3) == 0)
		return !is_plain(value) ||
			       snprintf(m->cwd, sizeof(m->cwd), "%s%s",
				   *value != '/' && *value != '\0' ? "/" : "",
				   value) > IMAGE_TEXT_MAX
			   ? -1
			   : 0;
	else if (len == 4 && memcmp(field, "user", 4) == 0)
		return !is_plain(value) || snprintf(m->user, sizeof(m->user),
					       "%s", value) > PLAN_USER_MAX
			   ? -1
			   : 0;
	else if (len == 3 && memcmp(field, "env", 3) == 0)
		/* What has no value is none of the image's. */
		return strchr(value, '=') == NULL ? 0 : image_add_env(m, value);
	else if (len == 7 && memcmp(field, "command", 7) == 0)
		return image_add_command(m, value);
	else
		return -1;
	return 0;
}

static int
describe(const struct work *w, struct image *m, struct failure *f)
{
	const char *const words[] = { "describe", LAYOUT, NULL };
	struct kept said;
	struct job j;
	int r = 0;

	job_init(&j, "manifest", words);
	if (work_tool(w, &j, &said, f) != 0)
		return -1;
	for (const char *p = said.data; r == 0 && p < said.data + said.len;
	     p += strlen(p) + 1)
		r = take(m, p);
	free(said.data);
	if (r != 0 || m->layer_count == 0)
		return failure_set(f, "manifest", 0,
		    "it describes no image that can be run here");
	return 0;
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

	if (choose_name(s, m, f) != 0)
		return -1;
	m->created_at = (int64_t)time(NULL);
	r = work_open(&w, c, f);
	if (r == 0)
		r = fetch(&w, s, f);
	if (r == 0)
		r = verify(&w, f);
	if (r == 0)
		r = describe(&w, m, f);
	if (r == 0)
		r = add_layers(&w, m, f);
	if (r == 0)
		r = images_publish(&w.state, m, f);
	work_close(&w);
	return r;
}
