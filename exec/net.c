#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "inside.h"
#include "sys.h"

/* Brings lo up in the network namespace of this process. 0 or -1/errno. */
static int
bring_lo_up(void)
{
	struct ifreq lo = { .ifr_flags = IFF_UP | IFF_RUNNING };
	auto_fd sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(lo.ifr_name, "lo", 3);
	return sock < 0 ? -1 : ioctl(sock, SIOCSIFFLAGS, &lo);
}

int
net_lend(int control, struct failure *f)
{
	struct control c = { .type = CONTROL_NET };
	auto_fd net = -1;

	if (unshare(CLONE_NEWNET) != 0)
		return failure_set(f, "network", errno, "unshare");
	net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (net < 0)
		return failure_set(f, "network", errno, "open");
	/* A sandbox that has ended by now has said why. */
	if (control_send(control, &c, &net, 1) != 0)
		return 0;
	/*
	 * While the kernel takes down the network of an earlier run this
	 * waits for a lock; the sandbox meanwhile goes on to the step that
	 * needs an answer of ours.
	 */
	if (bring_lo_up() != 0)
		return failure_set(f, "network", errno, "bring lo up");
	return 0;
}

/* The one that the supervisor has made meanwhile. */
static int
borrow(struct inside *in)
{
	int fds[CONTROL_FD_MAX];
	struct control c = { 0 };

	if (control_receive(in->control, &c, fds, 1) != 1 ||
	    c.type != CONTROL_NET)
		return -1;
	auto_fd net = fds[0];
	return setns(net, CLONE_NEWNET);
}

int
net_make(struct inside *in)
{
#ifdef MUTATE_NETNS
	(void)borrow;
	return 0;
#endif
	if (in->ids->mode == IDS_LEASED) {
		if (borrow(in) != 0)
			return inside_fail(in, "setns");
	} else if (bring_lo_up() != 0) {
		return inside_fail(in, "bring lo up");
	}
	/* No user inside has CAP_NET_BIND_SERVICE. */
	if (ids_write(
		in->proc, "sys/net/ipv4/ip_unprivileged_port_start", "0") != 0)
		return inside_fail(in, "ip_unprivileged_port_start");
	return 0;
}
