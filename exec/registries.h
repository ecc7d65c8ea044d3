#ifndef EXEC_REGISTRIES_H
#define EXEC_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The key `registries`: HOST[:PORT], or http://HOST[:PORT] for one that has no
 * TLS, separated by blanks or commas.
 */

/* Is it such a list? 0, or -1 with a sentence. */
int registries_check(const char *list, char *why, size_t size);

/* Is host ("name" or "name:port") one of the list, to the letter? */
bool registries_have(const char *list, const char *host, bool *ret_plain_http);

/* Can it be a registry's host, with or without a port? */
bool registries_is_host(const char *host, size_t len);

#endif
