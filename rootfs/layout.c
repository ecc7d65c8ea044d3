#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int
layout_verify(const struct work *w, struct failure *f)
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

int
layout_describe(const struct work *w, struct image *m, struct failure *f)
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
