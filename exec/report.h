#ifndef EXEC_REPORT_H
#define EXEC_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "session.h"
#include "snapshot.h"
#include "tree.h"
#include "verdict.h"

/*
 * What the mayfly command prints as JSON. It is only declared here: exec/
 * knows no JSON, the program that links it brings these along.
 */

/*
 * Writes the result of a run, as mayfly(1) describes it, to fd; with the
 * streams or without. 0, or -1 with errno.
 */
int report_verdict(int fd, const struct verdict *v, bool streams);

/*
 * Writes the session object of mayfly-api(7) to fd, or a list of them. 0, or -1
 * with errno.
 */
int report_session(int fd, const struct session *s);
struct report_sessions *report_sessions_begin(void);
void report_sessions_add(struct report_sessions *r, const struct session *s);
int report_sessions_end(struct report_sessions *r, int fd);

/* The same of snapshots, which such a list can be of as well. */
int report_snapshot(int fd, const struct snapshot *n);
void report_snapshots_add(struct report_sessions *r, const struct snapshot *n);

/* The tree whose top is all[0]: tree.h says how they stand. */
int report_tree(int fd, const struct relative *all, size_t n);

/* One thing that doctor looked at. */
struct finding {
	const char *name; /* "user_namespaces", ... */
	enum { FINDING_OK, FINDING_WARN, FINDING_FAIL } level;
	const char *found; /* what is there */
	const char *cost; /* what its absence costs; "" when ok */
	const char *remedy; /* what to do about it; "" when ok */
};

/* Writes the findings as {"findings": [...], "ok": bool} to fd. */
int report_findings(int fd, const struct finding *f, size_t n);

#endif
