#include "inside.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "filter.h"
#include "late.h"
#include "sys.h"

int
inside_fail(struct inside *in, const char *fmt, ...)
{
	va_list ap;

	in->failure.error = errno;
	va_start(ap, fmt);
	(void)vsnprintf(
	    in->failure.detail, sizeof(in->failure.detail), fmt, ap);
	va_end(ap);
	return -1;
}

/*
 * Ends with its supervisor. The supervisor may have died already: then the
 * socket has no other end, and the first message finds that out.
 */
static int
parent_follow(struct inside *in)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return inside_fail(in, "prctl PR_SET_PDEATHSIG");
	(void)umask(0);
	return 0;
}

/*
 * When the host runs out of memory, this is what it does without. For root
 * the supervisor sees to it, which has the time: map_users().
 */
static int
oom_first(struct inside *in)
{
	if (in->ids->mode != IDS_LEASED &&
	    ids_write(AT_FDCWD, "/proc/self/oom_score_adj", "1000") != 0)
		return inside_fail(in, "/proc/self/oom_score_adj");
	return 0;
}

/* Its root is then where it was started, and it sees no path above that. */
static int
cgroup_hide(struct inside *in)
{
	if (unshare(CLONE_NEWCGROUP) != 0)
		return inside_fail(in, "unshare");
	return 0;
}

static int
hostname_set(struct inside *in)
{
	static const char name[] = "mayfly";

	if (sethostname(name, sizeof(name) - 1) != 0)
		return inside_fail(in, "sethostname");
	return 0;
}

static int
limits_prepare(struct inside *in)
{
	static struct limits most;

	/* What is asked for later cannot raise them any more. */
	most = in->plan->limits;
	if (in->plan->prepared)
		memcpy(most.value, most.cap, sizeof(most.value));
	limits_raise(&most);
	if (limits_core() != 0)
		return inside_fail(in, "RLIMIT_CORE");
	return 0;
}

/* Not traced, read or written by what it starts, also with one id for all. */
static int
process_shut(struct inside *in)
{
#ifndef MUTATE_DUMPABLE
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return inside_fail(in, "prctl PR_SET_DUMPABLE");
#endif
	/* Changing the user cleared it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return inside_fail(in, "prctl PR_SET_PDEATHSIG");
#ifndef MUTATE_NNP
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return inside_fail(in, "prctl PR_SET_NO_NEW_PRIVS");
#endif
	(void)umask(022);
	return 0;
}

static int
filter_enter(struct inside *in)
{
	unsigned extra = 0;

	if (plan_writes_outside(in->plan))
		extra |= FILTER_NOSUID;
	if (in->plan->network == NETWORK_OFF)
		extra |= FILTER_NOSOCKET;
	if (in->sampled)
		extra |= FILTER_SAMPLED;
	if (filter_load(extra) != 0)
		return inside_fail(in, "seccomp");
	return 0;
}

/*
 * The order matters: mounts are made with the builder's capabilities, in
 * mount and network namespaces that the sandbox's user namespace, entered
 * after them, does not own; the filter comes late because it refuses most of
 * what stands before it. What stands behind it a command may do as well.
 */
static const struct step steps[] = {
	{ "oom", oom_first }, /* its file is the host root's after the next */
	{ "owner", users_own },
	{ "parent", parent_follow }, /* a change of user would undo it */
	{ "cgroup", cgroup_hide },
	{ "hostname", hostname_set },
	{ "proc", proc_open },
	{ "bind", binds_open },
	{ "session", layers_open },
	{ "root", root_make },
	{ "etc", etc_make },
	{ "session", layers_mount }, /* what lies below it stays as it is */
	{ "user", user_find }, /* before anything is made that is the user's */
	{ "streams", user_own_streams },
	{ "cwd", workdir_make },
	{ "root", root_show_system },
	{ "etc", etc_show },
	{ "dev", dev_make },
	{ "network", net_make },
	{ "proc", proc_show }, /* after the last setting under /proc/sys */
	{ "bind", binds_show },
	{ "work", layers_show_work },
	{ "layers", view_show },
	{ "tty", dev_open_tty },
	{ "pivot", root_enter },
	{ "limits", limits_prepare },
	{ "users", users_enter },
	{ "capabilities", users_bound }, /* while the maps are written */
	{ "filter", filter_enter },
	{ "users", users_mapped },
	{ "capabilities", users_drop },
	{ "process", process_shut },
};

static noreturn void
send_failure(struct inside *in, const char *step)
{
	struct control c = { .type = CONTROL_FAILED };

	(void)snprintf(in->failure.step, sizeof(in->failure.step), "%s", step);
	c.failure = in->failure;
	(void)control_send(in->control, &c, NULL, 0);
	_exit(1);
}

static void
send_ready(struct inside *in)
{
	int fds[CONTROL_FD_MAX] = { in->proc, in->scratch, in->tty };
	struct control c = { .type = CONTROL_READY };
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r);
	c.cpu_us = sys_cpu_us(&r);
	if (control_send(in->control, &c, fds,
		in->tty >= 0 ? CONTROL_FD_MAX : CONTROL_FD_TTY) != 0)
		_exit(1);
}

noreturn void
inside_run(struct inside *in)
{
	in->scratch = in->made = in->root = in->dev = in->empty = in->covered =
	    in->proc = in->session = in->work = in->common = -1;
	for (size_t i = 0; i <= PLAN_LAYERS_MAX; i++)
		in->layers[i] = -1;
	in->tty = in->tty_slave = -1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (steps[i].run(in) != 0)
			send_failure(in, steps[i].name);
	}
	if (in->plan->prepared && late_open(in) != 0)
		send_failure(in, "start");
	send_ready(in);
	init_run(in);
}
