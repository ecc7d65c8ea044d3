/*
 * Outside helper: listens on an abstract name (streams and datagrams), a path
 * and a TCP port of every address, prints the port, and then the word
 * "connected" for each connection or datagram.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
on_unix(const char *name, int abstract, int type)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, type, 0);

	memcpy(un.sun_path + abstract, name, strlen(name));
	if (bind(s, (struct sockaddr *)&un,
		offsetof(struct sockaddr_un, sun_path) + abstract +
		    strlen(name)) == -1)
		return -1;
	if (type == SOCK_STREAM)
		(void)listen(s, 8);
	return s;
}

static int
on_tcp(void)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(in);
	int s = socket(AF_INET6, SOCK_STREAM, 0);

	if (bind(s, (struct sockaddr *)&in, len) == -1 || listen(s, 8) == -1 ||
	    getsockname(s, (struct sockaddr *)&in, &len) == -1)
		return -1;
	printf("%d\n", ntohs(in.sin6_port));
	fflush(stdout);
	return s;
}

int
main(int argc, char *argv[])
{
	struct pollfd p[4];

	if (argc != 3)
		return 2;
	p[0].fd = on_unix(argv[1], 1, SOCK_STREAM);
	p[1].fd = on_unix(argv[2], 0, SOCK_STREAM);
	p[2].fd = on_unix(argv[1], 1, SOCK_DGRAM);
	p[3].fd = on_tcp();
	for (int i = 0; i < 4; i++)
		p[i].events = POLLIN;
	while (poll(p, 4, -1) > 0)
		for (int i = 0; i < 4; i++)
			if (p[i].revents != 0) {
				char byte;

				puts("connected");
				fflush(stdout);
				if (i == 2)
					(void)!read(p[i].fd, &byte, 1);
				else
					close(accept(p[i].fd, NULL, NULL));
			}
	return 0;
}
