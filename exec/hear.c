/* What the sandbox's PID 1 says, and what its supervisor does about it. */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "sys.h"
#include "watch.h"

/* The command's terminal carries both ways, and has no separate stderr. */
static void
take_terminal(struct box *b, int terminal)
{
	struct relay *in = &b->relays[0], *out = &b->relays[1];

	b->terminal = terminal;
	tty_copy_size(&b->tty, terminal);
	(void)fcntl(terminal, F_SETFL, O_NONBLOCK);
	in->from = b->plan->in.fd;
	in->to = terminal;
	out->from = terminal;
	out->limit = b->plan->limits.value[LIMIT_OUTPUT];
	if (b->plan->out.fd >= 0)
		relay_to_shared(out, b->plan->out.fd);
}

/*
 * With its last process a mount namespace is taken apart before anybody hears
 * that the process has ended: so it is held until the answer is out, and goes
 * with this process. Not where it has a session's directory, which the next run
 * mounts again.
 */
static void
hold_mounts(const struct box *b)
{
	char path[40];

	if ((b->plan->caller < 0 && !b->plan->prepared) ||
	    b->plan->session >= 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)b->pid);
	(void)open(path, O_RDONLY | O_CLOEXEC);
}

/* The sandbox is built. */
static void
take_ready(struct box *b, const struct control *c, int fds[CONTROL_FD_MAX])
{
	b->ready = true;
	b->built_us = b->cgroup.built_us = c->cpu_us;
	hold_mounts(b);
	b->meter.proc = fds[CONTROL_FD_PROC];
	b->meter.root = fds[CONTROL_FD_ROOT];
	if (!b->plan->prepared)
		watch_begin(b);
	if (fds[CONTROL_FD_TTY] >= 0)
		take_terminal(b, fds[CONTROL_FD_TTY]);
}

/*
 * Root's sandbox has entered its user namespace and waits for its maps. What
 * it may do without waiting is done here as well: see oom_first().
 */
static void
map_users(struct box *b)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)b->pid);
	auto_fd proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0 || ids_map_sandbox(&b->ids, b->plan, proc) != 0) {
		(void)(errno == EPERM ? ids_unmapped(&b->ids, b->failure)
				      : failure_set(b->failure, "users", errno,
					    "map the host ids from %u on",
					    b->ids.uid_base));
	} else if (ids_write(proc, "oom_score_adj", "1000") != 0) {
		(void)failure_set(
		    b->failure, "oom", errno, "%s/oom_score_adj", path);
	} else if (send(b->control, "", 1, MSG_NOSIGNAL) != 1 &&
		   errno != EPIPE && errno != ECONNRESET) {
		/* It would wait for ever; one that has ended said why. */
		(void)failure_set(b->failure, "users", errno, "send");
	} else {
		return;
	}
	b->failed = true;
	watch_kill(b);
}

/* The command has ended, and perhaps all is known. */
static void
take_end(struct box *b, const struct control *c)
{
	b->ended = true;
	b->ended_us = sys_now_us();
	b->status = c->status;
	b->alone = c->alone && plan_answers_first(b->plan);
	b->used_us = c->cpu_us;
	b->most_kb = c->memory_kb;
}

bool
watch_hear(struct box *b)
{
	int fds[CONTROL_FD_MAX], r;
	struct control c = { 0 };

	r = control_receive(b->control, &c, fds, 0);
	if (r < 0 && errno == EAGAIN)
		return false;
	/* What it had to say is lost. */
	if (r < 0 && !b->failed && !b->ended) {
		(void)failure_set(b->failure, b->ready ? "process" : "start",
		    errno, "recvmsg");
		b->failed = true;
		watch_kill(b);
	}
	if (r <= 0) {
		(void)close(b->control);
		b->control = -1;
		return false;
	}
	switch (c.type) {
	case CONTROL_MAP:
		map_users(b);
		break;
	case CONTROL_READY:
		take_ready(b, &c, fds);
		break;
	case CONTROL_FAILED:
		*b->failure = c.failure;
		b->failed = true;
		break;
	case CONTROL_EXEC:
		b->verdict->exec_error = c.error;
		break;
	case CONTROL_KILLED:
		b->killed = true;
		break;
	default:
		if (!b->stopping)
			take_end(b, &c);
		break;
	}
	return true;
}
