#ifndef EXEC_PLAN_H
#define EXEC_PLAN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limit.h"

#define PLAN_ENV_MAX 4096 /* variables */
#define PLAN_BINDS_MAX 64
#define PLAN_ID_MAX 65535 /* largest user or group id inside */
#define PLAN_LAYERS_MAX 128
#define PLAN_SHOWN "/run/layers"
#define PLAN_GROUPS_MAX 64 /* beside the user's own */
#define PLAN_USER_MAX 255 /* bytes of a user's name and a group's */

enum network {
	NETWORK_NONE, /* a namespace of its own with only lo, up */
	NETWORK_OFF, /* no sockets at all */
	NETWORK_MAX, /* what can be asked for */
	NETWORK_HOST /* the host's own: for tools of ours alone */
};

/* A directory or file of the caller's, shown inside. */
struct bind {
	const char *source; /* on the host, opened with the caller's rights */
	const char *target; /* absolute path inside, without ".." */
	bool writable;
	bool owned; /* read-only, by ids as they stand on disk: tools of ours */
};

/* Where one of the command's three streams goes. */
struct stream {
	int fd; /* the caller's, relayed over a pipe of ours; -1: none */
	bool keep; /* output only: collect in the verdict instead */
	/*
	 * fd is the command's own end of a pipe: whoever has the other one
	 * reads and counts. box_run() closes it.
	 */
	bool direct;
	/* Output only: that its reader has gone is a failure, and no end. */
	bool whole;
};

/*
 * What to run and in what sandbox: filled from options, from JSON or from a
 * session's directory. Strings belong to the caller and outlive the run.
 */
struct plan {
	const char *image;
	char **argv; /* NULL-terminated; NULL: only see whether cwd is there */
	char **env; /* "NAME=VALUE"..., NULL-terminated; see plan_env() */
	size_t env_count;
	uint32_t *env_hash; /* of their names, for plan_env(); or NULL */
	const char *cwd; /* NULL: "/" */
	bool cwd_made; /* it is the image's, and made where it is missing */
	uid_t uid; /* inside */
	gid_t gid;
	/*
	 * "USER[:GROUP]" with a name, which only the root's own passwd and
	 * group can tell; or NULL. uid and gid are 0 then.
	 */
	const char *user;
	bool user_asked; /* plan_user() was called */
	/* Found out inside: the groups that the root's own group has it in. */
	gid_t groups[PLAN_GROUPS_MAX];
	size_t group_count;
	enum network network;
	struct limits limits;
	struct bind binds[PLAN_BINDS_MAX];
	size_t bind_count;
	bool bind_root; /* a writable bind may be owned by root */
	bool tty; /* a pseudo-terminal of its own */
	struct stream in, out, err;

	/*
	 * Descriptor of who waits for the run, or -1: a byte 'o' says that
	 * the limit `output` was passed, its end that nobody waits any more.
	 */
	int caller;
	/* Files to place before the command starts, or -1: see files.h. */
	int files_in;
	/* Files to return after its end; to files_out, in this order. */
	char **collect;
	size_t collect_count;
	uint64_t collect_max; /* bytes of each */
	int files_out;

	/*
	 * Directories of root's, the lowest first, that make up the root; on
	 * disk their files have the ids that they have inside. Without any it
	 * is made of the host's /usr; with `over_host` it is as well, and they
	 * lie over that.
	 */
	int layers[PLAN_LAYERS_MAX + 1];
	size_t layer_count;
	bool over_host;
	/*
	 * They are no root, but for a tool of ours to read: in PLAN_SHOWN are
	 * `all`, what they make together, `below`, the same without the
	 * highest, and each alone, l0 and so on. One more may be a session's.
	 */
	bool layers_shown;
	/*
	 * A directory whose files have such ids as well, for a tool of ours:
	 * it is /mnt, and can be written; or -1.
	 */
	int work;

	/*
	 * The session to run in: its directory, with `upper` and `work`, and
	 * the descriptor that holds its lock, which PID 1 keeps; or -1.
	 */
	int session, lock;
	bool prepared; /* what runs in it is told when all is built: ready.h */
	int cancel; /* a descriptor that is readable when the run shall end */
};

/*
 * Is somebody waiting who is to have the verdict before the sandbox is taken
 * apart? Not where the next run finds the same directory, or there are files to
 * read first.
 */
bool plan_answers_first(const struct plan *p);

/* A run in the image `host` that says nothing of how; see mayfly(1). */
void plan_init(struct plan *p);

/*
 * Sets a variable, replacing one of the same name. text is "NAME=VALUE" and
 * is kept. 0, or -1 with a sentence in why.
 */
int plan_env(struct plan *p, char *text, char *why, size_t size);

/* The same for PATH and HOME, which are not counted. */
int plan_env_own(struct plan *p, char *text, char *why, size_t size);

/* Has it a variable of the name that "NAME=VALUE" has? */
bool plan_has_env(const struct plan *p, const char *text);

/* The value of a variable inside, or NULL. */
const char *plan_getenv(const struct plan *p, const char *name);

/*
 * "SRC[:DST]", split at the last ":/". Splits text in place and keeps it. 0,
 * or -1 with a sentence.
 */
int
plan_bind(struct plan *p, char *text, bool writable, char *why, size_t size);

/*
 * "UID[:GID]", GID is UID where not given; or with names, which are looked up
 * inside, and then text is kept. 0, or -1 with a sentence.
 */
int plan_user(struct plan *p, const char *text, char *why, size_t size);

/* Does the root come from layers alone, with nothing of the host's? */
bool plan_is_foreign(const struct plan *p);

/* Is the root an overlay? */
bool plan_is_layered(const struct plan *p);

/* Adds HOME and PATH where not given. Call once, last. 0 or -1. */
int plan_finish(struct plan *p, char *why, size_t size);

/* The table of the environment goes; its strings are the caller's, as ever. */
void plan_free(struct plan *p);

/* Is any bind writable? Then setuid bits are refused by the filter. */
bool plan_writes_outside(const struct plan *p);

#endif
