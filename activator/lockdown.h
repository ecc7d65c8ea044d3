#ifndef ACTIVATOR_LOCKDOWN_H
#define ACTIVATOR_LOCKDOWN_H

#include <stddef.h>

#include "config.h"

/*
 * Gives up everything that reading a stranger's bytes does not need: the file
 * system (an empty root), the user, capabilities, all descriptors but those
 * given, most system calls. Whoever takes this process over has the client's
 * connection and a socket to a broker that believes nothing. root is an empty
 * directory; n is 3 at most. 0, or -1/errno with the step in *ret_step.
 */
int lockdown(const char *root, const int *keep, int n, const char **ret_step);

/* Looks up once, for all that follow, who the front's user is. */
void lockdown_settle(void);

/*
 * Makes the empty directory that becomes the root, before the fork; its path
 * goes to path. 0 or -1/errno.
 */
int lockdown_prepare(const struct config *c, char *path, size_t size);

#endif
