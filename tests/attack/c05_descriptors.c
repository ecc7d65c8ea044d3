/*
 * C5: descriptors: as many as can be had, and as many as can be put into
 * sockets in flight, where no process has them open.
 *
 * argv: open | flight | nested | raise
 */
#include "attack.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Above the limit of the tests, and nothing that a host would miss. */
#define MANY 1000

static int
send_fd(int sock, int fd)
{
	char byte = 0, buf[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = buf,
		.msg_controllen = sizeof(buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &m, MSG_DONTWAIT) == -1 ? -1 : 0;
}

static int
open_all(void)
{
	int n = 0;

	while (n < MANY && open("/dev/null", O_RDONLY) != -1)
		n++;
	return n;
}

/* Sent and closed, a file is open without counting against nofile. */
static int
in_flight(void)
{
	int n = 0, s[2] = { -1, -1 }, fd;

	while (n < MANY) {
		if (n % 200 == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == -1)
			break;
		fd = open("/dev/null", O_RDONLY);
		if (fd == -1 || send_fd(s[0], fd) == -1)
			break;
		close(fd);
		n++;
	}
	return n;
}

/* A socket that holds the one before it, and so on. */
static int
nested(void)
{
	int n = 0, s[2], before = -1;

	while (n < MANY && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0) {
		if (before != -1 && send_fd(s[0], before) == -1)
			break;
		close(before);
		close(s[0]);
		before = s[1];
		n++;
	}
	return n;
}

static int
raise_limit(void)
{
	struct rlimit rl;

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max + 1;
	rl.rlim_max = rl.rlim_cur;
	return setrlimit(RLIMIT_NOFILE, &rl) == 0 ? MANY : 0;
}

int
main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "";
	int n = -1;

	if (strcmp(how, "open") == 0)
		n = open_all();
	else if (strcmp(how, "flight") == 0)
		n = in_flight();
	else if (strcmp(how, "nested") == 0)
		n = nested();
	else if (strcmp(how, "raise") == 0)
		n = raise_limit();
	printf("%d %s\n", n, outcome(errno));
	return n >= MANY;
}
