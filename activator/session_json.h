#ifndef ACTIVATOR_SESSION_JSON_H
#define ACTIVATOR_SESSION_JSON_H

#include "json.h"
#include "session.h"

/*
 * The session object of API.md section 3, as the member name or, where that
 * is NULL, as an element or alone. It has no values of variables in it.
 */
void put_session(struct json *j, const char *name, const struct session *s);

#endif
