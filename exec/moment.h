#ifndef EXEC_MOMENT_H
#define EXEC_MOMENT_H

#include <stdint.h>

#define MOMENT_SIZE 24
#define MOMENT_MAX INT64_C(253402300799) /* the end of the year 9999 */

/*
 * A moment as of RFC 3339, "2030-01-31T12:00:00Z", in seconds since the
 * epoch. A fraction is dropped, an offset is taken off. 0, or -1 for what is
 * no moment or lies before 1970.
 */
int moment_parse(const char *text, int64_t *ret);

/* The other way, in UTC. Returns buf. */
const char *moment_format(int64_t moment, char buf[MOMENT_SIZE]);

#endif
