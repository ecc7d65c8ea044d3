#ifndef EXEC_MERGE_H
#define EXEC_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

/*
 * Puts the trees of the layers, which stand in the directory open at layers
 * under these names, the lowest first, over each other as an overlay would:
 * in the new and empty directory at to. Directories are made anew, and all
 * else is there under a second name; what one layer has removed of what lies
 * below all of them stays removed. 0 or -1/errno: *ret_ever says that it will
 * fail the next time as well.
 */
int merge_layers(const struct config *c, int layers, const char *const *names,
    size_t n, int to, bool *ret_ever);

#endif
