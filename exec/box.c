/*
 * How a command is run.
 *
 * Three processes. The SUPERVISOR is the caller's own: `mayfly run`, or the
 * broker of the activator. It starts the sandbox with one clone3, carries the
 * streams, watches the limits, and says in the end what happened. INIT is the
 * sandbox's PID 1: first it builds, step by step (inside.c), then it reaps and
 * ends (init.c). The COMMAND is init's child.
 *
 *   caller's 0,1,2 <-> SUPERVISOR --clone3--> INIT --fork--> COMMAND
 *                        |   |                  |               |
 *                        |   '--control socket--'               |
 *                        '--------------three pipes-------------'
 *
 * Two user namespaces. The BUILDER's is the one in which the steps run with
 * every capability: root's own where root calls, else one made by clone3 for
 * an ordinary user. Mounts, network and the rest belong to it. The SANDBOX's
 * is entered when all is built, owns none of the other namespaces, and its
 * root has seven harmless capabilities: there is no mount that the command
 * could change or take away, and no interface that it could configure.
 * A second gain: the limit on processes, charged to the maker of that second
 * namespace, bounds all its ids together.
 *
 * Order. Everything that the host must give up on a crash hangs on processes:
 * mounts and namespaces go with init, the ids with the lock that init holds
 * and what init has started (place.h), init with the supervisor
 * (PR_SET_PDEATHSIG). What is left is an empty cgroup. The command starts only
 * when init has given up its capabilities, its descriptors and the caller's
 * strings: it waits for the end of a pipe that init closes last.
 *
 * The caller's descriptors never enter. The command's are pipes of ours or a
 * terminal of its own; it could set flags on them that everybody shares. The
 * broker has the pipes' other ends read by a process that may do nothing else
 * (streams that are `direct`), and hears from it when the caller has gone.
 *
 * The end. Whatever comes first of the command's end, a limit, the caller's
 * signal: then init is killed or ends, and the kernel ends all that is left.
 * What the pipes still hold is carried before the verdict is given. Where the
 * command has left nobody behind and somebody waits for a broker's answer, init
 * says so and stays: to take its namespaces apart lasts as long as the answer,
 * which goes first (plan_answers_first(), box_end()).
 */
#include "box.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"
#include "net.h"
#include "place.h"
#include "spread.h"
#include "streams.h"
#include "sys.h"
#include "watch.h"

/* Fresh for every sandbox, besides the network and the two user ones. */
static const uint64_t namespaces[] = {
#ifndef MUTATE_PIDNS
	CLONE_NEWPID,
#endif
#ifndef MUTATE_IPCNS
	CLONE_NEWIPC,
#endif
#ifndef MUTATE_UTSNS
	CLONE_NEWUTS,
#endif
	CLONE_NEWNS,
};

/* Has it a network of its own? Root's supervisor makes that: net_lend(). */
static bool
has_network(const struct plan *p)
{
#ifdef MUTATE_NETNS
	(void)p;
	return false;
#else
	return p->network != NETWORK_HOST;
#endif
}

/* What the plan gave away is the sandbox's now. */
void
box_close_given(const struct plan *p)
{
	const int fds[] = { p->files_in, p->files_out };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
}

uint64_t
box_as_kb(const struct box *b)
{
	const struct limits *l = &b->plan->limits;

	return l->asked[LIMIT_MEM] && !b->cgroup.memory
		   ? 2 * l->value[LIMIT_MEM] + 1048576
		   : LIMIT_UNSET;
}

/* In the new process, before the steps. */
static noreturn void
start_inside(struct box *b, int control, const struct ends e[3])
{
	const uint64_t *limit = b->plan->limits.value;
	static struct inside in;

	in = (struct inside){ .plan = &in.own,
		.own = *b->plan,
		.ids = &b->ids,
		.control = control,
		.as_kb = box_as_kb(b),
		.sampled = b->disk.by == ENFORCED_SAMPLED,
		.backstop = limit[LIMIT_WALL] + 5000 };
	char go;

	/* Else this process would wait for itself when the other is dead. */
	(void)close(b->control);
	for (int i = 0; i < 3; i++)
		in.streams[i] = e[i].theirs;
	/* An ordinary user's builder namespace is mapped from outside. */
	if (b->ids.mode != IDS_LEASED && recv(control, &go, 1, 0) != 1)
		_exit(1);
	inside_run(&in);
}

static int
clone_failed(struct box *b, int error)
{
	const char *hint = "clone3";

	if (error == EPERM && b->ids.mode == IDS_LEASED)
		hint = "clone3: this container may not make namespaces; "
		       "with docker add --cap-add SYS_ADMIN --security-opt "
		       "seccomp=unconfined --security-opt apparmor=unconfined";
	else if (error == EPERM)
		hint = "clone3: user namespaces are refused here; see "
		       "mayfly doctor";
	else if (error == ENOSPC)
		hint = "clone3: user.max_*_namespaces is reached";
	return failure_set(b->failure, "namespaces", error, "%s", hint);
}

static int
start_sandbox(struct box *b, int control, const struct ends e[3])
{
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&b->pidfd,
		.exit_signal = SIGCHLD };
	int64_t before_us;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		args.flags |= namespaces[i];
	if (b->ids.mode != IDS_LEASED)
		args.flags |=
		    CLONE_NEWUSER | (has_network(b->plan) ? CLONE_NEWNET : 0);
	if (b->cgroup.dir >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)b->cgroup.dir;
	}
	before_us = place_now_us();
	b->pid = sys_clone3(&args);
	if (b->pid < 0)
		return clone_failed(b, errno);
	if (b->pid == 0)
		start_inside(b, control, e);
	spread(b->pid);
	if (ids_note(&b->ids, b->pid, before_us) != 0 ||
	    (b->plan->lock >= 0 &&
		place_note(b->plan->lock, 0, b->pid, before_us) != 0)) {
		(void)failure_set(
		    b->failure, "ids", errno, "note who has them");
		watch_abandon(b);
		return -1;
	}
	return 0;
}

/* What the sandbox, being built, waits for. */
static int
serve_builder(struct box *b)
{
	if (b->ids.mode == IDS_LEASED)
		return has_network(b->plan) ? net_lend(b->control, &b->ids,
						  b->plan->network, b->failure)
					    : 0;
	if (ids_map_builder(&b->ids, b->pid, b->failure) != 0)
		return -1;
	if (send(b->control, "", 1, MSG_NOSIGNAL) != 1)
		return failure_set(b->failure, "ids", errno, "send");
	return 0;
}

int
box_start(struct box *b)
{
	struct ends e[3] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int pair[2];

	if (watch_prepare(b) != 0 ||
	    ids_take(&b->ids, b->config, plan_writes_outside(b->plan),
		b->failure) != 0 ||
	    cgroup_open(&b->cgroup, b->plan, b->failure) != 0 ||
	    disk_open(&b->disk, b->config, b->plan, b->failure) != 0 ||
	    streams_open(b, e) != 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return failure_set(b->failure, "start", errno, "socketpair");
	b->control = pair[0];
	if (start_sandbox(b, pair[1], e) != 0)
		return -1;
	(void)close(pair[1]);
	streams_connect(b, e);
	box_close_given(b->plan);
	if (serve_builder(b) != 0) {
		watch_abandon(b);
		return -1;
	}
	return 0;
}

/* What holds each limit, as mayfly(1) says. */
static void
fill_enforced(struct box *b)
{
	const struct limits *l = &b->plan->limits;
	enum enforcer *e = b->verdict->enforced;

	e[LIMIT_TIME] = b->cgroup.dir >= 0 ? ENFORCED_CGROUP : ENFORCED_SAMPLED;
	e[LIMIT_WALL] = ENFORCED_TIMER;
	e[LIMIT_MEM] = b->cgroup.memory ? ENFORCED_CGROUP : ENFORCED_SAMPLED;
	e[LIMIT_FSIZE] = ENFORCED_RLIMIT;
	e[LIMIT_STACK] = ENFORCED_RLIMIT;
	e[LIMIT_NOFILE] = ENFORCED_RLIMIT;
	e[LIMIT_NPROC] = b->cgroup.pids ? ENFORCED_CGROUP : ENFORCED_RLIMIT;
	e[LIMIT_DISK] = ENFORCED_TMPFS;
	e[LIMIT_SESSION_DISK] = b->disk.by;
	e[LIMIT_CPUS] = l->value[LIMIT_CPUS] != LIMIT_UNSET && b->cgroup.cpu
			    ? ENFORCED_CGROUP
			    : ENFORCED_NONE;
	/* A direct stream's reader counts, and says so. */
	e[LIMIT_OUTPUT] =
	    (b->plan->out.direct ? l->value[LIMIT_OUTPUT]
				 : b->relays[1].limit) != LIMIT_UNSET
		? ENFORCED_READER
		: ENFORCED_NONE;
}

void
box_init(struct box *b, const struct plan *p, const struct config *c,
    struct verdict *v, struct failure *f)
{
	static char buffers[3][RELAY_SIZE];

	*b = (struct box){ .plan = p,
		.config = c,
		.verdict = v,
		.failure = f,
		.ids = { .lease = -1 },
		.meter = { .proc = -1, .root = -1 },
		.pid = -1,
		.pidfd = -1,
		.control = -1,
		.terminal = -1,
		.signals = -1,
		.tty = { .fd = -1 },
		.disk = { .by = ENFORCED_NONE, .tally = { 0, -1 } },
		.cgroup = { .dir = -1, .parent = -1 } };
	memset(v, 0, sizeof(*v));
	(void)sigprocmask(SIG_BLOCK, NULL, &b->mask_before);
	for (int i = 0; i < 3; i++)
		relay_init(&b->relays[i], buffers[i]);
}

int
box_verdict(struct box *b, int r)
{
	if (r == 0)
		r = watch(b);
	b->verdict->within_line = b->relays[2].last != '\n';
	if (disk_close(&b->disk) && r == 0)
		verdict_exceed(b->verdict, REASON_DISK);
	if (r == 0)
		fill_enforced(b);
	return r;
}

void
box_end(struct box *b)
{
	if (b->pid > 0 && !b->dead)
		watch_abandon(b);
	if (b->ids.lease >= 0)
		(void)close(sys_take(&b->ids.lease));
	cgroup_close(&b->cgroup);
	watch_finish(b);
	b->pid = -1;
}

int
box_run(const struct plan *p, const struct config *c, struct verdict *v,
    struct failure *f)
{
	struct box b;
	int r;

	box_init(&b, p, c, v, f);
	r = box_verdict(&b, box_start(&b));
	box_end(&b);
	return r;
}
