#ifndef EXEC_SESSION_WORDS_H
#define EXEC_SESSION_WORDS_H

#include <stdint.h>

#include "session.h"

/*
 * The words behind `mayfly session VERB` and `mayfly snapshot VERB`. What is
 * wrong is complained about, and is an exit status; 0 is success.
 */
int words_wrong(const char *what, const char *word);

/* Complaints are about `mayfly snapshot`, and not `mayfly session`. */
void words_of_snapshot(void);

/* EXIT_USAGE, for a verb that is given no id, and for no verb. */
int words_lack_id(const char *verb);
int words_lack_verb(void);

/*
 * The value of the option at *words, "--name value" or "--name=value", which
 * is passed over; NULL for another word. Ends the program where it lacks.
 */
const char *words_value(char ***words, const char *name);

/* A number of seconds or a moment, or "none". */
int words_ttl(const char *text, int64_t *ret);
int words_expires(const char *text, int64_t *ret);

/* A number of things. */
int words_count(const char *text, uint64_t *ret);

/* One option of `create`; 1 when there is no such one. */
int words_create(char ***words, struct session *s);

#endif
