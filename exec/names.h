#ifndef EXEC_NAMES_H
#define EXEC_NAMES_H

#include <stddef.h>

/*
 * The names in the directory, without "." and "..", in order; of the caller's
 * to free by names_free(). 0 or -1/errno.
 */
int names_list(int dir, char ***ret, size_t *ret_n);
void names_free(char **names, size_t n);

#endif
