#include "control.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "rights.h"

int
control_send(int sock, const struct control *c, const int *fds, int n)
{
	struct iovec iov = { (void *)c, sizeof(*c) };

	return rights_send(sock, &iov, 1, fds, n, 0) == sizeof(*c) ? 0 : -1;
}

int
control_receive(int sock, struct control *c, int fds[CONTROL_FD_MAX], int wait)
{
	struct iovec iov = { c, sizeof(*c) };
	ssize_t n;

	memset(c, 0, sizeof(*c));
	do
		n = rights_receive(sock, &iov, 1, fds, CONTROL_FD_MAX,
		    wait ? 0 : MSG_DONTWAIT);
	while (n < 0 && errno == ECONNRESET); /* told once, before the rest */
	if (n <= 0)
		return (int)n;
	c->failure.step[sizeof(c->failure.step) - 1] = '\0';
	c->failure.detail[sizeof(c->failure.detail) - 1] = '\0';
	if (n != sizeof(*c) || c->type >= CONTROL_MAX) {
		errno = EPROTO;
		return -1;
	}
	return 1;
}
