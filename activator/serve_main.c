#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "command.h"
#include "config.h"
#include "connection.h"
#include "listen.h"
#include "pool.h"
#include "reap.h"
#include "verdict.h"

/* Connections at once, as mayfly.socket has it; the others wait. */
#define CONNECTIONS_MAX 1024
#define REAP_SECONDS 60
#define DEFAULT_ADDRESS "127.0.0.1:8080"
#define IDLE_MAX 31536000

static const char usage[] =
    "usage: mayfly serve [--listen HOST:PORT | --listen PATH]...\n"
    "                    [--idle-exit SECONDS]\n\n"
    "Accepts connections and serves one request of each, without systemd or\n"
    "on the sockets that it passes. The default is " DEFAULT_ADDRESS ".\n\n"
    "  --listen WHERE       HOST:PORT with the address in numbers, or a path;\n"
    "                       can be given 16 times\n"
    "  --idle-exit SECONDS  end after so long without work\n\n"
    "See mayfly-activator(8).\n";

struct server {
	const char *wanted[LISTEN_MAX]; /* --listen */
	int wanted_count;
	struct listener listeners[LISTEN_MAX];
	int count;
	long idle_exit; /* seconds, or -1 */
	int signals; /* signalfd */
	sigset_t mask_before;
	pid_t children[CONNECTIONS_MAX]; /* each serves a connection */
	unsigned connections; /* how many there are */
	struct pool pool;
	pid_t reaper; /* the child that reaps, or 0 */
	time_t idle_since, reaped_at; /* CLOCK_MONOTONIC */
	bool stopping;
};

static time_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void
close_all(struct server *s, bool remove)
{
	for (int i = 0; i < s->count; i++) {
		if (remove)
			listen_close(&s->listeners[i]);
		else
			(void)close(s->listeners[i].fd);
	}
	s->count = 0;
}

/* A child of the server's, which ends with it. 0 in the child. */
static pid_t
start_child(struct server *s)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close_all(s, false);
	pool_drop(&s->pool);
	(void)close(s->signals);
	(void)sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
	return 0;
}

static void
accept_one(struct server *s, const struct listener *l)
{
	int sock = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (sock < 0) {
		/* What is not the client's doing does not end by itself. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			complain("serve: accept: %s", strerror(errno));
		return;
	}
	pool_check(&s->pool);
	pid = pool_hand_over(&s->pool, sock);
	if (pid < 0)
		pid = start_child(s);
	if (pid == 0)
		_exit(connection_serve(sock));
	pool_touch(&s->pool);
	if (pid < 0)
		complain("serve: fork: %s", strerror(errno));
	else
		s->children[s->connections++] = pid;
	(void)close(sock);
}

static pid_t
start_member(void *context)
{
	return start_child(context);
}

/* One more that is ready for a connection, where there is nothing to do. */
static void
build_one(struct server *s)
{
	const struct member *m = &s->pool.members[s->pool.count];

	if (pool_next_us(&s->pool, s->connections == 0) == 0 &&
	    pool_start(&s->pool, start_member, s) == 0)
		_exit(connection_await(m->broker, m->front));
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

	s->reaped_at = now();
	pid = start_child(s);
	if (pid == 0) {
		if (config_read(&c, why, sizeof(why)) == 0)
			(void)reap_all(&c, false, say);
		_exit(0);
	}
	s->reaper = pid > 0 ? pid : 0;
}

static void
forget_child(struct server *s, pid_t pid)
{
	for (unsigned i = 0; i < s->connections; i++) {
		if (s->children[i] == pid) {
			s->children[i] = s->children[--s->connections];
			return;
		}
	}
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
		if (!pool_bury(&s->pool, pid))
			forget_child(s, pid);
		connection_bury("broker", status);
		/* The cgroup of its run may still be there. */
		if (WIFSIGNALED(status))
			s->reaped_at = now() - REAP_SECONDS;
	}
	pool_touch(&s->pool);
	if (s->connections == 0)
		s->idle_since = now();
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

/* Milliseconds until something is to be done without a reason from outside. */
static int
next_ms(const struct server *s)
{
	uint64_t pool_us = pool_next_us(&s->pool, s->connections == 0);
	time_t left = s->reaped_at + REAP_SECONDS - now();

	if (s->reaper != 0)
		left = REAP_SECONDS;
	if (s->idle_exit >= 0 && s->connections == 0) {
		time_t idle = s->idle_since + s->idle_exit - now();

		if (idle < left)
			left = idle;
	}
	if (left <= 0)
		return 0;
	if (pool_us / 1000 < (uint64_t)left * 1000)
		return (int)((pool_us + 999) / 1000);
	return (int)left * 1000;
}

static void
serve(struct server *s)
{
	struct pollfd fds[LISTEN_MAX + 2];

	while (!s->stopping) {
		bool full = s->connections >= CONNECTIONS_MAX;

		fds[0] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
		for (int i = 0; i < s->count; i++)
			fds[i + 1] =
			    (struct pollfd){ .fd =
						 full ? -1 : s->listeners[i].fd,
				    .events = POLLIN };
		fds[s->count + 1] = (struct pollfd){ .fd = pool_poll(&s->pool),
			.events = POLLIN };
		if (poll(fds, (nfds_t)s->count + 2, next_ms(s)) < 0)
			continue;
		for (int i = 0; i < s->count; i++) {
			if (fds[i + 1].revents != 0)
				accept_one(s, &s->listeners[i]);
		}
		if (fds[s->count + 1].revents != 0)
			pool_take_word(&s->pool);
		/* Also of that one, if it has ended. */
		if (fds[0].revents != 0)
			take_signal(s);
		build_one(s);
		if (s->reaper == 0 && now() >= s->reaped_at + REAP_SECONDS)
			reap_old(s);
		if (s->idle_exit >= 0 && s->connections == 0 &&
		    now() >= s->idle_since + s->idle_exit)
			return;
	}
}

/* What is still going on is told to end, and has its verdict. */
static void
finish(struct server *s)
{
	close_all(s, true);
	pool_drop(&s->pool);
	for (unsigned i = 0; i < s->connections; i++)
		(void)kill(s->children[i], SIGTERM);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* One option, with its value behind '=' or as the next word. */
static int
parse_option(struct server *s, char **argv, int *i, char *why, size_t size)
{
	char *word = argv[*i], *value = strchr(word, '='), *end;
	size_t len = value != NULL ? (size_t)(value - word) : strlen(word);
	bool listens = len == 8 && strncmp(word, "--listen", len) == 0;

	if (!listens && (len != 11 || strncmp(word, "--idle-exit", len) != 0)) {
		(void)snprintf(why, size, "unknown option '%.80s'", word);
		return -1;
	}
	if (value != NULL)
		value++;
	else if (argv[*i + 1] != NULL)
		value = argv[++*i];
	if (value == NULL || *value == '\0') {
		(void)snprintf(why, size, "%.*s needs a value", (int)len, word);
		return -1;
	}
	if (listens) {
		if (s->wanted_count == LISTEN_MAX) {
			(void)snprintf(why, size, "more than %d times --listen",
			    LISTEN_MAX);
			return -1;
		}
		if (!listen_is_place(value)) {
			(void)snprintf(why, size,
			    "--listen: '%.120s' is neither HOST:PORT, with the "
			    "address in numbers, nor a path",
			    value);
			return -1;
		}
		s->wanted[s->wanted_count++] = value;
		return 0;
	}
	s->idle_exit = strtol(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || s->idle_exit < 1 ||
	    s->idle_exit > IDLE_MAX) {
		(void)snprintf(why, size,
		    "--idle-exit: '%.40s' is not a number of seconds from 1 "
		    "to %d",
		    value, IDLE_MAX);
		return -1;
	}
	return 0;
}

/* What systemd passed, and what was asked for; else the default. */
static int
listen_all(struct server *s, char *why, size_t size)
{
	s->count = listen_inherit(s->listeners, why, size);
	if (s->count < 0)
		return -1;
	if (s->count == 0 && s->wanted_count == 0)
		s->wanted[s->wanted_count++] = DEFAULT_ADDRESS;
	if (s->count + s->wanted_count > LISTEN_MAX) {
		(void)snprintf(
		    why, size, "listen: more than %d sockets", LISTEN_MAX);
		return -1;
	}
	for (int i = 0; i < s->wanted_count; i++) {
		if (listen_on(
			&s->listeners[s->count], s->wanted[i], why, size) != 0)
			return -1;
		s->count++;
	}
	for (int i = 0; i < s->count; i++)
		complain("listening on %s", s->listeners[i].text);
	return 0;
}

static int
prepare(struct server *s)
{
	static const int wanted[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;

	/* Where a caller ignores it no child's end would be seen. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		(void)sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, &s->mask_before) != 0)
		return -1;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->idle_since = now();
	s->reaped_at = now() - REAP_SECONDS;
	return s->signals < 0 ? -1 : 0;
}

int
serve_main(int argc, char **argv)
{
	static struct server s = { .idle_exit = -1 };
	static struct config c;
	char why[512];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)fputs(usage, stdout);
			return 0;
		}
		if (parse_option(&s, argv, &i, why, sizeof(why)) != 0) {
			complain("serve: %s", why);
			return EXIT_USAGE;
		}
	}
	/* Each request reads it anew; here it is told at once what is wrong. */
	if (config_read(&c, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	if (prepare(&s) != 0) {
		complain("serve: %s", strerror(errno));
		return EXIT_OWN;
	}
	cgroup_settle();
	pool_init(&s.pool);
	if (listen_all(&s, why, sizeof(why)) != 0) {
		complain("%s", why);
		close_all(&s, true);
		return EXIT_OWN;
	}
	serve(&s);
	finish(&s);
	return 0;
}
