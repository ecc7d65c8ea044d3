#include "rights.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

union space {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
};

ssize_t
rights_send(int sock, const struct iovec *iov, size_t n_iov, const int *fds,
    int n, int flags)
{
	const size_t size = (size_t)n * sizeof(int);
	struct msghdr msg = { .msg_iov = (struct iovec *)iov,
		.msg_iovlen = n_iov };
	union space u;
	ssize_t sent;

	if (n > 0) {
		memset(&u, 0, sizeof(u));
		msg.msg_control = u.bytes;
		msg.msg_controllen = CMSG_SPACE(size);
		u.head.cmsg_level = SOL_SOCKET;
		u.head.cmsg_type = SCM_RIGHTS;
		u.head.cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(&u.head), fds, size);
	}
	do
		sent = sendmsg(sock, &msg, flags | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* The kernel puts those of one message into one block, and it is the first. */
static void
take(const struct msghdr *msg, const union space *u, int *fds, int max)
{
	size_t size;

	for (int i = 0; i < max; i++)
		fds[i] = -1;
	if (msg->msg_controllen < CMSG_LEN(sizeof(int)) ||
	    u->head.cmsg_level != SOL_SOCKET || u->head.cmsg_type != SCM_RIGHTS)
		return;
	size = u->head.cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(&u->head), size);
}

ssize_t
rights_receive(
    int sock, struct iovec *iov, size_t n_iov, int *fds, int max, int flags)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_iov };
	union space u;
	ssize_t n;

	msg.msg_control = u.bytes;
	/* Not what CMSG_SPACE() says: that is padded, and may have room for
	 * one more. */
	msg.msg_controllen = CMSG_LEN((size_t)max * sizeof(int));
	do
		n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		msg.msg_controllen = 0;
	take(&msg, &u, fds, max);
	if (n >= 0 && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		for (int i = 0; i < max; i++) {
			if (fds[i] >= 0)
				(void)close(fds[i]);
			fds[i] = -1;
		}
		errno = EPROTO;
		return -1;
	}
	return n;
}
