#ifndef ACTIVATOR_PREPARED_H
#define ACTIVATOR_PREPARED_H

#include "config.h"
#include "image.h"
#include "ready.h"

/* A sandbox for the request that is to come, with what leads to its streams. */
struct prepared {
	struct config config; /* that it was made with */
	struct image image;
	struct plan plan; /* of a run that says nothing of how */
	struct box box;
	int front[3]; /* the front's ends of the command's streams */
	bool there;
};

/*
 * Makes it. Where that cannot be done there is none, and the request is told
 * why when it comes.
 */
void prepared_make(struct prepared *p, const struct config *c);

/* Is it good for the plan, which c was read for? */
bool prepared_suits(
    const struct prepared *p, const struct config *c, const struct plan *plan);

/* Ends it, if it is there. */
void prepared_drop(struct prepared *p);

#endif
