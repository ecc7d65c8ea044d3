#include <sys/vfs.h>

#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "probe.h"
#include "sys.h"

static const char without_cgroup[] =
    "mem and time are sampled, nproc is held by RLIMIT_NPROC, cpus not at "
    "all.";

static bool
is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

void
look_cgroup(struct doctor *d, const char *name)
{
	static const char boot[] =
	    "Boot with systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all on "
	    "the kernel's command line; in a container the host decides.";

	if (is_cgroup2("/sys/fs/cgroup"))
		doctor_ok(d, name, "version 2 is mounted");
	else if (is_cgroup2("/sys/fs/cgroup/unified"))
		doctor_lacks(d, FINDING_WARN, name, without_cgroup, boot,
		    "version 1 has the controllers, version 2 is beside it");
	else if (access("/sys/fs/cgroup/memory", F_OK) == 0)
		doctor_lacks(d, FINDING_WARN, name, without_cgroup, boot,
		    "only version 1 is mounted");
	else
		doctor_lacks(d, FINDING_WARN, name, without_cgroup,
		    "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
		    "none is mounted at /sys/fs/cgroup");
}

/* Opens one as a run does, for this check and those after it. */
void
look_cgroup_delegation(struct doctor *d, const char *name)
{
	const char *remedy =
	    geteuid() == 0
		? "systemd-run --scope -p Delegate=yes mayfly run ..."
		: "systemd-run --user --scope -p Delegate=yes mayfly run ...";
	struct plan plan;
	struct failure f;
	char text[320];

	plan_init(&plan);
	plan.limits.value[LIMIT_CPUS] = 1000;
	if (!cgroup_is_delegated())
		doctor_lacks(d, FINDING_WARN, name, without_cgroup, remedy,
		    "mayfly's own cgroup is not delegated to it");
	else if (cgroup_open(&d->cgroup, &plan, &f) != 0)
		doctor_lacks(d, FINDING_FAIL, name, "No sandbox can run.",
		    "Delegate a whole cgroup: its directory, cgroup.procs and "
		    "cgroup.subtree_control must be the caller's.",
		    "%s", failure_text(&f, text, sizeof(text)));
	else if (d->cgroup.dir < 0)
		doctor_lacks(d, FINDING_WARN, name, without_cgroup,
		    doctor_text(
			"Start mayfly in a cgroup of its own: %s", remedy),
		    "delegated, but other processes are in it as well");
	else
		doctor_ok(d, name, "delegated");
}

void
look_cgroup_controllers(struct doctor *d, const char *name)
{
	const struct {
		const char *name;
		bool there;
	} all[] = {
		{ "memory", d->cgroup.memory },
		{ "pids", d->cgroup.pids },
		{ "cpu", d->cgroup.cpu },
	};
	char there[32] = "", missing[32] = "", *list;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		list = all[i].there ? there : missing;
		(void)sprintf(list + strlen(list), "%s%s",
		    *list != '\0' ? " " : "", all[i].name);
	}
	if (*missing == '\0')
		doctor_ok(d, name, "%s", there);
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "Without memory, mem is sampled; without pids, nproc is "
		    "held by RLIMIT_NPROC; without cpu, cpus is not held.",
		    "For users: systemctl edit user@.service, [Service] "
		    "Delegate=cpu io memory pids; else in the cgroups above: "
		    "cgroup.subtree_control.",
		    "missing: %s", missing);
}

/* It is to be ended by cgroup.kill, in the cgroup where it began. */
static int
try_wait(const void *arg, struct failure *f)
{
	int r;

	(void)arg;
	do
		r = pause();
	while (r != 0);
	return failure_set(f, "wait", 0, "pause returned");
}

static void
kill_cgroup(const void *cgroup)
{
	cgroup_kill(cgroup);
}

void
look_cgroup_kill(struct doctor *d, const char *name)
{
	struct probe p = { .flags = CLONE_INTO_CGROUP,
		.cgroup = d->cgroup.dir,
		.try = try_wait,
		.arg = &d->cgroup,
		.meanwhile = kill_cgroup };
	struct failure f;
	char text[320];

	(void)probe(&p, &f);
	if (strcmp(f.step, "killed") == 0)
		doctor_ok(d, name, "a process started in it was ended");
	else if (strcmp(f.step, "start") == 0)
		doctor_lacks(d, FINDING_FAIL, name,
		    "No sandbox can run: it cannot be started in its cgroup.",
		    "Delegate cgroup.procs of the cgroups above as well.", "%s",
		    failure_text(&f, text, sizeof(text)));
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "A sandbox is ended by killing its first process alone.",
		    "Use Linux 5.14 or later and delegate cgroup.kill.", "%s",
		    failure_text(&f, text, sizeof(text)));
}

void
look_memory_peak(struct doctor *d, const char *name)
{
	if (faccessat(d->cgroup.dir, "memory.peak", R_OK, 0) == 0)
		doctor_ok(d, name, "is told by the cgroup");
	else
		doctor_lacks(d, FINDING_WARN, name,
		    "memory_kb of a result is the highest sample, not the "
		    "peak.",
		    "Use Linux 5.19 or later with the memory controller.",
		    "memory.peak: %s", strerror(errno));
}
