#include "image_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "images.h"
#include "names.h"

/* The variable "NAME=VALUE" as a member. */
static void
put_variable(struct json *j, const char *text)
{
	char name[256];
	size_t len = strcspn(text, "=");

	/* No program could ask for it by such a name. */
	if (len >= sizeof(name))
		return;
	memcpy(name, text, len);
	name[len] = '\0';
	json_bytes(j, name, text + len + 1, strlen(text + len + 1));
}

/* Has one before it the same name? Then a run has that one. */
static bool
is_repeated(const struct image *m, size_t n)
{
	size_t len = strcspn(m->env[n], "=") + 1;

	for (size_t i = 0; i < n; i++) {
		if (strncmp(m->env[i], m->env[n], len) == 0)
			return true;
	}
	return false;
}

/* "sha256:HEX" or "id:ID". */
static void
put_layer(struct json *j, const char *layer)
{
	char text[IMAGE_LAYER_MAX + 1];
	char *slash;

	(void)strcpy(text, layer);
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash = ':';
	json_text(j, NULL, text);
}

/* why: what was wrong with a pull that has failed. */
static void
put_image(struct json *j, const struct image *m, enum pull_state state,
    const char *why)
{
	static const char *const names[] = { "ready", "pulling", "failed" };
	uint64_t size_kb = 0;

	for (size_t i = 0; i < m->layer_count; i++)
		size_kb += m->layers[i].size_kb;
	json_text(j, "name", m->name);
	if (*m->digest == '\0')
		json_null(j, "digest");
	else
		json_text(j, "digest", m->digest);
	json_array(j, "layers");
	for (size_t i = 0; i < m->layer_count; i++)
		put_layer(j, m->layers[i].name);
	json_end(j);
	json_number(j, "size_kb", (int64_t)size_kb);
	json_object(j, "env");
	for (size_t i = 0; i < m->env_count; i++) {
		if (!is_repeated(m, i))
			put_variable(j, m->env[i]);
	}
	json_end(j);
	json_text(j, "cwd", *m->cwd != '\0' ? m->cwd : "/");
	json_text(j, "user", *m->user != '\0' ? m->user : "0");
	json_array(j, "command");
	for (size_t i = 0; i < m->command_count; i++)
		json_bytes(j, NULL, m->command[i], strlen(m->command[i]));
	json_end(j);
	json_text(j, "state", names[state]);
	if (state == PULL_FAILED)
		json_text(j, "error", why);
}

enum images_result
put_image_named(
    struct json *j, const struct config *c, const char *name, struct failure *f)
{
	static struct image m;
	char why[PULL_WHY_MAX + 1];
	enum images_result r = IMAGES_FAILED;
	enum pull_state state = PULL_NONE;
	struct state st;

	image_init(&m);
	if (state_open(c, &st, f) == 0) {
		/* In this order: a pull that ends meanwhile has its image. */
		state = pulls_look(&st, name, why);
		state_close(&st);
		r = images_read(c, name, &m, f);
	}
	if (r == IMAGES_NOT_FOUND && state != PULL_NONE)
		r = IMAGES_OK;
	if (r == IMAGES_OK) {
		(void)strcpy(m.name, name);
		put_image(j, &m, state, why);
	}
	image_free(&m);
	return r;
}

/* All images, and between them the names that are only being pulled. */
struct list {
	struct json *json;
	struct state state;
	char **pulled;
	size_t next, count;
};

static void
put_element(struct list *l, const struct image *m, const char *name)
{
	static struct image none;
	char why[PULL_WHY_MAX + 1] = "";
	enum pull_state state = PULL_NONE;

	if (name != NULL)
		state = pulls_look(&l->state, name, why);
	if (m == NULL && state == PULL_NONE)
		return;
	if (m == NULL) {
		image_init(&none);
		(void)snprintf(none.name, sizeof(none.name), "%s", name);
		m = &none;
	}
	json_object(l->json, NULL);
	put_image(l->json, m, state, why);
	json_end(l->json);
}

/* The pulls of names before m's, and m; without m, those that are left. */
static void
take(void *context, const struct image *m)
{
	struct list *l = context;
	int order = -1;

	while (l->next < l->count && order < 0) {
		const char *name = l->pulled[l->next];

		order = m != NULL ? strcmp(name, m->name) : -1;
		if (order <= 0)
			l->next++;
		if (order < 0 && image_is_name(name))
			put_element(l, NULL, name);
	}
	if (m != NULL)
		put_element(l, m, order == 0 ? m->name : NULL);
}

int
put_images(struct json *j, const struct config *c, struct failure *f)
{
	struct list l = { .json = j };
	int r;

	if (state_open(c, &l.state, f) != 0)
		return -1;
	json_array(j, NULL);
	r = pulls_list(&l.state, &l.pulled, &l.count);
	if (r != 0)
		(void)failure_set(f, "images", errno, "list pulls");
	else
		r = images_list(c, take, &l, f);
	if (r == 0)
		take(&l, NULL);
	names_free(l.pulled, l.count);
	state_close(&l.state);
	return r;
}
