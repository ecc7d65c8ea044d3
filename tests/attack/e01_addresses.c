/*
 * E1, E4: addresses that lead to the host, to the metadata services of clouds,
 * to private networks, by TCP, UDP and ICMP. In a network of its own there is
 * none of them; what is the sandbox's own refuses.
 */
#include "attack.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const foreign[] = { "169.254.169.254", "169.254.170.2",
	"169.254.169.253", "100.100.100.200", "192.0.0.192", "168.63.129.16",
	"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.17.0.1", "172.31.0.1",
	"192.168.0.1", "192.168.65.7", "192.168.122.1", "100.64.0.1",
	"198.18.0.1", "203.0.113.1", "1.1.1.1", "8.8.8.8", "224.0.0.1",
	"239.255.255.250", "255.255.255.255", "10.77.0.1", "0.0.0.1",
	"240.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "::2",
	"fd00:ec2::254", "fd77::1", "fc00::1", "fe80::1", "2001:db8::1",
	"2606:4700:4700::1111", "64:ff9b::a9fe:a9fe", "ff02::1", "ff02::2",
	"ff05::1", "2002:a9fe:a9fe::", "ff0e::1" };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t
parse(const char *text, int port, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->in.sin_addr) == 1) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons((uint16_t)port);
		return sizeof(ret->in);
	}
	inet_pton(AF_INET6, text, &ret->in6.sin6_addr);
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons((uint16_t)port);
	/* The only interface there is. */
	if (strncmp(text, "f", 1) == 0)
		ret->in6.sin6_scope_id = 1;
	return sizeof(ret->in6);
}

static void
reach(const char *text, const char *how, int type, int protocol)
{
	static const char packet[16] = { 8 };
	union address to;
	socklen_t len = parse(text, 80, &to);
	int fd, broadcast = 1;
	long r;

	if (protocol == IPPROTO_ICMP && to.any.sa_family == AF_INET6)
		protocol = IPPROTO_ICMPV6;
	fd = socket(to.any.sa_family, type, protocol);
	if (fd == -1) {
		refused(-1, "%s by %s: no socket", text, how);
		return;
	}
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_BROADCAST, &broadcast, sizeof(broadcast));
	if (type == SOCK_STREAM)
		r = connect(fd, &to.any, len);
	else
		r = sendto(
		    fd, packet, sizeof(packet), MSG_DONTWAIT, &to.any, len);
	refused(r, "%s by %s", text, how);
	close(fd);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		reach(foreign[i], "TCP", SOCK_STREAM, 0);
		reach(foreign[i], "UDP", SOCK_DGRAM, 0);
		reach(foreign[i], "ICMP", SOCK_DGRAM, IPPROTO_ICMP);
	}
	return verdict();
}
