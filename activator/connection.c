/*
 * Who does what with a request.
 *
 *	client <-> FRONT <-link-> BROKER --> sandbox
 *	             |                          |
 *	             '----------pipes-----------'
 *
 * The FRONT (front.c) is where a stranger's bytes are parsed: head, body,
 * JSON. It is locked down before it reads the first of them (lockdown.c): an
 * empty root, a user of its own, no capability, some twenty system calls.
 * What it makes of a request it tells the BROKER in one bounded message
 * (message.c); it carries the command's input and output itself, and writes
 * the response.
 *
 * The BROKER (broker.c) may do everything, and never reads what a client or a
 * command has written. One thing of strangers it does read: the lines that
 * skopeo says of a pull, in which are words of a registry's; they are text to
 * it, of which it keeps the printable part (puller.c). It decides who may call,
 * checks every value anew, and runs the sandbox. The front's death is the
 * client's: it ends the run.
 *
 * Both end with the request. Nothing of it is left in either for another. Only
 * the pull of an image, once it was accepted, the broker carries to its end
 * alone (puller.c).
 */
#include "connection.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "broker.h"
#include "command.h"
#include "front.h"
#include "handover.h"
#include "lockdown.h"
#include "log.h"
#include "prepared.h"
#include "state.h"
#include "sys.h"

static int
complain_about(const char *what, int error)
{
	struct log l;

	log_init(&l, LOG_ERR);
	log_word(&l, "connection", "failed");
	log_word(&l, "step", what);
	log_quoted(&l, "why", strerror(error));
	log_write(&l);
	return 1;
}

/* What a front is made with. */
struct start {
	char root[4096]; /* an empty directory */
	int link; /* to the broker */
	int sock; /* the client's, or -1 */
	int channel; /* else that comes over this: handover.h */
};

/* Its number is the lowest one free. */
static void
await_client(int channel)
{
	(void)close(FRONT_CLIENT);
	if (handover_receive(channel) != FRONT_CLIENT)
		_exit(0);
	(void)close(channel);
}

/*
 * Where there is no front, or none that is locked down: no byte of the client's
 * has been read, and none needs to be to tell it this. flags: those of recv(2).
 */
static void
refuse_all(int sock, int flags)
{
	static const char body[] =
	    "{\"code\":\"sandbox_failed\",\"message\":\"mayfly cannot work "
	    "here: its log says why\",\"request_id\":null}\n";
	const struct timeval wait = { .tv_sec = 1 };
	char buf[4096];
	int len = snprintf(buf, sizeof(buf),
	    "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
	    "%s",
	    sizeof(body) - 1, body);

	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)send(sock, buf, (size_t)len, MSG_NOSIGNAL | flags);
	(void)shutdown(sock, SHUT_WR);
	/* A close with unread data would take the answer away. */
	for (int i = 0; i < 16; i++) {
		if (recv(sock, buf, sizeof(buf), flags) <= 0)
			break;
	}
}

void
connection_refuse(int sock)
{
	refuse_all(sock, MSG_DONTWAIT);
}

/*
 * Who is told to stop is the broker, which then says so to the client: Ctrl-C
 * on the terminal of a server is heard by all of its processes.
 */
static void
leave_signals(void)
{
	static const int others[] = { SIGPIPE, SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		(void)signal(others[i], SIG_IGN);
}

/* The front's life. What goes wrong before it can answer is the log's. */
static noreturn void
be_front(const struct start *s, const char *id)
{
	const bool waits = s->sock < 0;
	/* At FRONT_CLIENT there is something else as long as there is none. */
	const int keep[] = { waits ? s->link : s->sock, s->link, s->channel };
	struct note n = { 0 };
	const char *step;
	char why[128];

	leave_signals();
	if (lockdown(s->root, keep, waits ? 3 : 2, &step) != 0) {
		(void)snprintf(why, sizeof(why), "the front's %s: %s", step,
		    strerror(errno));
		n.why = why;
		if (message_send(FRONT_LINK, MESSAGE_NOTE, &n, NULL, 0) != 0)
			(void)message_send(s->link, MESSAGE_NOTE, &n, NULL, 0);
		if (!waits)
			refuse_all(FRONT_CLIENT, 0);
		_exit(1);
	}
	if (waits)
		await_client(FRONT_LINK + 1);
	front_run(id);
}

void
connection_bury(const char *who, int status)
{
	char why[64];
	struct log l;

	if (!WIFSIGNALED(status))
		return;
	(void)snprintf(why, sizeof(why), "the %s died: %s", who,
	    strsignal(WTERMSIG(status)));
	log_init(&l, LOG_ERR);
	log_word(&l, "connection", "failed");
	log_quoted(&l, "why", why);
	log_write(&l);
}

/* Ends with the front: what is left of it is its exit. */
static void
reap_front(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return;
	}
	connection_bury("front", status);
}

/* The broker has no use for the client's socket, but its number is taken. */
static int
give_away(int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || (sock < 3 && dup2(null, sock) < 0))
		return -1;
	return close(sock < 3 ? null : sock);
}

/* inetd gives the connection as 1 and 2 as well: no log may go there. */
static void
spare_client(int sock)
{
	struct stat st, other;

	if (fstat(sock, &st) != 0)
		return;
	for (int fd = 1; fd <= 2; fd++) {
		if (fd == sock || fstat(fd, &other) != 0 ||
		    st.st_dev != other.st_dev || st.st_ino != other.st_ino)
			continue;
		auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0)
			(void)dup2(null, fd);
	}
}

/* 0 with the front's process and the link to it; or -1, and it is logged. */
static pid_t
start_front(struct start *s, struct broker *b)
{
	int pair[2];
	pid_t pid;

	if (state_random(b->request_id, SESSION_ID_LEN) != 0) {
		(void)complain_about("random", errno);
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		(void)complain_about("socketpair", errno);
		return -1;
	}
	s->link = pair[1];
	pid = fork();
	if (pid < 0)
		(void)complain_about("fork", errno);
	if (pid == 0)
		be_front(s, b->request_id);
	(void)close(pair[1]);
	b->link = pair[0];
	return pid;
}

/* Who is it? And a small answer is not held back for more to come. */
static int
meet_client(struct broker *b, int sock)
{
	const int one = 1;

	(void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return peer_read(sock, &b->peer) != 0 ? complain_about("peer", errno)
					      : 0;
}

/* Everything from the first byte on; pid is the front's. */
static int
serve(struct broker *b, pid_t pid, const struct config *c, const char *wrong)
{
	b->config = c;
	broker_serve(b, wrong);
	(void)close(b->link);
	reap_front(pid);
	if (b->prepared != NULL)
		prepared_drop(b->prepared);
	broker_finish(b);
	return 0;
}

int
connection_serve(int sock)
{
	static struct config config;
	static struct broker b;
	struct start s = { .sock = sock, .channel = -1 };
	char wrong[512];
	bool is_wrong;
	pid_t pid;

	is_wrong = config_read(&config, wrong, sizeof(wrong)) != 0;
	spare_client(sock);
	if (meet_client(&b, sock) != 0)
		return 1;
	if (lockdown_prepare(&config, s.root, sizeof(s.root)) != 0) {
		(void)complain_about(s.root, errno);
		refuse_all(sock, 0);
		return 1;
	}
	pid = start_front(&s, &b);
	if (pid < 0) {
		refuse_all(sock, 0);
		return 1;
	}
	if (give_away(sock) != 0)
		return complain_about("socket", errno);
	return serve(&b, pid, &config, is_wrong ? wrong : NULL);
}

/* Until a connection comes: it, or -1 where anything of this is no more. */
static int
await_connection(const struct broker *b, int channel)
{
	const struct prepared *p = b->prepared;
	struct pollfd fds[] = { { .fd = channel, .events = POLLIN },
		/* The front may have met the client first: only its end. */
		{ .fd = b->link, .events = 0 },
		{ .fd = p->there ? p->box.pidfd : -1, .events = POLLIN } };

	while (poll(fds, 3, -1) < 0)
		;
	if (fds[0].revents != 0)
		return handover_receive(channel);
	complain("ready: the %s ended before a connection came",
	    fds[1].revents != 0 ? "front" : "sandbox's first process");
	return -1;
}

int
connection_await(int channel, int front_channel)
{
	static struct config made_with, config;
	static struct prepared prepared;
	static struct broker b;
	struct start s = { .sock = -1, .channel = front_channel };
	char wrong[512];
	bool is_wrong;
	pid_t pid;
	int sock;

	/* What is wrong is told when there is somebody to tell. */
	if (config_read(&made_with, wrong, sizeof(wrong)) != 0 ||
	    lockdown_prepare(&made_with, s.root, sizeof(s.root)) != 0)
		return 1;
	pid = start_front(&s, &b);
	(void)close(front_channel);
	if (pid < 0)
		return 1;
	prepared_make(&prepared, &made_with);
	b.prepared = &prepared;
	sock = send(channel, "", 1, MSG_NOSIGNAL) == 1
		   ? await_connection(&b, channel)
		   : -1;
	if (sock < 0) {
		/* The front ends when the server hears of this one's end. */
		prepared_drop(&prepared);
		return 0;
	}
	is_wrong = config_read(&config, wrong, sizeof(wrong)) != 0;
	if (meet_client(&b, sock) != 0) {
		prepared_drop(&prepared);
		return 1;
	}
	(void)close(sock);
	return serve(&b, pid, &config, is_wrong ? wrong : NULL);
}
