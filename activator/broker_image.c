#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "defence.h"
#include "image_json.h"
#include "images.h"
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

/* What is known of a name. -1 where that is nothing, which is refused. */
static int
put_known(struct broker *b, struct json *j, const char *name)
{
	struct failure f;

	switch (put_image_named(j, b->config, name, &f)) {
	case IMAGES_OK:
		return 0;
	case IMAGES_NOT_FOUND:
		broker_refuse(
		    b, ERROR_NOT_FOUND, "there is no image of this name");
		return -1;
	default:
		broker_refuse_failure(b, &f);
		return -1;
	}
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

static void
list(struct broker *b)
{
	struct failure f;
	struct json j;
	int r;

	json_init(&j);
	r = put_images(&j, b->config, &f);
	if (r == 0 && j.len < WIRE_SIZE_MAX / 2) {
		broker_answer(b, 200, &j);
		return;
	}
	json_free(&j);
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
