#ifndef EXEC_RECORD_H
#define EXEC_RECORD_H

#include <sys/types.h>

#include <stddef.h>

#include "session.h"

/*
 * A session's record as text: a line with the format's version, then
 * "key=value" fields, each ended by a NUL, in this order and each once:
 * id, owner, image, parent, cwd, created_at, last_used_at, ttl, expires_at,
 * then any number of env and of limits.
 */
#define RECORD_HEAD "mayfly-session 1\n"
#define RECORD_MAX (SESSION_ENV_MAX + 65536)

/* Writes the record of s. Its length, or -1 where it does not fit. */
ssize_t record_encode(const struct session *s, char *buf, size_t size);

/*
 * Reads one into s, which has been through session_init(), and which is the
 * caller's to free also on failure. What is not a record of this version, or
 * says what no session can have, is refused. 0, or -1 with a sentence.
 */
int record_decode(
    struct session *s, const char *data, size_t len, char *why, size_t size);

/*
 * Can a session have these values? 0, or -1 with a sentence that begins with
 * the field.
 */
int record_check(const struct session *s, char *why, size_t size);

#endif
