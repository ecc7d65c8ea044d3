#ifndef ACTIVATOR_FRONT_H
#define ACTIVATOR_FRONT_H

#include <stdnoreturn.h>

/*
 * The process that reads what the client sends: from the first byte of the
 * request to the last one of the response. It is locked down already, talks
 * to the client on descriptor 0 and to the broker on 1, and ends.
 */
noreturn void front_run(const char *request_id);

#define FRONT_CLIENT 0
#define FRONT_LINK 1

/* A request's head takes at most so long, and so long is a body's start. */
#define FRONT_HEAD_MS 5000
#define FRONT_BODY_MS 5000
/* Then a body must come with so many bytes a second. */
#define FRONT_BODY_RATE 1024

#endif
