#include "watch.h"

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

/*
 * After a limit has ended the run, a reader that takes nothing is given this
 * long for what is left before mayfly goes without it.
 */
#define LINGER_US UINT64_C(1000000)

/* Under nohup(1) and the like it stays ignored. */
static void
add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction old;

	if (sigaction(sig, NULL, &old) != 0 || old.sa_handler != SIG_IGN)
		(void)sigaddset(set, sig);
}

void
watch_stop_signals(sigset_t *set)
{
	static const int sigs[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

	(void)sigemptyset(set);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		add_unless_ignored(set, sigs[i]);
}

int
watch_prepare(struct box *b)
{
	const int fds[] = { b->plan->in.fd, b->plan->out.fd };
	sigset_t set;

	b->started_us = b->look_us = sys_now_us();
	watch_stop_signals(&set);
	/* This one is passed on. */
	add_unless_ignored(&set, SIGWINCH);
	(void)sigprocmask(SIG_BLOCK, &set, &b->mask_before);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Where a caller ignores it no child's end would be seen, also inside.
	 */
	(void)signal(SIGCHLD, SIG_DFL);
	b->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	b->terminal = b->tty.fd = -1;
	if (b->signals < 0)
		return failure_set(b->failure, "start", errno, "signalfd");
	if (b->plan->tty)
		tty_take(&b->tty, fds, 2);
	return 0;
}

void
watch_finish(struct box *b)
{
	int *const fds[] = { &b->terminal, &b->signals, &b->control, &b->pidfd,
		&b->meter.proc, &b->meter.root };

	tty_restore(&b->tty);
	for (int i = 0; i < 3; i++)
		relay_close(&b->relays[i]);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			(void)close(sys_take(fds[i]));
	}
	/* Told once to stop is enough: a second time must not lose the rest. */
	if (b->verdict->stopped_by == 0)
		(void)sigprocmask(SIG_SETMASK, &b->mask_before, NULL);
}

void
watch_kill(struct box *b)
{
	if (b->cgroup.dir >= 0)
		cgroup_kill(&b->cgroup);
	(void)syscall(SYS_pidfd_send_signal, b->pidfd, SIGKILL, NULL, 0);
}

void
watch_stop(struct box *b, enum reason reason)
{
	if (b->stopping || b->ended || b->dead)
		return;
	b->stopping = true;
	b->verdict->reason = reason;
	/* Of those who are killed nobody else says what they have used. */
	if (b->begun && b->cgroup.dir < 0)
		meter_read(&b->meter, b->plan->limits.value[LIMIT_MEM]);
	/* Nobody waits for files, or there must not be more memory used. */
	if (reason == REASON_KILLED || reason == REASON_MEMORY ||
	    !watch_collect(b))
		watch_kill(b);
}

static void
reap(struct box *b)
{
	struct rusage all;
	int status;

	while (wait4(b->pid, &status, __WALL, &all) < 0 && errno == EINTR)
		;
	b->used_us = sys_cpu_us(&all);
	b->most_kb = (uint64_t)all.ru_maxrss;
	b->dead = true;
	b->left = WIFEXITED(status);
}

void
watch_abandon(struct box *b)
{
	watch_kill(b);
	reap(b);
}

/*
 * More was written than may be: also when the command has ended since, and
 * only what it had written shows it.
 */
static void
stop_output(struct box *b)
{
	if ((b->ended || b->dead) && !b->stopping) {
		b->stopping = true;
		b->verdict->reason = REASON_OUTPUT;
	}
	watch_stop(b, REASON_OUTPUT);
}

/* Who waits for the run: is there too much output, or nobody any more? */
static void
take_caller(struct box *b)
{
	char byte = 0;
	ssize_t n = read(b->plan->caller, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && byte == 'o') {
		stop_output(b);
		return;
	}
	b->caller_gone = true;
	watch_stop(b, REASON_KILLED);
	/* Nobody reads what is being collected. */
	if (watch_collects(b))
		watch_kill(b);
}

static void
take_signal(struct box *b)
{
	struct signalfd_siginfo info;

	if (read(b->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH) {
		if (b->terminal >= 0)
			tty_copy_size(&b->tty, b->terminal);
		return;
	}
	if (!b->stopping && !b->ended)
		b->verdict->stopped_by = (int)info.ssi_signo;
	watch_stop(b, REASON_KILLED);
}

static int
wait_events(struct pollfd *fds, int n, uint64_t us)
{
	struct timespec t = { (time_t)(us / 1000000),
		(long)(us % 1000000) * 1000 };

	return ppoll(fds, (nfds_t)n, us == UINT64_MAX ? NULL : &t, NULL);
}

/*
 * The end of the caller's input is Ctrl-D on the command's terminal; within a
 * line the first one hands that over, and only the second is an end. They take
 * the way of all input, on which there may be no room now.
 */
static void
end_terminal_input(struct box *b)
{
	static const char eof = 4;
	struct relay *in = &b->relays[0];

	if (b->terminal < 0 || b->input_ended || in->from >= 0 || in->len > 0)
		return;
	b->input_ended = true;
	in->start = 0;
	in->len = in->last == '\n' ? 1 : 2;
	memset(in->buf, eof, in->len);
}

/*
 * One wait and everything that it brought; the limits come after that. Who has
 * waited for a CPU finds both at once, and what happened before a limit was
 * reached is not to be laid to the limit.
 */
void
watch_turn(struct box *b)
{
	struct pollfd fds[12];
	uint64_t us = watch_next_us(b);
	int n = 0;

	fds[n++] = (struct pollfd){ .fd = b->pidfd, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = b->control, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = b->signals, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = b->caller_gone ? -1 : b->plan->caller,
		.events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = (b->stopping || b->ended) &&
						  !watch_collects(b)
					      ? -1
					      : b->plan->cancel,
		.events = POLLIN };
	fds[n++] =
	    (struct pollfd){ .fd = b->disk.tally.result, .events = POLLIN };
	for (int i = 0; i < 3; i++)
		n = relay_poll(&b->relays[i], fds, n);
	switch (wait_events(fds, n, us)) {
	case -1:
		return;
	case 0:
		watch_check_limits(b);
		return;
	default:
		break;
	}
	if (fds[1].revents != 0)
		(void)watch_hear(b);
	if (fds[2].revents != 0)
		take_signal(b);
	if (fds[3].revents != 0)
		take_caller(b);
	if (fds[4].revents != 0 && watch_collects(b))
		watch_kill(b);
	else if (fds[4].revents != 0)
		watch_stop(b, REASON_KILLED);
	if (fds[5].revents != 0 && disk_is_over(&b->disk))
		watch_stop(b, REASON_DISK);
	for (int i = 0; i < 3; i++) {
		if (relay_move(&b->relays[i], fds) == RELAY_OVER)
			stop_output(b);
	}
	end_terminal_input(b);
	if (fds[0].revents != 0) {
		/* What it said last is there before its end is seen. */
		while (b->control >= 0 && watch_hear(b))
			;
		reap(b);
	}
	watch_check_limits(b);
}

/*
 * All writers are dead: what is in the pipes is all there will be. A reader
 * may take as long as it likes, unless a limit ended the run.
 */
static void
drain(struct box *b)
{
	uint64_t last = sys_now_us();
	struct pollfd fds[5];

	relay_close(&b->relays[0]);
	for (;;) {
		uint64_t left = last + LINGER_US - sys_now_us();
		int n = 0;

		if (!relay_pending(&b->relays[1]) &&
		    !relay_pending(&b->relays[2]))
			return;
		fds[n++] =
		    (struct pollfd){ .fd = b->signals, .events = POLLIN };
		for (int i = 1; i < 3; i++)
			n = relay_poll(&b->relays[i], fds, n);
		if (left > LINGER_US)
			left = 0;
		if (wait_events(fds, n, b->stopping ? left : UINT64_MAX) == 0)
			return;
		if (fds[0].revents != 0)
			return;
		for (int i = 1; i < 3; i++) {
			if (relay_move(&b->relays[i], fds) == RELAY_OVER)
				stop_output(b);
		}
	}
}

void
watch_begin(struct box *b)
{
	const struct limits *l = &b->plan->limits;
	int proc = b->meter.proc, root = b->meter.root;

	b->begun = true;
	meter_init(&b->meter, &b->cgroup, l->value[LIMIT_CPUS]);
	b->meter.proc = proc;
	b->meter.root = root;
	b->look_us = sys_now_us() + meter_next_us(&b->meter, l);
	disk_built(&b->disk);
	watch_look_at_disk(b);
}

int
watch(struct box *b)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };

	while (!b->dead && !b->alone)
		watch_turn(b);
	drain(b);
	if (b->failed)
		return -1;
	if (!b->ready && !b->stopping)
		return failure_set(b->failure, "start", 0,
		    "the sandbox's first process died while building");
	if (!b->ended && !b->stopping && b->left) {
		if (sys_now_us() < watch_wall_us(b))
			return failure_set(b->failure, "process", 0,
			    "the sandbox's first process left before the "
			    "command");
		/* It does so when mayfly itself was stopped for so long. */
		b->stopping = true;
		b->verdict->reason = REASON_WALL;
	}
	for (int i = 0; i < 3; i++) {
		if (b->relays[i].error != 0)
			return failure_set(b->failure, names[i],
			    b->relays[i].error, "%s was lost",
			    i == 0 ? "input" : "output");
	}
	judge(b, sys_now_us());
	return 0;
}
