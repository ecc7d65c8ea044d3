#include "lockdown.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "defence.h"
#include "ids.h"
#include "limit.h"
#include "rundir.h"
#include "sys.h"

#if defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif

/* Who the front is where this user exists; else nobody. */
#define FRONT_USER "mayfly-front"
#define NOBODY 65534

/*
 * A body of 4 MB, its index and its encoding, and of each stream what is kept
 * and its JSON, which can be six times as long.
 */
#define MEMORY_MAX (UINT64_C(256) << 20)
#define FILES_MAX 32
/* Descriptors that it starts with, at most. */
#define KEEP_MAX 3

#define EMPTY_DIR "empty"

struct front_user {
	bool known;
	uid_t uid;
	gid_t gid;
};

#define ALLOW(call)                                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1),                \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/*
 * All that the front does once it is locked down: wait, read, write, get
 * memory, end. It opens nothing, and any other call is its death.
 */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __NR_poll
	ALLOW(poll),
#endif
	ALLOW(ppoll),
	ALLOW(read),
	ALLOW(write),
	ALLOW(writev),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW(sendto),
	ALLOW(sendmsg),
	ALLOW(close),
	ALLOW(shutdown),
	ALLOW(clock_gettime),
	ALLOW(brk),
	ALLOW(mremap),
	ALLOW(munmap),
	ALLOW(madvise),
	ALLOW(exit_group),
	ALLOW(restart_syscall),
	ALLOW(rt_sigreturn),
	/* Memory, but none that could be executed. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mmap, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_mprotect, 0, 2),
	BPF_STMT(
	    BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4 /* PROT_EXEC */, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* Who the front will be. Asked once: it takes as long as half of the rest. */
static const struct front_user *
front_user(void)
{
	static struct front_user user;
	const struct passwd *p;

	if (user.known || geteuid() != 0)
		return &user;
	p = getpwnam(FRONT_USER);
	user = (struct front_user){ true, p != NULL ? p->pw_uid : NOBODY,
		p != NULL ? p->pw_gid : NOBODY };
	return &user;
}

void
lockdown_settle(void)
{
	(void)front_user();
}

int
lockdown_prepare(const struct config *c, char *path, size_t size)
{
	char dir[3072];
	struct stat st;

	int r = rundir_path(c, dir, sizeof(dir));

	(void)snprintf(path, size, "%s/" EMPTY_DIR, dir);
	if (r != 0)
		return -1;
	if (lstat(path, &st) != 0)
		return mkdir(path, 0555) == 0 || errno == EEXIST ? 0 : -1;
#ifndef MUTATE_FRONT_EMPTY
	/* It is the front's root: nobody else may have put it there. */
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		errno = EPERM;
		return -1;
	}
#endif
	return 0;
}

/* Moves the descriptors to the lowest numbers and closes all others. */
static int
keep_only(const int *keep, int n)
{
	int copies[KEEP_MAX];

	/* Whatever numbers they have, none is in the way of another. */
	for (int i = 0; i < n; i++) {
		copies[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, KEEP_MAX);
		if (copies[i] < 0)
			return -1;
	}
	for (int i = 0; i < n; i++) {
		if (dup2(copies[i], i) < 0)
			return -1;
	}
	return DEFENCE(FRONT_FDS) ? sys_close_range((unsigned)n, ~0U, 0) : 0;
}

static int
limit_all(void)
{
	const struct {
		int which;
		uint64_t value;
	} all[] = { { RLIMIT_AS, MEMORY_MAX }, { RLIMIT_NOFILE, FILES_MAX },
		{ RLIMIT_NPROC, 0 }, { RLIMIT_FSIZE, 0 } };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
#if defined(__SANITIZE_ADDRESS__)
		if (all[i].which == RLIMIT_AS)
			continue;
#endif
		if (limits_lower(all[i].which, all[i].value) != 0)
			return -1;
	}
	return limits_core();
}

static int
drop_caps(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { 0 };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return -1;
	}
	/* Behind the last one; any other error would leave the rest. */
	if (errno != EINVAL)
		return -1;
	return (int)syscall(SYS_capset, &head, none);
}

/* Root becomes the front's user; anybody else is nobody in a namespace. */
static int
change_user(uid_t uid, gid_t gid)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0)
		return -1;
	return setresuid(uid, uid, uid);
}

static int
load_filter(void)
{
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter),
		(struct sock_filter *)(uintptr_t)filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
#if defined(__SANITIZE_ADDRESS__)
	/* The sanitizer's own calls are not foreseen. */
	(void)program;
	return 0;
#else
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
#endif
}

int
lockdown(const char *root, const int *keep, int n, const char **ret_step)
{
	const struct front_user *user = front_user();
	bool privileged = ids_privileged();

	*ret_step = "descriptors";
	if (keep_only(keep, n) != 0)
		return -1;
	*ret_step = "user namespace";
	if (!privileged && unshare(CLONE_NEWUSER) != 0)
		return -1;
	*ret_step = "root";
	if (DEFENCE(FRONT_ROOT) && (chroot(root) != 0 || chdir("/") != 0))
		return -1;
	*ret_step = "capabilities";
	if (DEFENCE(FRONT_CAPS) && privileged &&
	    change_user(user->uid, user->gid) != 0)
		return -1;
	/* The bounding set goes with the user where it cannot be changed. */
	if (DEFENCE(FRONT_CAPS) && !privileged && drop_caps() != 0)
		return -1;
	*ret_step = "process";
	if (prctl(PR_SET_DUMPABLE, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -1;
	*ret_step = "limits";
	if (DEFENCE(FRONT_LIMITS) && limit_all() != 0)
		return -1;
	*ret_step = "seccomp";
	return DEFENCE(FRONT_FILTER) ? load_filter() : 0;
}
