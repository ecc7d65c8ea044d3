/*
 * An image as an OCI layout: what umoci, skopeo, podman and others take. Its
 * layers are archives made anew, whose digests are not those that it may have
 * come by.
 * https://github.com/opencontainers/image-spec: image-layout.md and what it
 * refers to.
 */
#include "export.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images.h"
#include "io.h"
#include "json.h"
#include "moment.h"
#include "names.h"
#include "sha256.h"
#include "sys.h"
#include "trash.h"
#include "watch.h"
#include "work.h"

#define TYPE "application/vnd.oci.image."
#define PARTIAL "partial" /* a blob that has no name as yet */

struct blob {
	char digest[sizeof("sha256:") + SHA256_HEX];
	int64_t size;
};

/* The layout that is being made, beside where it is to be. */
struct layout {
	char path[PATH_MAX]; /* as the caller has it */
	const char *base; /* its last part, and what is above that */
	int parent;
	char fresh[NAME_MAX + 1]; /* its name there until all is made */
	char tag[IMAGE_NAME_MAX + 1];
	int dir, blobs;
	struct blob layers[PLAN_LAYERS_MAX], config;
};

static int
failed(struct failure *f, const char *what)
{
	return failure_set(f, "export", errno, "%.160s", what);
}

static bool
is_tag(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strlen(text);

	return len > 0 && len < IMAGE_NAME_MAX && strspn(text, letters) == len;
}

/* As skopeo has it, a path has no colon. Without a tag it is the image's. */
static int
read_target(struct layout *l, const struct image *m, const char *target,
    struct failure *f)
{
	const char *path = target + strlen("oci:"), *tag;
	const char *own = strchr(m->name, ':');
	size_t len;

	if (strncmp(target, "oci:", 4) != 0 || *path == '\0' || *path == ':')
		return failure_set(f, "usage", 0,
		    "export: '%.100s' is not of the form oci:DIR[:TAG]",
		    target);
	tag = strchr(path, ':');
	len = tag != NULL ? (size_t)(tag - path) : strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= sizeof(l->path))
		return failure_set(f, "export", ENAMETOOLONG, "DIR");
	memcpy(l->path, path, len);
	l->path[len] = '\0';
	if (tag == NULL)
		tag = own;
	tag = tag != NULL ? tag + 1 : "latest";
	if (!is_tag(tag))
		return failure_set(
		    f, "usage", 0, "export: '%.100s' can be no tag", tag);
	(void)snprintf(l->tag, sizeof(l->tag), "%s", tag);
	return 0;
}

/* Opens what is above it. */
static int
open_parent(struct layout *l, struct failure *f)
{
	char *slash = strrchr(l->path, '/');
	const char *above = slash == NULL ? "." : slash == l->path ? "/" : "";

	l->base = slash != NULL ? slash + 1 : l->path;
	if (*above == '\0') {
		*slash = '\0';
		l->parent = open(l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*slash = '/';
	} else {
		l->parent = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (l->parent >= 0 && *l->base == '\0')
		errno = ENOTEMPTY;
	return l->parent < 0 || *l->base == '\0' ? failed(f, l->path) : 0;
}

/* The rename would say so as well, but not before all is made. */
static int
check_place(const struct layout *l, struct failure *f)
{
	auto_fd dir = openat(l->parent, l->base, OPEN_DIR);
	char **names;
	size_t n = 0;

	if (dir < 0)
		return errno == ENOENT ? 0 : failed(f, l->path);
	if (names_list(dir, &names, &n) != 0)
		return failed(f, l->path);
	names_free(names, n);
	errno = ENOTEMPTY;
	return n == 0 ? 0 : failed(f, l->path);
}

/* Makes what becomes the layout when all is there. */
static int
make_directories(struct layout *l, struct failure *f)
{
	char random[STATE_RANDOM + 1] = "";

	if (open_parent(l, f) != 0 || check_place(l, f) != 0)
		return -1;
	if (state_random(random, STATE_RANDOM) != 0)
		return failed(f, "getrandom");
	(void)snprintf(
	    l->fresh, sizeof(l->fresh), "%.200s.%s.new", l->base, random);
	if (mkdirat(l->parent, l->fresh, 0777) != 0)
		return failed(f, l->path);
	l->dir = openat(l->parent, l->fresh, OPEN_DIR);
	if (l->dir < 0 || mkdirat(l->dir, "blobs", 0777) != 0 ||
	    mkdirat(l->dir, "blobs/sha256", 0777) != 0)
		return failed(f, l->path);
	l->blobs =
	    openat(l->dir, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return l->blobs < 0 ? failed(f, l->path) : 0;
}

/* What has been written to fd, as the file that its digest names, synced. */
static int
name_blob(struct layout *l, int fd, struct blob *ret, struct failure *f)
{
	char hex[SHA256_HEX + 1];
	struct stat st;
	void *data = NULL;

	if (fstat(fd, &st) != 0)
		return failed(f, "look at a blob");
	if (st.st_size > 0)
		data = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return failed(f, "read a blob");
	sha256_hex(data, (size_t)st.st_size, hex);
	if (data != NULL)
		(void)munmap(data, (size_t)st.st_size);
	(void)snprintf(ret->digest, sizeof(ret->digest), "sha256:%s", hex);
	ret->size = (int64_t)st.st_size;
	if (fsync(fd) != 0 || renameat(l->blobs, PARTIAL, l->blobs, hex) != 0)
		return failed(f, "write a blob");
	return 0;
}

static int
open_partial(const struct layout *l)
{
	return openat(l->blobs, PARTIAL,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

/* The layer of that number is what it adds to those below. */
static int
put_layer(const struct config *c, struct layout *l, const struct plan *layers,
    size_t i, struct failure *f)
{
	static const char bottom[] = PLAN_SHOWN "/l0";
	static const char *const first[] = { "diff", bottom, "-", "-", NULL };
	const struct work w = { .config = c, .dir = -1 };
	char path[40];
	const char *const more[] = { "diff", path, PLAN_SHOWN "/below",
		PLAN_SHOWN "/all", NULL };
	auto_fd fd = open_partial(l);
	struct job j;

	if (fd < 0)
		return failed(f, "make a blob");
	(void)snprintf(path, sizeof(path), PLAN_SHOWN "/l%zu", i);
	job_init(&j, "export", i == 0 ? first : more);
	j.layers = layers;
	j.layer_count = i + 1;
	j.out = fd;
	j.whole = true;
	if (work_tool(&w, &j, NULL, f) != 0) {
		/* There it is not the output that is lost. */
		if (strcmp(f->step, "stdout") == 0)
			(void)failure_set(
			    f, "export", f->error, "%.160s", l->path);
		return -1;
	}
	return name_blob(l, fd, &l->layers[i], f);
}

/* Takes the text as a file, or a blob where ret is not NULL. */
static int
put_document(struct layout *l, struct json *j, const char *name,
    struct blob *ret, struct failure *f)
{
	int r = json_finish(j);
	auto_fd fd = ret != NULL
			 ? open_partial(l)
			 : openat(l->dir, name,
			       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (r != 0)
		errno = ENOMEM;
	if (r != 0 || fd < 0 || io_write(fd, j->data, j->len) != 0 ||
	    (ret == NULL && fsync(fd) != 0))
		r = failed(f, name);
	json_free(j);
	return r == 0 && ret != NULL ? name_blob(l, fd, ret, f) : r;
}

/* The machine's own, by the name that it has in descriptions of images. */
static const char *
architecture(void)
{
	static const struct {
		const char *machine, *name;
	} rows[] = { { "x86_64", "amd64" }, { "aarch64", "arm64" },
		{ "armv7l", "arm" }, { "i686", "386" } };
	static struct utsname u;

	(void)uname(&u);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(u.machine, rows[i].machine) == 0)
			return rows[i].name;
	}
	return u.machine;
}

static void
put_words(struct json *j, const char *name, char **words)
{
	if (words == NULL || *words == NULL)
		return;
	json_array(j, name);
	for (char **w = words; *w != NULL; w++)
		json_text(j, NULL, *w);
	json_end(j);
}

static int
put_config(struct layout *l, const struct image *m, struct failure *f)
{
	char moment[MOMENT_SIZE];
	struct json j;

	json_init(&j);
	json_object(&j, NULL);
	json_text(&j, "created", moment_format(m->created_at, moment));
	json_text(&j, "architecture", architecture());
	json_text(&j, "os", "linux");
	json_object(&j, "config");
	if (*m->user != '\0')
		json_text(&j, "User", m->user);
	put_words(&j, "Env", m->env);
	put_words(&j, "Cmd", m->command);
	if (*m->cwd != '\0')
		json_text(&j, "WorkingDir", m->cwd);
	json_end(&j);
	json_object(&j, "rootfs");
	json_text(&j, "type", "layers");
	json_array(&j, "diff_ids");
	for (size_t i = 0; i < m->layer_count; i++)
		json_text(&j, NULL, l->layers[i].digest);
	return put_document(l, &j, "the configuration", &l->config, f);
}

static void
put_descriptor(
    struct json *j, const char *name, const char *type, const struct blob *b)
{
	json_object(j, name);
	json_text(j, "mediaType", type);
	json_text(j, "digest", b->digest);
	json_number(j, "size", b->size);
}

static int
put_index(struct layout *l, const struct image *m, struct failure *f)
{
	struct blob manifest = { 0 };
	struct json j;

	json_init(&j);
	json_object(&j, NULL);
	json_number(&j, "schemaVersion", 2);
	json_text(&j, "mediaType", TYPE "manifest.v1+json");
	put_descriptor(&j, "config", TYPE "config.v1+json", &l->config);
	json_end(&j);
	json_array(&j, "layers");
	for (size_t i = 0; i < m->layer_count; i++) {
		put_descriptor(&j, NULL, TYPE "layer.v1.tar", &l->layers[i]);
		json_end(&j);
	}
	if (put_document(l, &j, "the manifest", &manifest, f) != 0)
		return -1;
	json_init(&j);
	json_object(&j, NULL);
	json_text(&j, "imageLayoutVersion", "1.0.0");
	if (put_document(l, &j, "oci-layout", NULL, f) != 0)
		return -1;
	json_init(&j);
	json_object(&j, NULL);
	json_number(&j, "schemaVersion", 2);
	json_array(&j, "manifests");
	put_descriptor(&j, NULL, TYPE "manifest.v1+json", &manifest);
	json_object(&j, "annotations");
	json_text(&j, "org.opencontainers.image.ref.name", l->tag);
	return put_document(l, &j, "index.json", NULL, f);
}

static int
make(const struct config *c, struct layout *l, const struct image *m,
    const struct plan *layers, struct failure *f)
{
	if (make_directories(l, f) != 0)
		return -1;
	for (size_t i = 0; i < layers->layer_count; i++) {
		if (put_layer(c, l, layers, i, f) != 0)
			return -1;
	}
	if (put_config(l, m, f) != 0 || put_index(l, m, f) != 0)
		return -1;
	if (fsync(l->blobs) != 0 || fsync(l->dir) != 0 ||
	    renameat(l->parent, l->fresh, l->parent, l->base) != 0)
		return failed(f, l->path);
	*l->fresh = '\0';
	return fsync(l->parent) == 0 ? 0 : failed(f, l->path);
}

int
export_image(const struct config *c, const struct image *m, const char *target,
    struct failure *f)
{
	static struct layout l;
	static struct plan layers;
	sigset_t stop, before;
	int r;

	memset(&l, 0, sizeof(l));
	l.dir = l.blobs = l.parent = -1;
	plan_init(&layers);
	if (read_target(&l, m, target, f) != 0)
		return -1;
	/* They are heard while a layer is made, and else when all is gone. */
	watch_stop_signals(&stop);
	(void)sigprocmask(SIG_BLOCK, &stop, &before);
	r = images_open_layers(c, m, &layers, f);
	if (r == 0)
		r = make(c, &l, m, &layers, f);
	images_release(&layers);
	if (*l.fresh != '\0')
		(void)trash_tree(l.parent, l.fresh, UINT64_MAX, NULL);
	sys_close(&l.blobs);
	sys_close(&l.dir);
	sys_close(&l.parent);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
