#ifndef FAULTS_TRACE_H
#define FAULTS_TRACE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdio.h>

/* Which call goes wrong; inject.c says what WHO is. */
struct target {
	char who[64];
	unsigned long left; /* such calls until then; 0: none goes wrong */
	int error; /* 0: SIGKILL */
	const char *name; /* of the call, or NULL for any */
};

struct trace {
	struct target target;
	const char *program; /* from whose execution on it counts */
	FILE *report;
	bool verbose; /* each call is reported */
	int patience; /* seconds until it counts as hung */
	pid_t client; /* a child that is not traced, or 0 */
};

/*
 * Watches the command, a child that waits to be seized before it executes
 * anything, and all that it starts, until the last one has ended; go is closed
 * once it is. With a client the command gets SIGTERM when that has ended, and
 * all that it started. Returns its status, as a shell has it.
 */
int trace(struct trace *t, pid_t command, int go);

#endif
