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
 * command has written. It decides who may call, checks every value anew, and
 * runs the sandbox. The front's death is the client's: it ends the run.
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
#include "front.h"
#include "lockdown.h"
#include "log.h"
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

/* The front's life. What goes wrong before it can answer is the log's. */
static noreturn void
be_front(const char *root, int sock, int link, const char *id)
{
	struct note n = { 0 };
	const char *step;
	char why[128];

	(void)signal(SIGPIPE, SIG_IGN);
	if (lockdown(root, (const int[]){ sock, link }, 2, &step) != 0) {
		(void)snprintf(why, sizeof(why), "the front's %s: %s", step,
		    strerror(errno));
		n.why = why;
		if (message_send(FRONT_LINK, MESSAGE_NOTE, &n, NULL, 0) != 0)
			(void)message_send(link, MESSAGE_NOTE, &n, NULL, 0);
		_exit(1);
	}
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

/*
 * Before there is a front: no byte of the client's has been read, and none
 * needs to be to tell it this.
 */
static void
refuse_all(int sock)
{
	static const char body[] =
	    "{\"code\":\"sandbox_failed\",\"message\":\"mayfly cannot work "
	    "here: its log says why\",\"request_id\":null}\n";
	char buf[4096];
	int len = snprintf(buf, sizeof(buf),
	    "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
	    "%s",
	    sizeof(body) - 1, body);

	(void)send(sock, buf, (size_t)len, MSG_NOSIGNAL);
	(void)shutdown(sock, SHUT_WR);
	/* A close with unread data would take the answer away. */
	while (recv(sock, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
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

int
connection_serve(int sock)
{
	const int one = 1;
	static struct config config;
	static struct broker b;
	char wrong[512], root[4096];
	bool is_wrong;
	int pair[2];
	pid_t pid;

	is_wrong = config_read(&config, wrong, sizeof(wrong)) != 0;
	spare_client(sock);
	/* A small answer is not held back for more to come. */
	(void)setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (peer_read(sock, &b.peer) != 0)
		return complain_about("peer", errno);
	if (state_random(b.request_id, SESSION_ID_LEN) != 0)
		return complain_about("random", errno);
	if (lockdown_prepare(&config, root, sizeof(root)) != 0) {
		(void)complain_about(root, errno);
		refuse_all(sock);
		return 1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return complain_about("socketpair", errno);
	pid = fork();
	if (pid < 0)
		return complain_about("fork", errno);
	if (pid == 0)
		be_front(root, sock, pair[1], b.request_id);
	(void)close(pair[1]);
	if (give_away(sock) != 0)
		return complain_about("socket", errno);
	b.link = pair[0];
	b.config = &config;
	broker_serve(&b, is_wrong ? wrong : NULL);
	(void)close(b.link);
	reap_front(pid);
	broker_finish(&b);
	return 0;
}
