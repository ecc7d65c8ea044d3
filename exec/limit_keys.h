#ifndef EXEC_LIMIT_KEYS_H
#define EXEC_LIMIT_KEYS_H

#include "limit.h"

/*
 * What one file of the configuration, or the environment, says of limits:
 * whether a default is too high is known at its end, and then it is the same
 * whatever stood first. Zeroed at its beginning.
 */
struct limit_keys {
	unsigned line[LIMIT_MAX]; /* of its default, or 0 */
	bool capped[LIMIT_MAX];
};

/*
 * Sets default_NAME or max_NAME, which stood in that line. 0, 1 when key is
 * neither, or -1 with a sentence that begins with the key.
 */
int limit_keys_set(struct limits *limits, struct limit_keys *k, unsigned line,
    const char *key, const char *value, char *why, size_t size);

/*
 * At its end. What nobody may ask for cannot be the default either: one that
 * was set before, or by nobody, gives way. The limit whose default was set
 * here and is above the cap, with a sentence that begins with its key; or
 * LIMIT_MAX.
 */
enum limit limit_keys_settle(
    struct limits *limits, const struct limit_keys *k, char *why, size_t size);

#endif
