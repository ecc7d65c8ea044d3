#ifndef EXEC_INSIDE_H
#define EXEC_INSIDE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "control.h"
#include "fail.h"
#include "ids.h"
#include "plan.h"

/* What is mounted with what a command may write or bring, always. */
#ifdef MUTATE_NOSUID
#define MOUNT_NOSUID 0
#else
#define MOUNT_NOSUID MOUNT_ATTR_NOSUID
#endif
#ifdef MUTATE_NODEV
#define MOUNT_NODEV 0
#else
#define MOUNT_NODEV MOUNT_ATTR_NODEV
#endif
#ifdef MUTATE_RDONLY
#define MOUNT_RDONLY 0
#else
#define MOUNT_RDONLY MOUNT_ATTR_RDONLY
#endif

/*
 * The sandbox's first process while it builds. It sees the host until the
 * step `pivot`, and has the builder's capabilities until the step `users`.
 */
struct inside {
	const struct plan *plan; /* own */
	struct plan own; /* the caller's, and who its user turned out to be */
	const struct ids *ids;
	int control; /* socket to the supervisor */
	int streams[3]; /* the command's 0, 1, 2; unused with a terminal */
	uint64_t as_kb; /* RLIMIT_AS, or LIMIT_UNSET */
	bool sampled; /* the session's disk is looked at: disk.h */
	uint64_t backstop; /* ms after which it ends by itself */

	int scratch; /* a mounted tmpfs */
	int made; /* what of the root is made anew for each run, in it */
	int root; /* the new root: made itself, or a session over it */
	int dev; /* the new /dev, a part of it */
	int empty; /* an empty directory of it, read-only, detached */
	int covered; /* where it came to be attached */
	int proc; /* the new /proc */
	int trees[PLAN_BINDS_MAX]; /* of the binds, detached */
	int session; /* of the session, detached, or -1 */
	int common; /* of the directory that all layers are in, likewise */
	char layer_names[PLAN_LAYERS_MAX + 1][80]; /* of theirs there; or: */
	int layers[PLAN_LAYERS_MAX + 1]; /* of those alone, likewise */
	int work; /* of a tool's directory, likewise */
	uint64_t etc_rows; /* of etc.c's table, those with a place to show */
	int tty; /* master of the new terminal, or -1 */
	int tty_slave;
	struct late *late; /* what is told of the run, or NULL: late.h */
	struct failure failure;
};

/* A step of the child. -1 with inside->failure set, see inside_fail(). */
struct step {
	const char *name;
	int (*run)(struct inside *in);
};

/* Fills the failure with the present errno; returns -1. */
int inside_fail(struct inside *in, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs all steps, then becomes PID 1's loop (init.c). Never returns. */
noreturn void inside_run(struct inside *in);

/* root.c: the tmpfs, the directories; the host's /usr; then the change. */
int root_make(struct inside *in);
int root_show_system(struct inside *in);
int root_enter(struct inside *in);

/*
 * layers_open.c: the layers and the session's own files, opened while a user
 * namespace can still be made (binds_open() below). layers.c: they are mounted
 * over what was made, or it over them. A tool's own directory comes last.
 */
int layers_open(struct inside *in);
int layers_mount(struct inside *in);
int layers_show_work(struct inside *in);

/* Makes the directories l0 and so on in dir, and shows the layers there. */
int layers_show(struct inside *in, int dir);

/* view.c: the layers of a plan that only shows them. */
int view_show(struct inside *in);

/*
 * user.c: who the plan's user is, in the passwd and group of the root; and
 * whoever it is has the streams.
 */
int user_find(struct inside *in);
int user_own_streams(struct inside *in);

/*
 * Makes this process, a child that is to meet the root before anybody is in
 * it, what the sandbox's root is, without any capability. 0 or -1/errno.
 */
int user_become_root(struct inside *in);

/* workdir.c: the image's own directory, where the image does not have it. */
int workdir_make(struct inside *in);

/*
 * Shows a file or directory of the host's, read-only, at the place `name` in
 * the root. Where a session has put something else there, that one stays.
 * 0 or -1/errno.
 */
int root_show(struct inside *in, const char *source, const char *name);

/* etc.c: /etc from a table, and what of it is the host's. */
int etc_make(struct inside *in);
int etc_show(struct inside *in);

/* dev.c: /dev and the terminal. */
int dev_make(struct inside *in);
int dev_open_tty(struct inside *in);

/*
 * proc.c: /proc of this PID namespace, open from the first on; then in its
 * place, without what is hidden of it.
 */
int proc_open(struct inside *in);
int proc_show(struct inside *in);

/*
 * binds.c: the caller's own directories and files. They are opened while the
 * process still sees the host as the caller does: later the new root lies
 * over the old one, and then no user namespace can be made to map owners.
 */
int binds_open(struct inside *in);
int binds_show(struct inside *in);

/* net.c: lo up, low ports for everybody. */
int net_make(struct inside *in);

/*
 * users.c: become root inside while keeping the builder's capabilities, so
 * that what is made belongs to that root; enter the sandbox's user namespace;
 * cut the bounding set; wait until the namespace has its maps; become its user
 * with its capabilities.
 */
int users_own(struct inside *in);
int users_enter(struct inside *in);
int users_bound(struct inside *in);
int users_mapped(struct inside *in);
int users_drop(struct inside *in);

/* Gives up every capability of this process; for PID 1. 0 or -1/errno. */
int users_drop_all(void);

/* init.c */
noreturn void init_run(struct inside *in);

/* Reports why there is no command, which was never started, and ends. */
noreturn void init_report(struct inside *in, enum control_type type, int error,
    const char *step, const char *detail);

/*
 * init_files.c. Before there is a command: files that the caller sent along, as
 * the command's user would write them; ends where that cannot be.
 */
void init_place_files(struct inside *in);

/*
 * After the command: what it left behind is killed first, so that nothing can
 * change a file, or the process that reads it, meanwhile.
 */
void init_collect_files(struct inside *in);

/* Until nobody else is left. */
void init_wait_for_all(void);

#endif
