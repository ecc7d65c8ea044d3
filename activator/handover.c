#include "handover.h"

#include <sys/socket.h>

#include "rights.h"

int
handover_send(int channel, int sock)
{
	const struct iovec iov = { "", 1 };

	return rights_send(channel, &iov, 1, &sock, 1, MSG_DONTWAIT) == 1 ? 0
									  : -1;
}

int
handover_receive(int channel)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	int sock;

	return rights_receive(channel, &iov, 1, &sock, 1, 0) == 1 ? sock : -1;
}
