#ifndef ACTIVATOR_PULLER_H
#define ACTIVATOR_PULLER_H

#include <sys/types.h>

#include <stdbool.h>

#include "config.h"
#include "make.h"
#include "pulls.h"

/*
 * A pull by a process of its own, which is told to end by SIGTERM and then
 * takes away what it has made so far; also when its parent has gone.
 */
struct puller {
	struct pull record;
	int slot; /* of max_pulls */
	int link; /* to the front */
	pid_t pid;
	int said, result; /* pipes: what it says, and a struct failure */
	int signals; /* that tell this process to stop */
	int watch; /* readable when the record is touched */
	char line[512]; /* that is not whole yet */
	size_t len;
	bool cut; /* it has become longer than there is room for */
	char last[256]; /* line, as a sentence */
	char because[PULL_WHY_MAX + 1]; /* why it failed, for the log */
	const struct source *source;
	char *token; /* of user and password, or NULL */
	/* Hears each line, as a sentence; or NULL. */
	void (*say)(void *context, const char *line);
	void *context;
};

/*
 * Starts one. p has its record and slot, which it takes over, and the link. 0,
 * or -1 with f; then record and slot are given back, as by puller_wait().
 */
int puller_start(struct puller *p, const struct config *c,
    const struct source *s, struct failure *f);

/*
 * Waits for its end; caller: a descriptor that is readable when nobody waits
 * any more, or -1. 0 when the image is there, else -1 with a sentence, which
 * the record has as well, or "" where it was the caller's end.
 */
int puller_wait(struct puller *p, int caller, char why[PULL_WHY_MAX + 1]);

#endif
