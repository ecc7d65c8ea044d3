#ifndef EXEC_IDS_H
#define EXEC_IDS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "fail.h"
#include "plan.h"

#define IDS_PER_SANDBOX 65536U

/*
 * Which host ids a sandbox's users are.
 *
 * leased  root calls: a range of its own for as long as the sandbox lives
 * subuid  an ordinary user with a range in /etc/subuid: newuidmap maps it
 * single  an ordinary user without: one id, the caller's
 */
enum ids_mode { IDS_LEASED, IDS_SUBUID, IDS_SINGLE };

struct ids {
	enum ids_mode mode;
	uid_t caller;
	gid_t caller_group;
	uid_t uid_base; /* of the range, in the host's ids */
	gid_t gid_base;
	unsigned count; /* ids in the range */
	uint64_t range; /* its number */
	int lease; /* holds the range by a lock while open, or -1 */
};

/*
 * Chooses the mode and, for root, leases a range. The lease is a lock of an
 * open file description, which PID 1 of the sandbox inherits, and the note of
 * who that is: so it lasts as long as anything can run under those ids, and it
 * is never stale.
 * one_owner: an ordinary user's sandbox writes to a directory of the caller's,
 * where nothing may come to belong to anybody else: a single id.
 */
int ids_take(
    struct ids *ids, const struct config *c, bool one_owner, struct failure *f);

/* Whom the range is leased for, as soon as there is one. */
int ids_note(const struct ids *ids, pid_t pid, int64_t before_us);

/*
 * The failure that not all of the range is mapped where root itself is in a
 * user namespace; returns -1.
 */
int ids_unmapped(const struct ids *ids, struct failure *f);

/* Can this process build with privilege, without a user namespace? */
bool ids_privileged(void);

/* The name of a capability that takes and that is not there, or NULL. */
const char *ids_lacking(void);

/*
 * Root that cannot change to other ids would be what the command is. 0, or -1
 * with the failure where that is so.
 */
int ids_refuse_root(struct failure *f);

/*
 * The two user namespaces. An ordinary user first makes the builder's, in
 * which the steps run with every capability; root builds in his own. The
 * sandbox's is entered last and owns nothing. Both are described by the ids
 * as the builder sees them:
 */

/* Maps of the builder's namespace, written from outside for process pid. */
int ids_map_builder(const struct ids *ids, pid_t pid, struct failure *f);

/* The id, for the builder, of id `inside` of the sandbox. */
uid_t
ids_builder_uid(const struct ids *ids, const struct plan *p, uid_t inside);
gid_t
ids_builder_gid(const struct ids *ids, const struct plan *p, gid_t inside);

/*
 * Maps of the sandbox's namespace for the process whose /proc directory is
 * proc, written by a process of the builder's. 0 or -1/errno.
 */
int ids_map_sandbox(const struct ids *ids, const struct plan *p, int proc);

/* One file of a /proc/PID directory gets one write. 0 or -1/errno. */
int ids_write(int proc, const char *name, const char *text);

#endif
