#include "prepared.h"

#include <string.h>
#include <unistd.h>

#include "images.h"
#include "streams.h"

/* The three pipes; the front does not wait at its ends. */
static int
open_pipes(struct prepared *p)
{
	struct stream *s[] = { &p->plan.in, &p->plan.out, &p->plan.err };

	for (int i = 0; i < 3; i++) {
		s[i]->direct = true;
		if (streams_pipe(i == 0, &s[i]->fd, &p->front[i]) != 0)
			return -1;
	}
	return 0;
}

static void
close_front(struct prepared *p)
{
	for (int i = 0; i < 3; i++) {
		if (p->front[i] >= 0)
			(void)close(p->front[i]);
		p->front[i] = -1;
	}
}

static bool
plan_default(struct prepared *p, struct failure *f)
{
	const struct config *c = &p->config;
	char why[256];

	plan_init(&p->plan);
	image_init(&p->image);
	p->plan.limits = c->limits;
	p->plan.image = c->default_image;
	if (strcmp(p->plan.image, "host") != 0 &&
	    images_read(c, p->plan.image, &p->image, f) != IMAGES_OK)
		return false;
	return images_plan(c, &p->image, &p->plan, f) == IMAGES_OK &&
	       plan_finish(&p->plan, why, sizeof(why)) == 0;
}

void
prepared_make(struct prepared *p, const struct config *c)
{
	struct failure f;

	memset(p, 0, sizeof(*p));
	p->config = *c;
	memset(p->front, -1, sizeof(p->front));
	p->there = plan_default(p, &f) && p->plan.user == NULL &&
		   open_pipes(p) == 0 &&
		   ready_build(&p->box, &p->plan, &p->config, &f) == 0;
	if (!p->there)
		close_front(p);
}

void
prepared_drop(struct prepared *p)
{
	if (!p->there)
		return;
	p->there = false;
	ready_drop(&p->box);
	close_front(p);
	images_release(&p->plan);
}

bool
prepared_suits(
    const struct prepared *p, const struct config *c, const struct plan *plan)
{
	/* Its ids are leased from a range of one place. */
	return p->there && p->config.uid_base == c->uid_base &&
	       p->config.uid_count == c->uid_count &&
	       strcmp(p->config.run_dir, c->run_dir) == 0 &&
	       ready_suits(&p->box, plan);
}
