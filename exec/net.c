#include <sys/ioctl.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "sys.h"

int
net_make(struct inside *in)
{
	struct ifreq lo = { .ifr_flags = IFF_UP | IFF_RUNNING };
	auto_fd sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(lo.ifr_name, "lo", 3);
	if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &lo) != 0)
		return inside_fail(in, "bring lo up");
	/* No user inside has CAP_NET_BIND_SERVICE. */
	if (ids_write(in->proc, "sys/net/ipv4/ip_unprivileged_port_start",
		"0") != 0)
		return inside_fail(in, "ip_unprivileged_port_start");
	return 0;
}
