#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "defence.h"
#include "image_json.h"
#include "images.h"
#include "names.h"
#include "routes.h"
#include "wire.h"

/* An image as an object; with a type it is an event. */
static void
begin_image(struct json *j, const char *type)
{
	json_init(j);
	json_object(j, NULL);
	if (type != NULL)
		json_text(j, "type", type);
}

/* What is known of a name. -1 where that is nothing, or refused already. */
static int
put_known(struct broker *b, struct json *j, const char *name)
{
	static struct image m;
	char why[PULL_WHY_MAX + 1];
	enum images_result r = IMAGES_FAILED;
	enum pull_state state = PULL_NONE;
	struct failure f;
	struct state st;

	image_init(&m);
	if (state_open(b->config, &st, &f) == 0) {
		/* In this order: a pull that ends meanwhile has its image. */
		state = pulls_look(&st, name, why);
		state_close(&st);
		r = images_read(b->config, name, &m, &f);
	}
	if (r == IMAGES_FAILED) {
		broker_refuse_failure(b, &f);
	} else if (r == IMAGES_NOT_FOUND && state == PULL_NONE) {
		broker_refuse(
		    b, ERROR_NOT_FOUND, "there is no image of this name");
		r = IMAGES_FAILED;
	} else {
		(void)strcpy(m.name, name);
		put_image(j, &m, state, why);
	}
	image_free(&m);
	return r == IMAGES_FAILED ? -1 : 0;
}

void
broker_answer_image(
    struct broker *b, int status, const char *type, const char *name)
{
	struct json j;

	begin_image(&j, type);
	if (put_known(b, &j, name) != 0)
		json_free(&j);
	else
		broker_answer(b, status, &j);
}

/* All images, and between them the names that are only being pulled. */
struct list {
	struct json json;
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
	json_object(&l->json, NULL);
	put_image(&l->json, m, state, why);
	json_end(&l->json);
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

static void
list(struct broker *b)
{
	struct list l = { 0 };
	struct failure f;
	int r;

	if (state_open(b->config, &l.state, &f) != 0) {
		broker_refuse_failure(b, &f);
		return;
	}
	json_init(&l.json);
	json_array(&l.json, NULL);
	r = pulls_list(&l.state, &l.pulled, &l.count);
	if (r != 0)
		(void)failure_set(&f, "images", errno, "list pulls");
	else
		r = images_list(b->config, take, &l, &f);
	if (r == 0)
		take(&l, NULL);
	names_free(l.pulled, l.count);
	state_close(&l.state);
	if (r == 0 && l.json.len < WIRE_SIZE_MAX / 2) {
		broker_answer(b, 200, &l.json);
		return;
	}
	json_free(&l.json);
	if (r == 0)
		(void)failure_set(&f, "images", EMSGSIZE, "list images");
	broker_refuse_failure(b, &f);
}

static void
forget(struct broker *b)
{
	struct failure f;

	switch (images_delete(b->config, b->request.image, &f)) {
	case IMAGES_OK:
		broker_answer(b, 204, NULL);
		break;
	case IMAGES_NOT_FOUND:
		broker_refuse(
		    b, ERROR_NOT_FOUND, "there is no image of this name");
		break;
	default:
		broker_refuse_failure(b, &f);
		break;
	}
}

void
broker_image(struct broker *b)
{
	enum verb verb = (enum verb)b->request.verb;
	bool writes = verb == VERB_IMAGE_PULL || verb == VERB_IMAGE_DELETE;

	if (writes && !b->who.is_admin && DEFENCE(IMAGE_ADMIN)) {
		broker_refuse(b, ERROR_FORBIDDEN,
		    "images are written with a token made with --admin");
		return;
	}
	if ((verb == VERB_IMAGE_SHOW || verb == VERB_IMAGE_DELETE) &&
	    (b->request.image == NULL || !image_is_name(b->request.image))) {
		broker_refuse(
		    b, ERROR_NOT_FOUND, "there is no image of this name");
		return;
	}
	switch (verb) {
	case VERB_IMAGE_LIST:
		list(b);
		break;
	case VERB_IMAGE_SHOW:
		broker_answer_image(b, 200, NULL, b->request.image);
		break;
	case VERB_IMAGE_DELETE:
		forget(b);
		break;
	case VERB_IMAGE_PULL:
		broker_pull(b);
		break;
	default:
		broker_refuse(b, ERROR_NOT_FOUND, "there is no such thing");
		break;
	}
}
