#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "work.h"

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

/* What the source is called, for an image that is given no name. */
static int
name_of_source(
    const char *text, char ret[IMAGE_NAME_MAX + 1], struct failure *f)
{
	const struct kind *k = find_kind(text);

	if (k != NULL)
		text += strlen(k->prefix);
	if (name_of(text, ret, IMAGE_NAME_MAX + 1) == 0)
		return 0;
	return failure_set(f, "usage", 0,
	    "the name of '%.100s' can be no image's: give one", text);
}

int
source_name(
    const struct source *s, char ret[IMAGE_NAME_MAX + 1], struct failure *f)
{
	if (s->name == NULL && name_of_source(s->text, ret, f) != 0)
		return -1;
	if (s->name != NULL && !image_is_name(s->name))
		return failure_set(f, "usage", 0,
		    "'%.100s' can be no image's name: it is "
		    "[a-z0-9][a-z0-9._-]{0,63} and perhaps a tag",
		    s->name);
	if (s->name != NULL)
		(void)strcpy(ret, s->name);
	if (strcmp(ret, "host") == 0)
		return failure_set(f, "usage", 0,
		    "no image's name can be 'host': that is the machine's own "
		    "files");
	return 0;
}

int
make_check_name(const struct source *s, struct image *m, struct failure *f)
{
	m->created_at = (int64_t)time(NULL);
	return source_name(s, m->name, f);
}

/* "oci:DIR:TAG" as it is inside, and its path on the host. */
static int
name_local(struct place *ret, const struct source *s, const struct kind *k,
    struct failure *f)
{
	const char *from = s->text + strlen(k->prefix), *tag = "";
	size_t len;

	(void)snprintf(ret->path, sizeof(ret->path), "%s", from);
	/* A tag stands behind the path, which may have a colon of its own. */
	while (
	    access(ret->path, F_OK) != 0 && strrchr(ret->path, ':') != NULL) {
		len = (size_t)(strrchr(ret->path, ':') - ret->path);
		ret->path[len] = '\0';
		tag = from + len;
	}
	if (access(ret->path, F_OK) != 0)
		return failure_set(
		    f, "source", errno, "%.160s", s->text + strlen(k->prefix));
	(void)snprintf(ret->text, sizeof(ret->text), "%s" WORK_SOURCE "%s",
	    k->prefix, tag);
	ret->is_here = true;
	return 0;
}

int
source_find(const struct source *s, struct place *ret, struct failure *f)
{
	const struct kind *k = find_kind(s->text);
	const char *text = s->text;

	if (k != NULL && k->is_here)
		return name_local(ret, s, k, f);
	if (k == NULL && strstr(text, "://") != NULL)
		return failure_set(f, "usage", 0,
		    "'%.100s': sources are docker://, oci:, docker-archive: "
		    "and NAME[:TAG]",
		    text);
	/* A bare name is Docker Hub's. */
	(void)snprintf(ret->text, sizeof(ret->text), "docker://%s%s",
	    k == NULL && strchr(text, '/') == NULL ? "docker.io/library/" : "",
	    k != NULL ? text + strlen(k->prefix) : text);
	ret->is_here = false;
	return 0;
}

const char *
source_digest(const struct source *s)
{
	const struct kind *k = find_kind(s->text);
	const char *at = strrchr(s->text, '@');

	return (k == NULL || !k->is_here) && at != NULL &&
		       strncmp(at + 1, "sha256:", 7) == 0 &&
		       strlen(at + 1) == IMAGE_DIGEST_MAX
		   ? at + 1
		   : NULL;
}

char *
source_token(const struct source *s)
{
	char *pair = NULL, *token;
	struct json j;

	if (s->username == NULL)
		return NULL;
	if (asprintf(&pair, "%s:%s", s->username, s->password) < 0)
		fail_memory();
	json_init(&j);
	json_base64(&j, NULL, pair, strlen(pair));
	source_forget(pair);
	if (json_finish(&j) != 0)
		fail_memory();
	token = strndup(j.data + 1, strcspn(j.data + 1, "\""));
	explicit_bzero(j.data, j.len);
	json_free(&j);
	if (token == NULL)
		fail_memory();
	return token;
}

void
source_forget(char *token)
{
	if (token != NULL)
		explicit_bzero(token, strlen(token));
	free(token);
}
