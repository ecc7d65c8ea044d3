#ifndef EXEC_OPTIONS_H
#define EXEC_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "plan.h"

/* What `mayfly run` was told: the plan, and what to do with the verdict. */
struct options {
	struct plan plan;
	const char *verdict_file; /* or NULL */
	int verdict_fd; /* of that file, when run.c has opened it, or -1 */
	bool json;
	enum { TTY_AUTO, TTY_YES, TTY_NO } tty;
	bool help;
	/* Set before: the session says what the image is, and has variables. */
	bool in_session;
};

/*
 * Reads the arguments behind `run`. o has been through options_init(). 0, or
 * -1 with a sentence that names the option. The plan is yet to be finished;
 * and without a command where it may be the image's.
 */
int
options_parse(struct options *o, int argc, char **argv, char *why, size_t size);

/* limits: the administrator's defaults and caps. */
void options_init(struct options *o, const struct limits *limits);

/* The help text, every option and limit in it. image: the configured one. */
void options_help(FILE *f, const struct limits *limits, const char *image);

#endif
