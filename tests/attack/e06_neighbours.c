/*
 * E6: one sandbox's sockets, looked for in another one.
 *
 * argv: "listen" or "look". Listens on everything that has a name, or tries to
 * connect to it.
 */
#include "attack.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
inet_at(const char *address, int port, bool listens)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, address, &in.sin_addr);
	if (listens)
		tried(bind(fd, (struct sockaddr *)&in, sizeof(in)) == -1
			  ? -1
			  : listen(fd, 8),
		    "listen at %s:%d", address, port);
	else
		refused(connect(fd, (struct sockaddr *)&in, sizeof(in)),
		    "connect to %s:%d", address, port);
}

static void
unix_at(const char *name, int type, bool listens)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(sizeof(sa_family_t) + strlen(name));
	int fd = socket(AF_UNIX, type, 0);

	memcpy(un.sun_path, name, strlen(name));
	/* An abstract one has no file. */
	if (*name == '@')
		un.sun_path[0] = '\0';
	else
		len++;
	if (listens)
		tried(bind(fd, (struct sockaddr *)&un, len) == -1 ? -1
		      : type == SOCK_DGRAM			  ? 0
					   : listen(fd, 8),
		    "listen at %s", name);
	else
		refused(connect(fd, (struct sockaddr *)&un, len),
		    "connect to %s", name);
}

int
main(int argc, char *argv[])
{
	bool listens = argc == 2 && strcmp(argv[1], "listen") == 0;

	inet_at(listens ? "0.0.0.0" : "127.0.0.1", 80, listens);
	inet_at("127.0.0.3", 4711, listens);
	unix_at("@mayfly-neighbour", SOCK_STREAM, listens);
	unix_at("@mayfly-datagrams", SOCK_DGRAM, listens);
	unix_at("@mayfly-packets", SOCK_SEQPACKET, listens);
	unix_at("/tmp/neighbour", SOCK_STREAM, listens);
	unix_at("/dev/shm/neighbour", SOCK_STREAM, listens);
	unix_at("/run/shm/neighbour2", SOCK_DGRAM, listens);
	if (listens)
		hold();
	return verdict();
}
