/*
 * What an image is, out of an OCI image layout with one image in it:
 * index.json names a manifest, which names a configuration and the layers.
 * https://github.com/opencontainers/image-spec: image-layout.md and what it
 * refers to.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "jsoncheck.h"
#include "jsonread.h"
#include "sys.h"
#include "tool.h"

#define DIGEST_LEN 71 /* "sha256:" and 64 digits */

struct document {
	struct json_doc json;
	char *text;
};

static void
open_document(struct document *d, int layout, const char *path)
{
	auto_fd fd = openat(layout, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		tool_die("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > JSON_SIZE_MAX)
		tool_die("%s: larger than %d bytes", path, JSON_SIZE_MAX);
	d->text = malloc((size_t)st.st_size + 1);
	if (d->text == NULL || io_read(fd, d->text, (size_t)st.st_size) != 0)
		tool_die("%s: %s", path, strerror(errno));
	if (json_open(&d->json, d->text, (size_t)st.st_size) != 0)
		/* Where a name is there twice, it has that name. */
		tool_die("%s: %s", path, tool_quote(d->json.why));
}

static void
close_document(struct document *d)
{
	json_close(&d->json);
	free(d->text);
}

/* A member that is text, or NULL where it is not there. */
static const char *
text_of(struct document *d, const struct json_node *object, const char *name)
{
	struct json_node *v =
	    object != NULL ? json_member(&d->json, object, name) : NULL;
	char *text;

	if (v == NULL || v->type == JSON_NULL)
		return NULL;
	if (json_read_text(&d->json, v, &text) != 0)
		tool_die("%s", d->json.why);
	return text;
}

static struct json_node *
member(struct document *d, const struct json_node *object, const char *name,
    enum json_type type)
{
	struct json_node *v =
	    object != NULL ? json_member(&d->json, object, name) : NULL;

	if (v == NULL || v->type == JSON_NULL)
		return NULL;
	if (json_want(&d->json, v, type) != 0)
		tool_die("%s", d->json.why);
	return v;
}

static bool
is_digest(const char *text)
{
	return text != NULL && strncmp(text, "sha256:", 7) == 0 &&
	       strlen(text) == DIGEST_LEN &&
	       strspn(text + 7, "0123456789abcdef") == 64;
}

/* The digest of a descriptor, as it stands in the document. */
static const char *
digest_of(struct document *d, const struct json_node *descriptor)
{
	const char *digest = text_of(d, descriptor, "digest");

	if (!is_digest(digest))
		tool_die("a digest that is not sha256");
	return digest;
}

static void
open_blob(struct document *d, int layout, const char *digest)
{
	char path[DIGEST_LEN + 16];

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", digest + 7);
	open_document(d, layout, path);
}

static void
say_all(struct document *d, const struct json_node *list, const char *key)
{
	struct json_node *v = NULL;
	char *text;

	while (list != NULL && (v = json_each(&d->json, list, v)) != NULL) {
		if (json_read_text(&d->json, v, &text) != 0)
			tool_die("%s", d->json.why);
		tool_say(key, "%s", text);
	}
}

/* How it is to be run: the entry point with its words in front. */
static void
say_config(int layout, const char *digest)
{
	struct document d;
	const struct json_node *config;
	const char *text;

	open_blob(&d, layout, digest);
	config = member(&d, d.json.nodes, "config", JSON_OBJECT);
	if ((text = text_of(&d, config, "WorkingDir")) != NULL)
		tool_say("cwd", "%s", text);
	if ((text = text_of(&d, config, "User")) != NULL)
		tool_say("user", "%s", text);
	say_all(&d, member(&d, config, "Env", JSON_ARRAY), "env");
	say_all(&d, member(&d, config, "Entrypoint", JSON_ARRAY), "command");
	say_all(&d, member(&d, config, "Cmd", JSON_ARRAY), "command");
	close_document(&d);
}

static void
say_manifest(int layout, const char *digest)
{
	struct json_node *layers, *config, *v = NULL;
	struct document d;
	const char *type;

	open_blob(&d, layout, digest);
	layers = member(&d, d.json.nodes, "layers", JSON_ARRAY);
	config = member(&d, d.json.nodes, "config", JSON_OBJECT);
	if (layers == NULL || config == NULL)
		tool_die("a manifest without layers or configuration");
	while ((v = json_each(&d.json, layers, v)) != NULL) {
		type = text_of(&d, v, "mediaType");
		/* What is no archive is an artefact's, and no file system. */
		if (type == NULL || strstr(type, ".tar") == NULL)
			tool_die("a layer of the type '%s'",
			    tool_quote(type != NULL ? type : ""));
		tool_say("layer", "%s", digest_of(&d, v));
	}
	say_config(layout, digest_of(&d, config));
	close_document(&d);
}

int
tool_describe(int argc, char **argv)
{
	struct document d;
	struct json_node *manifests, *v;
	const char *digest;
	auto_fd layout = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)argc;
	if (layout < 0)
		tool_die("open %s: %s", argv[1], strerror(errno));
	open_document(&d, layout, "index.json");
	manifests = member(&d, d.json.nodes, "manifests", JSON_ARRAY);
	v = manifests != NULL ? json_each(&d.json, manifests, NULL) : NULL;
	if (v == NULL || json_each(&d.json, manifests, v) != NULL)
		tool_die("index.json has not exactly one image");
	digest = digest_of(&d, v);
	tool_say("digest", "%s", digest);
	say_manifest(layout, digest);
	close_document(&d);
	return 0;
}
