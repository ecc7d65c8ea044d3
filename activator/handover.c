#include "handover.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

union rights {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

int
handover_send(int channel, int sock)
{
	struct iovec iov = { "", 1 };
	union rights u;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.space,
		.msg_controllen = sizeof(u.space) };

	memset(&u, 0, sizeof(u));
	u.head.cmsg_level = SOL_SOCKET;
	u.head.cmsg_type = SCM_RIGHTS;
	u.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&u.head), &sock, sizeof(int));
	return sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0
									: -1;
}

int
handover_receive(int channel)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union rights u;
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = u.space,
		.msg_controllen = sizeof(u.space) };
	ssize_t n;
	int sock;

	do
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != 1 || msg.msg_controllen < CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&sock, CMSG_DATA(&u.head), sizeof(sock));
	return sock;
}
