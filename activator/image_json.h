#ifndef ACTIVATOR_IMAGE_JSON_H
#define ACTIVATOR_IMAGE_JSON_H

#include "images.h"
#include "json.h"
#include "pulls.h"

/*
 * The members of the image object of mayfly-api(7), of what is known of a name,
 * into an object that is open. IMAGES_FAILED with f.
 */
enum images_result put_image_named(struct json *j, const struct config *c,
    const char *name, struct failure *f);

/*
 * An array of all images, and of the names that are only being pulled, in
 * order. It is open afterwards. 0, or -1 with f.
 */
int put_images(struct json *j, const struct config *c, struct failure *f);

#endif
