#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "image_json.h"
#include "image_verbs.h"
#include "images.h"
#include "io.h"
#include "moment.h"
#include "verdict.h"

int
image_fail(const struct failure *f)
{
	char text[320];

	if (strcmp(f->step, "usage") == 0) {
		complain("image: %s", f->detail);
		return EXIT_USAGE;
	}
	complain("%s", failure_text(f, text, sizeof(text)));
	return EXIT_OWN;
}

int
image_not_found(const char *name)
{
	complain("image: there is no image '%.129s'", name);
	return EXIT_OWN;
}

/* Layers that more than one image has. */
struct sizes {
	const struct image *of;
	uint64_t total, own;
	bool shared[PLAN_LAYERS_MAX];
};

static void
mark_shared(void *context, const struct image *other)
{
	struct sizes *s = context;

	for (size_t i = 0;
	     i < s->of->layer_count && strcmp(other->name, s->of->name) != 0;
	     i++) {
		for (size_t n = 0; n < other->layer_count; n++) {
			if (strcmp(s->of->layers[i].name,
				other->layers[n].name) == 0)
				s->shared[i] = true;
		}
	}
}

static int
measure(const struct config *c, const struct image *m, struct sizes *s,
    struct failure *f)
{
	memset(s, 0, sizeof(*s));
	s->of = m;
	if (images_list(c, mark_shared, s, f) != 0)
		return -1;
	for (size_t i = 0; i < m->layer_count; i++) {
		s->total += m->layers[i].size_kb;
		if (!s->shared[i])
			s->own += m->layers[i].size_kb;
	}
	return 0;
}

static void
keep_name(void *context, const struct image *m)
{
	char ***names = context, **more;
	size_t n = 0;

	while (*names != NULL && (*names)[n] != NULL)
		n++;
	more = realloc(*names, (n + 2) * sizeof(*more));
	if (more == NULL || (more[n] = strdup(m->name)) == NULL)
		fail_memory();
	more[n + 1] = NULL;
	*names = more;
}

static int
print_row(const struct config *c, const char *name)
{
	static struct image m;
	struct failure f;
	struct sizes s;
	int status = 0;

	image_init(&m);
	switch (images_read(c, name, &m, &f)) {
	case IMAGES_OK:
		if (measure(c, &m, &s, &f) != 0)
			status = image_fail(&f);
		else
			(void)printf("%-32s %6zu %12" PRIu64 " %12" PRIu64
				     "  %.19s\n",
			    name, m.layer_count, s.total, s.own, m.digest);
		break;
	case IMAGES_NOT_FOUND:
		break;
	default:
		status = image_fail(&f);
	}
	image_free(&m);
	return status;
}

int
image_list(const struct config *c)
{
	struct failure f;
	char **names = NULL;
	int status = 0;

	if (images_list(c, keep_name, &names, &f) != 0)
		return image_fail(&f);
	if (names != NULL)
		(void)printf("%-32s %6s %12s %12s  %s\n", "NAME", "LAYERS",
		    "KB", "OWN KB", "DIGEST");
	for (char **n = names; n != NULL && *n != NULL; n++) {
		if (status == 0)
			status = print_row(c, *n);
		free(*n);
	}
	free(names);
	return status;
}

/* What a registry says, without what a terminal acts on. */
static void
print_line(const char *label, const char *text)
{
	(void)printf("%-11s ", label);
	command_print(text, strlen(text));
	(void)putchar('\n');
}

static void
print_words(const char *label, char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		print_line(label, words[i]);
}

static int
print_image(const struct config *c, const struct image *m)
{
	char moment[MOMENT_SIZE];
	struct failure f;
	struct sizes s;

	if (measure(c, m, &s, &f) != 0)
		return image_fail(&f);
	(void)printf("name        %s\n"
		     "digest      %s\n"
		     "created_at  %s\n"
		     "size_kb     %" PRIu64 "\n"
		     "own_kb      %" PRIu64 "\n",
	    m->name, *m->digest != '\0' ? m->digest : "none",
	    moment_format(m->created_at, moment), s.total, s.own);
	print_line("cwd", *m->cwd != '\0' ? m->cwd : "/");
	print_line("user", *m->user != '\0' ? m->user : "0");
	print_words("env", m->env);
	print_words("command", m->command);
	for (size_t i = 0; i < m->layer_count; i++)
		(void)printf("layer       %s %" PRIu64 "%s\n",
		    m->layers[i].name, m->layers[i].size_kb,
		    s.shared[i] ? " shared" : "");
	return 0;
}

int
image_show(const struct config *c, const char *name)
{
	static struct image m;
	struct failure f;
	int status;

	image_init(&m);
	switch (images_read(c, name, &m, &f)) {
	case IMAGES_OK:
		status = print_image(c, &m);
		break;
	case IMAGES_NOT_FOUND:
		status = image_not_found(name);
		break;
	default:
		status = image_fail(&f);
	}
	image_free(&m);
	return status;
}

/* Prints it, and frees it. */
static int
emit(struct json *j)
{
	int r = json_finish(j);

	if (r != 0)
		errno = ENOMEM;
	else
		r = io_write(STDOUT_FILENO, j->data, j->len);
	if (r != 0)
		complain("stdout: %s", strerror(errno));
	json_free(j);
	return r == 0 ? 0 : EXIT_OWN;
}

int
image_list_json(const struct config *c)
{
	struct failure f;
	struct json j;

	json_init(&j);
	if (put_images(&j, c, &f) == 0)
		return emit(&j);
	json_free(&j);
	return image_fail(&f);
}

int
image_show_json(const struct config *c, const char *name)
{
	enum images_result r = IMAGES_NOT_FOUND;
	struct failure f;
	struct json j;

	json_init(&j);
	json_object(&j, NULL);
	if (image_is_name(name))
		r = put_image_named(&j, c, name, &f);
	if (r == IMAGES_OK)
		return emit(&j);
	json_free(&j);
	return r == IMAGES_NOT_FOUND ? image_not_found(name) : image_fail(&f);
}
