#ifndef EXEC_SESSION_H
#define EXEC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "fail.h"
#include "image.h"
#include "plan.h"

#define SESSION_ID_LEN 26 /* of [a-z0-9] */
#define SESSION_OWNER_MAX 80 /* "token:NAME", "uid:N" or "local" */
#define SESSION_CWD_MAX 4095
#define SESSION_ENV_MAX 1048576 /* bytes of all variables together */
#define SESSION_NEVER INT64_MAX /* a ttl or expiry that there is not */
#define SESSION_STANDARD (-1) /* to session_create(): session_ttl */
#define SESSION_TTL_MAX INT64_C(3155760000) /* seconds, a hundred years */

/* What a session is, as its record on disk says. */
struct session {
	char id[SESSION_ID_LEN + 1];
	char owner[SESSION_OWNER_MAX + 1];
	char image[IMAGE_NAME_MAX + 1];
	char parent[SESSION_ID_LEN + 1]; /* "" for none */
	char cwd[SESSION_CWD_MAX + 1];
	char **env; /* by session_merge_env(): NULL-terminated, by name */
	size_t env_count;
	int64_t created_at; /* seconds since the epoch */
	int64_t last_used_at; /* the end of the last run */
	int64_t ttl; /* seconds idle, SESSION_NEVER or SESSION_STANDARD */
	int64_t expires_at; /* absolute, or SESSION_NEVER */
	struct limits limits; /* defaults of its runs; asked[] says which */

	struct image *base; /* what it began with, once it is known; or NULL */
	int root; /* for one that is made: whose attributes its / has, or -1 */
	int dir; /* of the session, or -1 */
	int lock; /* held while open, or -1 */
	int cancel; /* readable once it is being deleted, or -1 */
};

/* Why a session cannot be had, beside the failures of the machine. */
enum session_result {
	SESSION_OK,
	SESSION_NOT_FOUND, /* also: expired, or another owner's */
	SESSION_BUSY, /* somebody runs in it, and did so for session_wait */
	SESSION_FULL, /* max_sessions are there */
	SESSION_WRONG, /* a wrong value: failure.detail is a sentence for it */
	SESSION_FAILED, /* the machine's failure: failure says which */
};

/*
 * Whose sessions a caller may see: those of owner, or all where owner is
 * NULL.
 */

/*
 * Fills what every session begins with: the image's directory and the standard
 * image (each as ""), no variables, the standard ttl, no expiry.
 */
void session_init(struct session *s);

/* An empty one in s->base, for who reads it there; freed by session_free(). */
struct image *session_new_base(struct session *s);

/* Closes and frees; the session on disk stays. */
void session_free(struct session *s);

/* Is it an id in form? Only then may it become part of a path. */
bool session_is_id(const char *id);

/*
 * Makes a session from what s says (owner, image, cwd, env, ttl, expires_at,
 * limits, parent; and the layers of base where that is not NULL); its id and
 * times are filled in. It is on disk, synced, when this returns SESSION_OK.
 */
enum session_result
session_create(const struct config *c, struct session *s, struct failure *f);

/* Reads one without locking it: what its record said last. */
enum session_result session_show(const struct config *c, const char *owner,
    const char *id, struct session *s, struct failure *f);

/*
 * The sessions after the id `after` (NULL: from the first on), oldest first,
 * at most limit; each is given to take, which must not keep it. Also counts
 * as the end of the list when take returns false.
 */
enum session_result
session_list(const struct config *c, const char *owner, const char *after,
    uint64_t limit, bool (*take)(void *context, const struct session *s),
    void *context, struct failure *f);

/*
 * Locks it for a run, waiting its turn. Until session_close() nobody else
 * runs in it, deletes it or reaps it; the sandbox's PID 1 inherits the lock.
 * caller: a descriptor whose hang-up, or whatever comes from it, ends the wait
 * (SESSION_BUSY), or -1.
 */
enum session_result session_open(const struct config *c, const char *owner,
    const char *id, int caller, struct session *s, struct failure *f);

/* The same for who writes nothing in it: also where there is no room. */
enum session_result session_open_to_read(const struct config *c,
    const char *owner, const char *id, struct session *s, struct failure *f);

/*
 * The end of a run: last_used_at is now, on disk as well, and the lock is
 * free. Idle time counts from here.
 */
void session_close(struct session *s);

/*
 * Changes the record. change is called with the record as it is, under a
 * short lock of records (a run may be going on meanwhile), and returns
 * SESSION_OK to have it written. s is what is on disk afterwards.
 */
enum session_result
session_change(const struct config *c, const char *owner, const char *id,
    enum session_result (*change)(
	struct session *s, const void *context, struct failure *f),
    const void *context, struct session *s, struct failure *f);

/*
 * Makes cwd the directory of its runs, if it is one: goes there first in a
 * sandbox, which waits its turn like a run.
 */
enum session_result
session_set_cwd(const struct config *c, const char *owner, const char *id,
    int caller, const char *cwd, struct session *s, struct failure *f);

/* Its expiry is to come: else SESSION_WRONG. */
enum session_result
session_check_expiry(const struct session *s, struct failure *f);

/* The order of the variables: by their names. */
int session_compare_env(const char *a, const char *b);

/* Merges "NAME=VALUE", or "NAME" to remove it, into the environment. */
enum session_result
session_merge_env(struct session *s, const char *text, struct failure *f);

/*
 * Ends what runs in it (the run's reason is `killed`) and removes it from
 * sight; the tree itself goes to the trash, which the reaper empties.
 */
enum session_result session_delete(const struct config *c, const char *owner,
    const char *id, struct failure *f);

/*
 * Puts the session's environment, directory, limits and root into the plan,
 * beneath what the plan says itself. s is open and outlives the run, and
 * images_release() comes after it.
 */
enum session_result session_plan(const struct config *c, struct session *s,
    struct plan *p, struct failure *f);

/* Only opens all its layers for the plan, the highest of which is its own. */
enum session_result session_open_layers(const struct config *c,
    struct session *s, struct plan *p, struct failure *f);

#endif
