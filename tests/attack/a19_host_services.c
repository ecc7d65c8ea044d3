/*
 * A19: services of the host: abstract sockets, sockets with a path, loopback.
 *
 * argv: an abstract name, a path, a TCP port. All three listen outside.
 */
#include "attack.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long
to_unix(const char *name, int abstract, int type)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(name);

	memcpy(un.sun_path + abstract, name, n);
	return connect(socket(AF_UNIX, type, 0), (struct sockaddr *)&un,
	    offsetof(struct sockaddr_un, sun_path) + abstract + n);
}

static long
to_tcp(const char *address, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	inet_pton(AF_INET, address, &in.sin_addr);
	return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&in,
	    sizeof(in));
}

static long
to_tcp6(const char *address, int port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	inet_pton(AF_INET6, address, &in.sin6_addr);
	return connect(socket(AF_INET6, SOCK_STREAM, 0), (struct sockaddr *)&in,
	    sizeof(in));
}

static void
interfaces(void)
{
	struct ifaddrs *list, *i;

	if (getifaddrs(&list) == -1)
		return;
	for (i = list; i != NULL; i = i->ifa_next)
		if (strcmp(i->ifa_name, "lo") != 0)
			breach("an interface besides lo: %s", i->ifa_name);
}

int
main(int argc, char *argv[])
{
	int port = argc > 3 ? atoi(argv[3]) : 0;

	if (argc < 4)
		return 2;
	refused(to_unix(argv[1], 1, SOCK_STREAM), "abstract stream");
	refused(to_unix(argv[1], 1, SOCK_DGRAM), "abstract datagram");
	refused(to_unix(argv[2], 0, SOCK_STREAM), "path");
	refused(to_unix("/run/dbus/system_bus_socket", 0, SOCK_STREAM), "dbus");
	refused(to_unix("/run/systemd/private", 0, SOCK_STREAM), "systemd");
	refused(to_unix("/run/docker.sock", 0, SOCK_STREAM), "docker");
	refused(to_unix("/dev/log", 0, SOCK_DGRAM), "syslog");
	refused(to_tcp("127.0.0.1", port), "127.0.0.1");
	refused(to_tcp("0.0.0.0", port), "0.0.0.0");
	refused(to_tcp6("::1", port), "::1");
	refused(to_tcp("169.254.169.254", 80), "169.254.169.254");
	refused(to_tcp("10.0.0.1", 80), "10.0.0.1");
	refused(to_tcp("1.1.1.1", 53), "1.1.1.1");
	interfaces();
	return verdict();
}
