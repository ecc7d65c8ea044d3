#ifndef ACTIVATOR_SESSION_JSON_H
#define ACTIVATOR_SESSION_JSON_H

#include "json.h"
#include "session.h"
#include "snapshot.h"
#include "tree.h"

/*
 * The session object of mayfly-api(7), as the member name or, where that
 * is NULL, as an element or alone. It has no values of variables in it.
 */
void put_session(struct json *j, const char *name, const struct session *s);

/* The snapshot object, likewise. */
void put_snapshot(struct json *j, const char *name, const struct snapshot *n);

/* The tree of n relatives, as tree_show() orders them. */
void put_tree(struct json *j, const struct relative *all, size_t n);

#endif
