#include "client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Sends the rest, and keeps what is answered until there is no more. */
static void
be_client(const struct client *c, int sock, int from)
{
	int to = open(c->answer, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	char buf[65536];
	ssize_t n;

	if (to < 0)
		err(2, "%s", c->answer);
	while ((n = read(from, buf, sizeof(buf))) > 0 &&
	       send(sock, buf, (size_t)n, MSG_NOSIGNAL) == n)
		;
	while ((n = read(sock, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) != n)
			err(2, "%s", c->answer);
	}
	_exit(0);
}

pid_t
client_start(const struct client *c, int *ret_listener)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), listener;
	static char buf[65536];
	ssize_t n;
	pid_t pid;
	int from;

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", c->socket);
	(void)unlink(c->socket);
	/* The socket is that user's to connect to, too. */
	if (seteuid(c->uid) != 0 ||
	    bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(listener, 16) != 0 ||
	    connect(sock, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    seteuid(getuid()) != 0)
		err(2, "%s", c->socket);
	(void)unlink(c->socket);
	/* There before the server is: else it would find something else to do,
	 * and its children would have other numbers. */
	from = open(c->request, O_RDONLY);
	n = from < 0 ? -1 : read(from, buf, sizeof(buf));
	if (n < 0 || send(sock, buf, (size_t)n, MSG_NOSIGNAL) != n)
		err(2, "%s", c->request);
	pid = fork();
	if (pid == 0) {
		(void)close(listener);
		be_client(c, sock, from);
	}
	(void)close(from);
	(void)close(sock);
	*ret_listener = listener;
	return pid;
}
