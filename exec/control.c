#include "control.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

int
control_send(int sock, const struct control *c, const int *fds, int n)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(CONTROL_FD_MAX * sizeof(int))];
	} u;
	struct iovec iov = { (void *)c, sizeof(*c) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n > 0) {
		memset(&u, 0, sizeof(u));
		msg.msg_control = u.space;
		msg.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		u.head.cmsg_level = SOL_SOCKET;
		u.head.cmsg_type = SCM_RIGHTS;
		u.head.cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(&u.head), fds, (size_t)n * sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == sizeof(*c) ? 0 : -1;
}

int
control_receive(int sock, struct control *c, int fds[CONTROL_FD_MAX], int wait)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(CONTROL_FD_MAX * sizeof(int))];
	} u;
	struct iovec iov = { c, sizeof(*c) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.space,
		/* Not sizeof: that is padded, and has room for one more. */
		.msg_controllen = CMSG_LEN(CONTROL_FD_MAX * sizeof(int)) };
	ssize_t n;

	memset(c, 0, sizeof(*c));
	for (int i = 0; i < CONTROL_FD_MAX; i++)
		fds[i] = -1;
	do
		n = recvmsg(
		    sock, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && (errno == EINTR ||
			    /* Told once, before what is still queued. */
			    errno == ECONNRESET));
	if (n <= 0)
		return (int)n;
	if (msg.msg_controllen >= CMSG_LEN(sizeof(int)) &&
	    u.head.cmsg_level == SOL_SOCKET && u.head.cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(&u.head), u.head.cmsg_len - CMSG_LEN(0));
	c->failure.step[sizeof(c->failure.step) - 1] = '\0';
	c->failure.detail[sizeof(c->failure.detail) - 1] = '\0';
	if (n != sizeof(*c) || (msg.msg_flags & MSG_TRUNC) != 0 ||
	    c->type >= CONTROL_MAX) {
		errno = EPROTO;
		return -1;
	}
	return 1;
}
