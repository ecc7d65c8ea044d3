#ifndef ACTIVATOR_IMAGE_JSON_H
#define ACTIVATOR_IMAGE_JSON_H

#include "image.h"
#include "json.h"
#include "pulls.h"

/*
 * The members of the image object of API.md section 3, into one that is open.
 * why: what was wrong with a pull that has failed.
 */
void put_image(struct json *j, const struct image *m, enum pull_state state,
    const char *why);

#endif
