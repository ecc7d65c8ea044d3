#include <sys/prctl.h>
#include <sys/utsname.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "doctor.h"
#include "probe.h"
#include "sys.h"

void
look_kernel(struct doctor *d, const char *name)
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	(void)uname(&u);
	(void)sscanf(u.release, "%u.%u", &major, &minor);
	if (major > 6 || (major == 6 && minor >= 1))
		doctor_ok(
		    d, name, "%s %s, %s", u.sysname, u.release, u.machine);
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "mayfly is not tested on kernels before 6.1.",
		    "Use Linux 6.1 or later.", "%s %s, %s", u.sysname,
		    u.release, u.machine);
}

/* A filter of one call, and whether it is obeyed. */
static int
try_seccomp(const void *arg, struct failure *f)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	(void)arg;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failure_set(f, "seccomp", errno, "no_new_privs");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return failure_set(f, "seccomp", errno, "load a filter");
	if (syscall(SYS_getppid) != -1 || errno != EDOM)
		return failure_set(f, "seccomp", 0, "a filter has no effect");
	return 0;
}

void
look_seccomp(struct doctor *d, const char *name)
{
	struct probe p = { .try = try_seccomp };
	struct failure f;
	char text[320];

	if (probe(&p, &f) == 0)
		doctor_ok(d, name, "filters can be loaded");
	else
		doctor_lacks(d, FINDING_FAIL, name, "No sandbox can run.",
		    "Use a kernel with CONFIG_SECCOMP_FILTER; in a container, "
		    "its own filter must allow seccomp and prctl.",
		    "%s", failure_text(&f, text, sizeof(text)));
}

void
look_bpf_jit(struct doctor *d, const char *name)
{
	char value[16];

	if (doctor_read(
		"/proc/sys/net/core/bpf_jit_enable", value, sizeof(value)) < 0)
		/* Network namespaces but the first do not show it. */
		doctor_ok(d, name, "not shown here");
	else if (strcmp(value, "0") != 0)
		doctor_ok(d, name, "on");
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "Each system call inside costs more: the filter is "
		    "interpreted.",
		    "sysctl -w net.core.bpf_jit_enable=1", "off");
}

void
look_landlock(struct doctor *d, const char *name)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (version > 0)
		doctor_ok(d, name, "version %ld; not needed", version);
	else
		doctor_ok(d, name, "none; not needed");
}

void
look_smt(struct doctor *d, const char *name)
{
	char value[16];

	if (doctor_read(
		"/sys/devices/system/cpu/smt/active", value, sizeof(value)) < 0)
		doctor_ok(d, name, "not known");
	else if (strcmp(value, "0") == 0)
		doctor_ok(d, name, "off");
	else
		doctor_ok(d, name,
		    "on: two sandboxes may share a core; what a core leaks is "
		    "not promised against");
}

void
look_ksm(struct doctor *d, const char *name)
{
	char value[16];

	if (doctor_read("/sys/kernel/mm/ksm/run", value, sizeof(value)) < 0 ||
	    strcmp(value, "1") != 0)
		doctor_ok(d, name, "off");
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "A program can tell by timing which pages others have.",
		    "echo 2 >/sys/kernel/mm/ksm/run", "on");
}

/* All at once: what no other check thought of shows here. */
static int
try_sandbox(const void *arg, struct failure *f)
{
	static char command[] = "true";
	static char *argv[] = { command, NULL };
	static struct plan plan;
	const struct doctor *d = arg;
	struct verdict v;
	char why[160];

	plan_init(&plan);
	plan.limits = d->config.limits;
	plan.argv = argv;
	if (plan_finish(&plan, why, sizeof(why)) != 0)
		return failure_set(f, "plan", 0, "%s", why);
	if (box_run(&plan, &d->config, &v, f) != 0)
		return -1;
	if (v.exit_code != 0)
		return failure_set(f, "command", v.exec_error,
		    "true ended with reason %s, exit code %d, signal %d",
		    reason_name(v.reason), v.exit_code, v.signal);
	(void)snprintf(f->detail, sizeof(f->detail),
	    "mem by %s, nproc by %s, time by %s",
	    enforcer_name(v.enforced[LIMIT_MEM]),
	    enforcer_name(v.enforced[LIMIT_NPROC]),
	    enforcer_name(v.enforced[LIMIT_TIME]));
	return 0;
}

/* Of what has failed alone, at this step. */
static const char *
sandbox_remedy(const struct doctor *d, const char *step)
{
	const uint64_t *limits = d->config.limits.value;
	const int count = strcmp(step, "command") == 0 ? LIMIT_MAX : 0;

	/* As where seconds are meant, and milliseconds set. */
	for (int i = 0; i < count; i++) {
		if (limits[i] < limit_rules[i].standard)
			return doctor_text("Raise the limits that the "
					   "configuration lowers: default_%s "
					   "or max_%s, and others that do.",
			    limit_rules[i].name, limit_rules[i].name);
	}
	return "Nothing else failed: please report this.";
}

void
look_sandbox(struct doctor *d, const char *name)
{
	struct probe p = { .try = try_sandbox, .arg = d, .patience = 40000 };
	struct failure f;
	char text[320];

	if (probe(&p, &f) == 0)
		doctor_ok(d, name, "ran a command; %s", f.detail);
	else
		doctor_lacks(d, FINDING_FAIL, name,
		    "No sandbox can run: mayfly run fails at the same step.",
		    doctor_can_run(d) ? sandbox_remedy(d, f.step)
				      : "See what else failed.",
		    "%s", failure_text(&f, text, sizeof(text)));
}
