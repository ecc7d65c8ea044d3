#ifndef EXEC_SESSION_CALL_H
#define EXEC_SESSION_CALL_H

#include <stdbool.h>

#include "config.h"
#include "session.h"

/* What one call of `mayfly session`, or `mayfly snapshot`, is about. */
struct call {
	struct config config;
	const char *owner; /* whose sessions there are, NULL: everybody's */
	char **words; /* behind the subcommand, NULL-terminated */
	char **data; /* the first of them that stood behind "--" */
	bool json;
	struct session session;
	struct failure failure;
};

/* The owner of what the caller makes; and whose there are: NULL, everybody's.
 */
const char *call_self(void);
const char *call_owner(void);

/* In place of an exit status: the help is asked for. */
#define CALL_HELP (-1)

/*
 * Reads the configuration and sees what the caller may see; words may have
 * "--json", which is taken out, where has_json, and "--". 0, or the exit
 * status.
 */
int call_begin(struct call *k, char **words, bool has_json);

/*
 * Is the word at w, which is no option of the verb's, an argument? 0, the exit
 * status or CALL_HELP.
 */
int call_argument(const struct call *k, char **w);

/*
 * The value of the option "--NAME" at *w, which is passed over with it; NULL
 * where that is another word.
 */
const char *call_value(const struct call *k, char ***w, const char *name);

/* The word at w is one that the verb does not take. */
int call_extra(const struct call *k, char **w);

/* The words are at most max arguments, the first of which has been seen. */
int call_arguments(const struct call *k, size_t max);

/*
 * Says what r is, of the `what` of that id and with the failure where it is
 * one; the exit status, 0 for SESSION_OK.
 */
int call_tell(enum session_result r, const char *what, const char *id,
    const struct failure *f);

/* What was to be printed could not be: says so; the exit status. */
int call_untold(void);

/* session_copies.c: the verbs that make sessions and snapshots of a session. */
int copies_snapshot(struct call *k);
int copies_fork(struct call *k);
int copies_tree(struct call *k);

/* Writes its root to the output. rootfs/ has what that takes. */
int session_export(struct call *k);

#endif
