#include "listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4096
#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static int
fail(char *why, size_t size, const char *where, const char *what)
{
	(void)snprintf(why, size, "listen: %.200s: %s", where, what);
	return -1;
}

/* Reads "1.2.3.4:80", "[::1]:80" or "localhost:80"; its length or 0. */
static socklen_t
parse_address(const char *where, union address *a)
{
	const char *colon = strrchr(where, ':');
	char host[64], *end;
	unsigned long port;
	size_t len;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return 0;
	port = strtoul(colon + 1, &end, 10);
	len = (size_t)(colon - where);
	if (*end != '\0' || port > 65535 || len >= sizeof(host))
		return 0;
	memcpy(host, where, len);
	host[len] = '\0';
	memset(a, 0, sizeof(*a));
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host + 1, &a->in6.sin6_addr) == 1
			   ? sizeof(a->in6)
			   : 0;
	}
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET,
		   strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
		   &a->in.sin_addr) == 1
		   ? sizeof(a->in)
		   : 0;
}

/* What the kernel chose for port 0 is worth knowing. */
static void
describe(struct listener *l)
{
	union address a;
	socklen_t n = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "?";
	bool v6;

	memset(&a, 0, sizeof(a));
	if (getsockname(l->fd, &a.any, &n) != 0)
		return;
	if (a.any.sa_family == AF_UNIX) {
		(void)snprintf(l->text, sizeof(l->text), "%s", a.un.sun_path);
		return;
	}
	v6 = a.any.sa_family == AF_INET6;
	(void)inet_ntop(a.any.sa_family,
	    v6 ? (const void *)&a.in6.sin6_addr : &a.in.sin_addr, host,
	    sizeof(host));
	(void)snprintf(l->text, sizeof(l->text), v6 ? "[%s]:%u" : "%s:%u", host,
	    ntohs(v6 ? a.in6.sin6_port : a.in.sin_port));
}

/* A socket file without a listener is what a crash has left. */
static bool
is_abandoned(const union address *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;
	struct stat st;

	if (fd < 0 || lstat(a->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	r = connect(fd, &a->any, sizeof(a->un)) != 0 && errno == ECONNREFUSED;
	(void)close(fd);
	return r;
}

static int
listen_path(struct listener *l, const char *where, char *why, size_t size)
{
	union address a = { .un = { .sun_family = AF_UNIX } };
	struct stat st;
	mode_t old;
	int r;

	if (strlen(where) >= sizeof(a.un.sun_path))
		return fail(why, size, where, "too long for a socket's path");
	(void)strcpy(a.un.sun_path, where);
	if (is_abandoned(&a))
		(void)unlink(where);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Its mode is who may call: the owner and the group. */
	old = umask(0117);
	r = l->fd < 0 ? -1 : bind(l->fd, &a.any, sizeof(a.un));
	(void)umask(old);
	if (r != 0 || listen(l->fd, BACKLOG) != 0 || lstat(where, &st) != 0)
		return fail(why, size, where, strerror(errno));
	(void)strcpy(l->path, where);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

bool
listen_is_place(const char *where)
{
	union address a;

	return strchr(where, '/') != NULL
		   ? strlen(where) < sizeof(a.un.sun_path)
		   : parse_address(where, &a) > 0;
}

int
listen_on(struct listener *l, const char *where, char *why, size_t size)
{
	union address a;
	socklen_t n;
	int one = 1;

	*l = (struct listener){ .fd = -1 };
	if (strchr(where, '/') != NULL) {
		if (listen_path(l, where, why, size) != 0)
			return -1;
		describe(l);
		return 0;
	}
	n = parse_address(where, &a);
	if (n == 0)
		return fail(why, size, where,
		    "neither HOST:PORT, with the address in numbers, nor a "
		    "path");
	l->fd = socket(
	    a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A small answer is not held back for more to come. */
	if (l->fd < 0 ||
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) !=
		0 ||
	    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) !=
		0 ||
	    bind(l->fd, &a.any, n) != 0 || listen(l->fd, BACKLOG) != 0)
		return fail(why, size, where, strerror(errno));
	describe(l);
	return 0;
}

int
listen_inherit(struct listener *all, char *why, size_t size)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int n, listens;
	socklen_t len = sizeof(listens);

	if (pid == NULL || fds == NULL || atol(pid) != (long)getpid())
		return 0;
	n = atoi(fds);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (n < 0 || n > LISTEN_MAX)
		return fail(why, size, "LISTEN_FDS", "too many sockets");
	for (int i = 0; i < n; i++) {
		struct listener *l = &all[i];

		*l = (struct listener){ .fd = FIRST_FD + i };
		if (getsockopt(l->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens,
			&len) != 0 ||
		    !listens)
			return fail(why, size, "LISTEN_FDS",
			    "not a listening socket; with Accept=yes it is "
			    "mayfly activate");
		(void)fcntl(l->fd, F_SETFD, FD_CLOEXEC);
		(void)fcntl(l->fd, F_SETFL, O_NONBLOCK);
		describe(l);
	}
	return n;
}

void
listen_close(struct listener *l)
{
	struct stat st;

	/* While it is open nobody takes it for abandoned and puts his there. */
	if (*l->path != '\0' && lstat(l->path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(l->path);
	(void)close(l->fd);
}
