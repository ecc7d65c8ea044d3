#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "control.h"
#include "inside.h"
#include "sys.h"

#define CAP(name) (UINT64_C(1) << CAP_##name)

/*
 * What root inside may do within its own user namespace: enough for apt, pip,
 * tar and chown. No other user has any.
 */
static const uint64_t root_caps = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) |
				  CAP(FSETID) | CAP(KILL) | CAP(SETGID) |
				  CAP(SETUID);

#define NO_USERNS                                                              \
	"user namespaces are refused here (sysctl user.max_user_namespaces, "  \
	"a container's seccomp filter): see mayfly doctor"

#define LOCKED(bit) ((bit) | (bit) << 1)

static int
set_caps(uint64_t mask)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)mask, (uint32_t)mask, 0 },
		{ (uint32_t)(mask >> 32), (uint32_t)(mask >> 32), 0 },
	};

	return (int)syscall(SYS_capset, &head, data);
}

int
users_drop_all(void)
{
#ifdef MUTATE_CAPS
	return 0;
#endif
	return set_caps(0);
}

int
users_own(struct inside *in)
{
	uid_t uid = ids_builder_uid(in->ids, in->plan, 0);
	gid_t gid = ids_builder_gid(in->ids, in->plan, 0);

	if (in->ids->mode == IDS_SINGLE)
		return 0;
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) != 0)
		return inside_fail(in, "keep the capabilities");
	if (setgroups(0, NULL) != 0)
		return inside_fail(in, "setgroups");
	if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return inside_fail(
		    in, "host id %u is not mapped here: set uid_base", uid);
	return 0;
}

/* Root's builder is outside: the supervisor is asked to write the maps. */
static int
map_by_supervisor(struct inside *in)
{
	struct control c = { .type = CONTROL_MAP };

	if (unshare(CLONE_NEWUSER) != 0)
		return inside_fail(in, NO_USERNS);
	if (control_send(in->control, &c, NULL, 0) != 0)
		return inside_fail(in, "the supervisor has gone");
	return 0;
}

/*
 * A map of more than the caller's own id is written from the parent
 * namespace: by a child that stays behind in it. It ends before any of the
 * sandbox's code runs.
 */
static int
map_by_child(struct inside *in)
{
	int ready[2], status = -1;
	char byte = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		return inside_fail(in, "fork");
	if (pid == 0) {
		auto_fd proc =
		    openat(in->proc, "1", O_PATH | O_DIRECTORY | O_CLOEXEC);

		(void)close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			_exit(1);
		_exit(ids_map_sandbox(in->ids, in->plan, proc) != 0);
	}
	if (unshare(CLONE_NEWUSER) != 0)
		return inside_fail(in, NO_USERNS);
	/* Else its /proc directory would be the host root's. */
	if (prctl(PR_SET_DUMPABLE, 1) != 0 || write(ready[1], &byte, 1) != 1 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		return inside_fail(in, "map the range");
	(void)close(ready[0]);
	(void)close(ready[1]);
	return 0;
}

static int
map_own(struct inside *in)
{
	if (unshare(CLONE_NEWUSER) != 0)
		return inside_fail(in, NO_USERNS);
	if (prctl(PR_SET_DUMPABLE, 1) != 0)
		return inside_fail(in, "prctl PR_SET_DUMPABLE");
	{
		auto_fd self =
		    openat(in->proc, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (self < 0 || ids_map_sandbox(in->ids, in->plan, self) != 0)
			return inside_fail(in, "map the one id");
	}
	return 0;
}

int
users_enter(struct inside *in)
{
	/*
	 * The limit in force when a user namespace is made bounds all its
	 * processes together, whatever ids they take. PID 1 is one more.
	 */
#ifndef MUTATE_NPROC_CHARGE
	if (limits_processes(in->plan->limits.value[LIMIT_NPROC] + 1) != 0)
		return inside_fail(in, "RLIMIT_NPROC");
#endif
#ifdef MUTATE_USERNS
	if (in->ids->mode == IDS_LEASED)
		return setresuid(0, 0, 0) | setresgid(0, 0, 0);
#endif
	switch (in->ids->mode) {
	case IDS_LEASED:
		return map_by_supervisor(in);
	case IDS_SUBUID:
		return map_by_child(in);
	default:
		return map_own(in);
	}
}

int
users_mapped(struct inside *in)
{
	char done;

#ifdef MUTATE_USERNS
	return 0;
#endif
	if (in->ids->mode == IDS_LEASED && recv(in->control, &done, 1, 0) != 1)
		return inside_fail(in, "the supervisor has gone");
	return 0;
}

/* What this process, and what it starts, can ever have at most. */
static uint64_t
caps_kept(const struct inside *in)
{
#ifdef MUTATE_CAPS
	return (UINT64_C(1) << 40) - 1;
#endif
	return in->plan->uid == 0 ? root_caps : 0;
}

/* The bounding set ends where the kernel knows no more capabilities. */
int
users_bound(struct inside *in)
{
	uint64_t keep = caps_kept(in);

#ifdef MUTATE_BOUNDING
	return 0;
#endif
	for (int cap = 0; cap < 64; cap++) {
		if ((keep >> cap & 1) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return errno == EINVAL
				   ? 0
				   : inside_fail(in, "prctl PR_CAPBSET_DROP");
	}
	return 0;
}

int
users_drop(struct inside *in)
{
	uid_t uid = in->plan->uid;
	gid_t gid = in->plan->gid;

	if (uid != 0 &&
	    prctl(PR_SET_SECUREBITS,
		LOCKED(SECBIT_NOROOT) | LOCKED(SECBIT_NO_SETUID_FIXUP) |
		    LOCKED(SECBIT_NO_CAP_AMBIENT_RAISE)) != 0)
		return inside_fail(in, "prctl PR_SET_SECUREBITS");
	if (in->ids->mode != IDS_SINGLE &&
	    setgroups(in->plan->group_count, in->plan->groups) != 0)
		return inside_fail(in, "setgroups");
	if (setresgid(gid, gid, gid) != 0)
		return inside_fail(in, "setresgid %u", gid);
	if (setresuid(uid, uid, uid) != 0)
		return inside_fail(in, "setresuid %u", uid);
	if (set_caps(caps_kept(in)) != 0)
		return inside_fail(in, "capset");
	return 0;
}
