/*
 * A connection's way: accepted, it waits until there is something to read of it
 * (waiting.h), and is then handed to processes of its own: such as are ready
 * (pool.h), or else new ones. The server itself reads nothing of it.
 */
#include "server.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "config.h"
#include "connection.h"
#include "io.h"
#include "lockdown.h"
#include "net.h"
#include "reap.h"
#include "sys.h"

#define REAP_MS 60000
/* Accepted in one go: what has come meanwhile has its turn, too. */
#define ACCEPT_MAX 64
/* Where there are no descriptors for it: until it is tried again. */
#define ACCEPT_AGAIN_MS 200
/* With so many at once, who has gone since it asked has no process any more. */
#define BUSY 64
/* Descriptors of its own: of the pool it has two for each. */
#define OWN_FILES (256 + 2 * POOL_MAX)

void
server_close(struct server *s)
{
	for (int i = 0; i < s->count; i++)
		listen_close(&s->listeners[i]);
	s->count = 0;
}

/*
 * A child of the server's, which ends with it, and has nothing of it but its
 * two descriptors, or -1, and net_spares(). 0 in the child.
 */
static pid_t
start_child(struct server *s, int one, int other)
{
	int keep[5 + NET_SPARES_MAX] = { 0, 1, 2, one, other };
	const int *spares;
	size_t n = net_spares(&spares);
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	memcpy(keep + 5, spares, n * sizeof(*spares));
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* With the others' channels it would hold their processes, too. */
	if (getppid() != parent || io_close_but(keep, 5 + n) != 0)
		_exit(1);
	(void)sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
	return 0;
}

/* To the processes that serve it. */
static void
dispatch(struct server *s, int sock)
{
	pid_t pid;

	if (s->connections >= BUSY && waiting_has_ended(sock)) {
		(void)close(sock);
		return;
	}
	pid = pool_hand_over(&s->pool, sock);
	if (pid < 0)
		pid = start_child(s, sock, -1);
	if (pid == 0)
		_exit(connection_serve(sock));
	pool_touch(&s->pool);
	if (pid < 0) {
		complain("serve: fork: %s", strerror(errno));
		connection_refuse(sock);
	} else {
		s->children[s->connections++] = pid;
	}
	(void)close(sock);
}

static bool
is_full(const struct server *s)
{
	return s->connections >= SERVER_CONNECTIONS_MAX;
}

static void
accept_some(struct server *s, const struct listener *l)
{
	bool gone;

	for (int i = 0; i < ACCEPT_MAX; i++) {
		int sock = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);

		if (sock < 0) {
			/* What is not the client's doing does not end by
			 * itself. */
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM) {
				complain("serve: accept: %s", strerror(errno));
				s->accept_ms = sys_now_ms() + ACCEPT_AGAIN_MS;
			}
			return;
		}
		if (!waiting_has_data(sock, &gone) || is_full(s)) {
			if (gone)
				(void)close(sock);
			else
				waiting_add(&s->waiting, sock);
			continue;
		}
		dispatch(s, sock);
	}
}

static void
take_waiting(struct server *s)
{
	int sock;

	while (!is_full(s) && (sock = waiting_take(&s->waiting)) >= 0)
		dispatch(s, sock);
}

/* Where nothing is ready, nothing is made before it is asked for. */
static bool
wants_spare(const struct server *s)
{
	return !s->has_spares && s->connections == 0 && s->pool.wanted > 0 &&
	       s->pool.count == s->pool.wanted;
}

static pid_t
start_member(void *context, int broker, int front)
{
	return start_child(context, broker, front);
}

/*
 * One more that is ready for a connection, or a network that is, where there is
 * nothing to do.
 */
static void
build_one(struct server *s)
{
	int broker, front;

	if (pool_next_us(&s->pool, s->connections == 0) == 0) {
		if (pool_start(&s->pool, start_member, s, &broker, &front) == 0)
			_exit(connection_await(broker, front));
	} else if (wants_spare(s)) {
		s->has_spares = !net_spare();
	}
}

static void
say(const char *what, const char *name)
{
	complain("removed %s %s", what, name);
}

/* What the timer does under systemd. */
static void
reap_old(struct server *s)
{
	static struct config c;
	char why[512];
	pid_t pid;

	s->reaped_ms = sys_now_ms();
	pid = start_child(s, -1, -1);
	if (pid == 0) {
		if (config_read(&c, why, sizeof(why)) == 0)
			(void)reap_all(&c, false, say);
		_exit(0);
	}
	s->reaper = pid > 0 ? pid : 0;
}

static bool
forget_child(struct server *s, pid_t pid)
{
	for (unsigned i = 0; i < s->connections; i++) {
		if (s->children[i] == pid) {
			s->children[i] = s->children[--s->connections];
			return true;
		}
	}
	return false;
}

static void
bury_children(struct server *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->reaper) {
			s->reaper = 0;
			continue;
		}
		if (forget_child(s, pid))
			s->idle_since_ms = sys_now_ms();
		else if (!pool_bury(&s->pool, pid))
			continue; /* who held a network open: net_spare() */
		connection_bury("broker", status);
		/* The cgroup of its run may still be there. */
		if (WIFSIGNALED(status))
			s->reaped_ms = sys_now_ms() - REAP_MS;
	}
	pool_touch(&s->pool);
}

static void
take_signal(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			bury_children(s);
		else
			s->stopping = true;
	}
}

static void
sooner(int64_t *ms, int64_t other)
{
	if (other >= 0 && other < *ms)
		*ms = other;
}

/*
 * The moment from which on it has been idle for too long. Who has connected
 * and says nothing yet is no work, but would find its connection closed.
 */
static int64_t
idle_until_ms(const struct server *s)
{
	return s->idle_exit >= 0 && s->connections == 0 && s->waiting.count == 0
		   ? s->idle_since_ms + s->idle_exit * 1000
		   : INT64_MAX;
}

/* Milliseconds until something is to be done without a reason from outside. */
static int
next_ms(const struct server *s)
{
	uint64_t pool_us = pool_next_us(&s->pool, s->connections == 0);
	int64_t ms = REAP_MS, now = sys_now_ms();

	if (s->reaper == 0)
		ms = s->reaped_ms + REAP_MS - now;
	sooner(&ms, idle_until_ms(s) - now);
	if (wants_spare(s))
		sooner(&ms, 1);
	if (pool_us != UINT64_MAX)
		sooner(&ms, (int64_t)((pool_us + 999) / 1000));
	sooner(&ms, waiting_next_ms(&s->waiting));
	if (s->accept_ms > now)
		sooner(&ms, s->accept_ms - now);
	return ms > 0 ? (int)ms : 0;
}

void
server_run(struct server *s)
{
	struct pollfd fds[LISTEN_MAX + 3];
	int64_t now;

	while (!s->stopping) {
		bool accepts = sys_now_ms() >= s->accept_ms;
		int n = 0;

		fds[n++] =
		    (struct pollfd){ .fd = s->signals, .events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = pool_poll(&s->pool),
			.events = POLLIN };
		fds[n++] =
		    (struct pollfd){ .fd = is_full(s) ? -1 : s->waiting.epoll,
			    .events = POLLIN };
		for (int i = 0; i < s->count; i++)
			fds[n++] = (struct pollfd){
				.fd = accepts ? s->listeners[i].fd : -1,
				.events = POLLIN,
			};
		if (poll(fds, (nfds_t)n, next_ms(s)) < 0)
			continue;
		if (fds[2].revents != 0)
			take_waiting(s);
		for (int i = 0; i < s->count; i++) {
			if (fds[3 + i].revents != 0)
				accept_some(s, &s->listeners[i]);
		}
		if (fds[1].revents != 0)
			pool_take_word(&s->pool);
		/* After that: it may have been the last word of a dead one. */
		if (fds[0].revents != 0)
			take_signal(s);
		waiting_expire(&s->waiting);
		pool_check(&s->pool);
		build_one(s);
		now = sys_now_ms();
		if (s->reaper == 0 && now >= s->reaped_ms + REAP_MS)
			reap_old(s);
		if (now >= idle_until_ms(s))
			return;
	}
}

void
server_finish(struct server *s)
{
	server_close(s);
	waiting_drop(&s->waiting);
	pool_drop(&s->pool);
	for (unsigned i = 0; i < s->connections; i++)
		(void)kill(s->children[i], SIGTERM);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

int
server_prepare(struct server *s)
{
	static const int wanted[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;

	/* Where a caller ignores it no child's end would be seen. */
	(void)signal(SIGCHLD, SIG_DFL);
	/* Whoever read the log may have gone; requests still come. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		(void)sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, &s->mask_before) != 0)
		return -1;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->idle_since_ms = sys_now_ms();
	s->reaped_ms = s->idle_since_ms - REAP_MS;
	pool_init(&s->pool);
	lockdown_settle();
	return s->signals < 0 || waiting_init(&s->waiting, OWN_FILES) != 0 ? -1
									   : 0;
}
