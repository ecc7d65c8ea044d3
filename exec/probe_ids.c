#include <sys/prctl.h>

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "probe.h"
#include "sys.h"

/* What root in a container may lack of what it takes to build. */
static const struct {
	int cap;
	const char *name;
} builder_caps[] = {
	{ CAP_SYS_ADMIN, "cap_sys_admin" },
	{ CAP_SETUID, "cap_setuid" },
	{ CAP_SETGID, "cap_setgid" },
	{ CAP_CHOWN, "cap_chown" },
	{ CAP_DAC_OVERRIDE, "cap_dac_override" },
};

/* Names those that this process does not have. */
static void
list_missing_caps(char *buf, size_t size)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { 0 };
	size_t len = 0;

	*buf = '\0';
	(void)syscall(SYS_capget, &head, data);
	for (size_t i = 0; i < sizeof(builder_caps) / sizeof(*builder_caps);
	     i++) {
		if ((data[0].effective & 1U << builder_caps[i].cap) == 0 &&
		    len < size)
			len += (size_t)snprintf(
			    buf + len, size - len, " %s", builder_caps[i].name);
	}
}

/* Is this a user namespace that has not all ids? */
static bool
is_nested(void)
{
	unsigned inside, outside, count;
	char line[64];

	return doctor_read("/proc/self/uid_map", line, sizeof(line)) > 0 &&
	       sscanf(line, "%u %u %u", &inside, &outside, &count) == 3 &&
	       count != UINT32_MAX;
}

void
look_caller(struct doctor *d, const char *name)
{
	const char *where = is_nested() ? ", in a user namespace" : "";
	char missing[128];

	if (geteuid() != 0) {
		doctor_ok(d, name, "user %u%s", (unsigned)geteuid(), where);
		return;
	}
	if (d->privileged) {
		doctor_ok(d, name, "root%s", where);
		return;
	}
	list_missing_caps(missing, sizeof(missing));
	doctor_lacks(d, FINDING_WARN, name,
	    "Sandboxes are built as an ordinary user's are: that takes user "
	    "namespaces, and all users inside are one.",
	    "docker, podman: --cap-add SYS_ADMIN --security-opt "
	    "seccomp=unconfined --security-opt apparmor=unconfined",
	    "root%s without%s", where, missing);
}

/*
 * Has this user namespace any power? One that AppArmor restricts can be made,
 * and then has no capabilities. This one is hardly ever filtered.
 */
static int
try_capability(struct failure *f)
{
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0) != 0)
		return failure_set(f, "capability", errno, "use a capability");
	return 0;
}

static int
try_user_namespaces(const void *arg, struct failure *f)
{
	(void)arg;
	if (unshare(CLONE_NEWUSER) != 0)
		return failure_set(f, "start", errno, "unshare");
	return try_capability(f);
}

/* As in a run: the sandbox's is made when a chroot has been left behind. */
static int
try_after_pivot(const void *arg, struct failure *f)
{
	const struct doctor *d = arg;

	if (!d->privileged && try_capability(f) != 0)
		return -1;
	if (probe_enter_tmpfs(f) != 0)
		return -1;
	return try_user_namespaces(arg, f);
}

#define ROOT_TOO true
#define USERS_ONLY false

/* Settings that forbid user namespaces, with the value that does. */
static const struct {
	const char *name;
	const char *path;
	const char *value;
	bool whom;
	const char *remedy;
} obstacles[] = {
	{ "user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", "0",
	    ROOT_TOO, "sysctl -w user.max_user_namespaces=15000" },
	{ "kernel.unprivileged_userns_clone",
	    "/proc/sys/kernel/unprivileged_userns_clone", "0", USERS_ONLY,
	    "sysctl -w kernel.unprivileged_userns_clone=1" },
	{ "kernel.apparmor_restrict_unprivileged_userns",
	    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	    USERS_ONLY, NULL },
};

/* What lets one program do it where AppArmor lets none. */
static const char *
apparmor_remedy(void)
{
	char self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len > 0 ? len : 0] = '\0';
	/* A copy in memory is not what a profile is attached to. */
	if (len <= 0 || strncmp(self, "/memfd:", 7) == 0)
		(void)strcpy(self, "/usr/local/bin/mayfly");
	return doctor_text("Install mayfly as root, write 'abi <abi/4.0>, "
			   "profile mayfly %s flags=(unconfined) { userns, }' "
			   "to /etc/apparmor.d/mayfly and run apparmor_parser "
			   "-r on that file; or, for all programs, sysctl -w "
			   "kernel.apparmor_restrict_unprivileged_userns=0",
	    self);
}

static void
explain_refusal(struct doctor *d, const char *name, const struct failure *f)
{
	const char *cost = "No sandbox can run.", *why = strerror(f->error);
	char value[16];

	for (size_t i = 0; i < sizeof(obstacles) / sizeof(*obstacles); i++) {
		if ((d->privileged && obstacles[i].whom == USERS_ONLY) ||
		    doctor_read(obstacles[i].path, value, sizeof(value)) < 0 ||
		    strcmp(value, obstacles[i].value) != 0)
			continue;
		doctor_lacks(d, FINDING_FAIL, name, cost,
		    obstacles[i].remedy != NULL ? obstacles[i].remedy
						: apparmor_remedy(),
		    "refused (%s): %s is %s", why, obstacles[i].name, value);
		return;
	}
	if (f->error == ENOSPC || f->error == EUSERS)
		doctor_lacks(d, FINDING_FAIL, name, cost,
		    "Raise user.max_user_namespaces here and in the user "
		    "namespaces around this one; at most 32 can be nested.",
		    "refused (%s): no more of them may be made", why);
	else if (prctl(PR_GET_SECCOMP) > 0)
		doctor_lacks(d, FINDING_FAIL, name, cost,
		    "docker, podman: --security-opt seccomp=unconfined, or a "
		    "profile that allows clone3, unshare and the mount calls; "
		    "systemd: RestrictNamespaces=no",
		    "refused (%s): probably by the seccomp filter of the "
		    "container or unit around",
		    why);
	else
		doctor_lacks(d, FINDING_FAIL, name, cost,
		    "Leave the chroot or use pivot_root instead, allow "
		    "user namespaces in the security module's policy, or "
		    "use a kernel with CONFIG_USER_NS.",
		    "refused (%s: %s), though no setting forbids them",
		    f->detail, f->error != 0 ? why : f->step);
}

void
look_user_namespaces(struct doctor *d, const char *name)
{
	struct probe p = { .flags = CLONE_NEWNS | CLONE_NEWPID |
				    (d->privileged ? 0 : CLONE_NEWUSER),
		.ids = &d->ids,
		.try = try_after_pivot,
		.arg = d };
	struct failure f;
	int r = probe(&p, &f);

	/* Of a root directory that cannot be changed another check tells. */
	if (r != 0 &&
	    (strcmp(f.step, "mount") == 0 || strcmp(f.step, "pivot") == 0)) {
		p.try = try_user_namespaces;
		r = probe(&p, &f);
	}
	if (r == 0)
		doctor_ok(d, name, "can be made");
	else if (strcmp(f.step, "ids") == 0 && access("/proc/self", F_OK) != 0)
		doctor_lacks(d, FINDING_FAIL, name, "No sandbox can run.",
		    "mount -t proc proc /proc", "there is no /proc");
	else
		explain_refusal(d, name, &f);
}

/* Leases a range, as a run does, and takes its first and last id. */
static int
try_lease(const void *arg, struct failure *f)
{
	const struct doctor *d = arg;
	struct ids ids;
	unsigned last;

	if (ids_take(&ids, &d->config, false, f) != 0)
		return -1;
	last = ids.count - 1;
	if (setresgid(ids.gid_base, ids.gid_base + last, ids.gid_base) != 0 ||
	    setresuid(ids.uid_base, ids.uid_base + last, ids.uid_base) != 0)
		return failure_set(f, "map", errno,
		    "ids %u to %u cannot be used in this user namespace",
		    (unsigned)ids.uid_base, (unsigned)ids.uid_base + last);
	return 0;
}

/* Marks the configured ranges that meet one of the file's. */
static void
mark_given_away(const struct config *c, const char *path, bool *given)
{
	uint64_t end = c->uid_base + c->uid_count, start, count, past;
	FILE *f = fopen(path, "re");
	char line[256], *colon;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		colon = strchr(line, ':');
		if (colon == NULL ||
		    sscanf(colon, ":%" SCNu64 ":%" SCNu64, &start, &count) !=
			2 ||
		    start >= end || count == 0)
			continue;
		past = count < end - start ? start + count : end;
		if (past <= c->uid_base)
			continue;
		if (start < c->uid_base)
			start = c->uid_base;
		for (uint64_t i = (start - c->uid_base) / IDS_PER_SANDBOX;
		     i <= (past - 1 - c->uid_base) / IDS_PER_SANDBOX; i++)
			given[i] = true;
	}
	if (f != NULL)
		(void)fclose(f);
}

static void
look_leases(struct doctor *d, const char *name)
{
	static bool given[UINT32_MAX / IDS_PER_SANDBOX + 2];
	struct probe p = { .try = try_lease, .arg = d };
	unsigned ranges = (unsigned)(d->config.uid_count / IDS_PER_SANDBOX);
	unsigned taken = 0;
	struct failure f;
	char text[320];

	if (probe(&p, &f) != 0) {
		doctor_lacks(d, FINDING_FAIL, name, "No sandbox can run.",
		    strcmp(f.step, "map") == 0
			? "Let an ordinary user call mayfly, or set uid_base "
			  "and uid_count to 65,536 or more ids that "
			  "/proc/self/uid_map has."
			: "Set run_dir to a directory that can be written, "
			  "uid_base and uid_count to ids that /etc/subuid and "
			  "/etc/subgid give to nobody.",
		    "%s", failure_text(&f, text, sizeof(text)));
		return;
	}
	mark_given_away(&d->config, "/etc/subuid", given);
	mark_given_away(&d->config, "/etc/subgid", given);
	for (unsigned i = 0; i < ranges; i++)
		taken += given[i];
	if (taken > 0)
		doctor_lacks(d, FINDING_WARN, name,
		    "Those are passed over, so that fewer sandboxes can run "
		    "at once.",
		    "Set uid_base and uid_count in /etc/mayfly/mayfly.conf to "
		    "ids that those files give to nobody.",
		    "%u of %u ranges from %" PRIu64
		    " on are in /etc/subuid or /etc/subgid",
		    taken, ranges, d->config.uid_base);
	else
		doctor_ok(d, name, "%u ranges of 65536 from %" PRIu64, ranges,
		    d->config.uid_base);
}

static const char one_id[] = "All users inside are one: files cannot be given "
			     "away, and apt or tar as root fail at owners.";

/* Why an ordinary user has no range. */
static void
explain_single(struct doctor *d, const char *name)
{
	const struct passwd *pw = getpwuid(getuid());

	if (access("/usr/bin/newuidmap", X_OK) != 0)
		doctor_lacks(d, FINDING_WARN, name, one_id,
		    "apt-get install uidmap", "one: there is no newuidmap");
	else if (pw == NULL)
		doctor_lacks(d, FINDING_WARN, name, one_id,
		    "Give the user an entry in /etc/passwd and ranges in "
		    "/etc/subuid and /etc/subgid.",
		    "one: user %u has no name", (unsigned)getuid());
	else
		doctor_lacks(d, FINDING_WARN, name, one_id,
		    doctor_text("usermod --add-subuids 100000-165535 "
				"--add-subgids 100000-165535 %s, or other "
				"ids where those are in use",
			pw->pw_name),
		    "one: %s has no range in both of /etc/subuid and "
		    "/etc/subgid",
		    pw->pw_name);
}

/* An id that is not the caller's own. */
static int
try_second_id(const void *arg, struct failure *f)
{
	(void)arg;
	if (setresgid(1, 1, 1) != 0 || setresuid(1, 1, 1) != 0)
		return failure_set(f, "ids", errno, "use the range");
	return 0;
}

static void
look_subids(struct doctor *d, const char *name)
{
	struct ids ids;
	struct probe p = {
		.flags = CLONE_NEWUSER, .ids = &ids, .try = try_second_id
	};
	struct failure f;
	char text[320];

	if (ids_refuse_root(&f) != 0)
		doctor_lacks(d, FINDING_FAIL, name, "No sandbox can run.",
		    doctor_text("Give %s, as with docker run --cap-add, or "
				"call as an ordinary user.",
			ids_lacking()),
		    "%s", failure_text(&f, text, sizeof(text)));
	else if (ids_take(&ids, &d->config, false, &f) != 0 ||
		 ids.mode != IDS_SUBUID)
		explain_single(d, name);
	else if (probe(&p, &f) != 0)
		doctor_lacks(d, FINDING_FAIL, name, "No sandbox can run.",
		    "newuidmap and newgidmap must be setuid root and this "
		    "process allowed new privileges; without the lines in "
		    "/etc/subuid and /etc/subgid one id is used.",
		    "%s", failure_text(&f, text, sizeof(text)));
	else if (ids.count < IDS_PER_SANDBOX)
		doctor_lacks(d, FINDING_WARN, name,
		    "Users inside with higher numbers do not exist.",
		    "Give the user 65536 ids in /etc/subuid and /etc/subgid.",
		    "only %u from %u", ids.count, (unsigned)ids.uid_base);
	else
		doctor_ok(d, name, "%u from %u, by newuidmap", ids.count,
		    (unsigned)ids.uid_base);
}

void
look_host_ids(struct doctor *d, const char *name)
{
	if (d->privileged)
		look_leases(d, name);
	else
		look_subids(d, name);
}
