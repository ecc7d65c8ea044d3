/*
 * A15: socket families, types and protocols, each argument also with a bit
 * above its 32: a rule that compares 64 bits misses those, the kernel does not
 * see them.
 *
 * Prints one line a family and type; "0-45" families, all types the kernel
 * knows, eight protocols, five ways to set the high bit.
 */
#include "attack.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAMILIES 46
#define TYPES 6
#define WAYS 5 /* no high bit; in the family; type; protocol; in all */

static const int protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP, 33, 115, 132, 136,
	IPPROTO_MPTCP };

#define PROTOCOLS ((int)(sizeof(protocols) / sizeof(*protocols)))

static long made, asked;

static int
attempt(int family, int type, int protocol, int way)
{
	uint64_t f = family, t = type, p = protocol;
	int fd;

	if (way == 1 || way == 4)
		f = HIGH(f);
	if (way == 2 || way == 4)
		t = HIGH(t);
	if (way == 3 || way == 4)
		p = HIGH(p);
	asked++;
	fd = syscall(SYS_socket, f, t, p);
	if (fd == -1)
		return errno;
	made++;
	close(fd);
	return 0;
}

/* One outcome for all, or the outcome by protocol. */
static void
row(int family, int type)
{
	int out[PROTOCOLS], same = 1, other;

	for (int i = 0; i < PROTOCOLS; i++) {
		out[i] = attempt(family, type, protocols[i], 0);
		same = same && out[i] == out[0];
		for (int way = 1; way < WAYS; way++) {
			other = attempt(family, type, protocols[i], way);
			if (other == 0 && out[i] != 0)
				breach("family %d type %d protocol %d opened "
				       "with high bits, way %d",
				    family, type, protocols[i], way);
		}
	}
	printf("%d %d:", family, type);
	if (same)
		printf(" %s", outcome(out[0]));
	for (int i = 0; i < PROTOCOLS && !same; i++)
		printf(" %d=%s", protocols[i], outcome(out[i]));
	putchar('\n');
}

static void
table(void)
{
	for (int family = 0; family < FAMILIES; family++)
		for (int type = 1; type <= TYPES; type++)
			row(family, type);
	printf("asked %ld, made %ld\n", asked, made);
}

static void
netlink(void)
{
	for (int protocol = 0; protocol < 32; protocol++) {
		tried(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, protocol),
		    "netlink raw %d", protocol);
		tried(syscall(SYS_socket, AF_NETLINK, SOCK_DGRAM, protocol),
		    "netlink dgram %d", protocol);
	}
}

static void
others(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), pair[2];

	refused(syscall(SYS_socket, AF_INET, SOCK_PACKET, 0x300), "packet");
	refused(syscall(SYS_socket, 1 << 16, SOCK_STREAM, 0), "family 65536");
	refused(syscall(SYS_socket, -1, SOCK_STREAM, 0), "family -1");
	refused(syscall(SYS_socketpair, AF_TIPC, SOCK_STREAM, 0, pair),
	    "socketpair tipc");
	refused(syscall(SYS_socketpair, HIGH(AF_TIPC), SOCK_STREAM, 0, pair),
	    "socketpair tipc + 1<<32");
	refused(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3), "TCP_ULP tls");
	refused(syscall(SYS_setsockopt, fd, HIGH(SOL_TCP), HIGH(TCP_ULP),
		    "espintcp", 8),
	    "TCP_ULP espintcp + 1<<32");
	refused(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &fd, sizeof(fd)),
	    "SO_RCVBUFFORCE");
	/* Without bpf(2) there is no program to attach. */
	refused(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)),
	    "SO_ATTACH_BPF");
	refused(
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &fd, sizeof(fd)), "SO_MARK");
	tried(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair unix");
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "netlink") == 0)
		netlink();
	else if (argc == 2 && strcmp(argv[1], "others") == 0)
		others();
	else
		table();
	return verdict();
}
