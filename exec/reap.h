#ifndef EXEC_REAP_H
#define EXEC_REAP_H

#include <stdbool.h>

#include "config.h"

/*
 * Removes what nobody needs any more: expired sessions, what is in the trash,
 * empty cgroups. say names each; with dry nothing else is done. Returns false
 * where something could not be removed.
 */
bool reap_all(const struct config *c, bool dry,
    void (*say)(const char *what, const char *name));

#endif
