#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "inside.h"
#include "net.h"
#include "sys.h"

/* Who makes one for others does not wait longer: others wait for it. */
#define SPARE_MS 100

/* Brings lo up in the network namespace of this process. 0 or -1/errno. */
static int
bring_lo_up(void)
{
	struct ifreq lo = { .ifr_flags = IFF_UP | IFF_RUNNING };
	auto_fd sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(lo.ifr_name, "lo", 3);
	return sock < 0 ? -1 : ioctl(sock, SIOCSIFFLAGS, &lo);
}

static bool
is_net_admin(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	/* Not to be told is no lack: see ids_privileged(). */
	return syscall(SYS_capget, &head, data) != 0 ||
	       (data[0].effective & (1U << CAP_NET_ADMIN)) != 0;
}

/* This process is in one that a sandbox was built with, and nothing ran in. */
static bool is_unused;
/* The one it was in before, or -1. */
static int home = -1;
/* Empty ones for whoever has the lock. */
static int spares[NET_SPARES_MAX];
static size_t spare_count;

void
net_keep(void)
{
	is_unused = is_net_admin();
}

void
net_remember(void)
{
	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

void
net_return(void)
{
	is_unused = false;
	if (home >= 0)
		(void)setns(home, CLONE_NEWNET);
}

/* In a new process: stays in a new one until the other end is closed. */
static noreturn void
be_spare(int link)
{
	char byte;

	if (unshare(CLONE_NEWNET) != 0 || bring_lo_up() != 0 ||
	    write(link, "", 1) != 1)
		_exit(1);
	(void)!read(link, &byte, 1);
	_exit(0);
}

bool
net_spare(void)
{
	char path[40], byte;
	int pair[2], fd = -1;
	struct pollfd p = { .events = POLLIN };
	pid_t child;

	if (spare_count == NET_SPARES_MAX || !is_net_admin() ||
	    !ids_privileged() ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	child = fork();
	if (child == 0) {
		(void)close(pair[0]);
		be_spare(pair[1]);
	}
	(void)close(pair[1]);
	p.fd = pair[0];
	if (child > 0 && poll(&p, 1, SPARE_MS) == 1 &&
	    read(pair[0], &byte, 1) == 1) {
		(void)snprintf(
		    path, sizeof(path), "/proc/%d/ns/net", (int)child);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	(void)close(pair[0]);
	/* It ends now; where it cannot yet it is reaped as the others are. */
	if (child > 0 && fd < 0)
		(void)kill(child, SIGKILL);
	if (fd >= 0)
		spares[spare_count++] = fd;
	return fd >= 0;
}

size_t
net_spares(const int **ret)
{
	*ret = spares;
	return spare_count;
}

/* Opened anew: the lock is this process's then, and goes with it. */
static int
take_spare(void)
{
	char path[40];
	int fd;

	for (size_t i = 0; i < spare_count; i++) {
		(void)snprintf(
		    path, sizeof(path), "/proc/self/fd/%d", spares[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (fd >= 0)
			(void)close(fd);
	}
	return -1;
}

static int
send_net(int control, int net, struct failure *f)
{
	const struct control c = { .type = CONTROL_NET };

	/* A sandbox that has ended by now has said why. */
	if (control_send(control, &c, &net, 1) != 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		return failure_set(f, "network", errno, "send");
	return 0;
}

/* Enters a new one and sends it. The flags are more namespaces to make. */
static int
make_and_send(int control, int flags, struct failure *f)
{
	auto_fd net = -1;
	bool again = is_unused;

	is_unused = false;
	if (!again && unshare(CLONE_NEWNET | flags) != 0)
		return failure_set(f, "network", errno, "unshare");
	net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (net < 0)
		return failure_set(f, "network", errno, "open");
	if (send_net(control, net, f) != 0)
		return -1;
	/*
	 * While the kernel takes down the network of an earlier run this
	 * waits for a lock; the sandbox meanwhile goes on to the step that
	 * needs an answer of ours.
	 */
	if (!again && bring_lo_up() != 0)
		return failure_set(f, "network", errno, "bring lo up");
	return 0;
}

/*
 * The maker of a user namespace has every capability over it and what it owns,
 * also from outside. The one made here is therefore its who builds: that one
 * has a setting left to write. Ends with errno.
 */
static noreturn void
lend_as_builder(int control, uid_t builder)
{
	struct failure f = { 0 };

	/* What it takes to become a user is no more there for the next step. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) != 0 ||
	    setresuid(builder, builder, builder) != 0)
		_exit(errno);
	_exit(make_and_send(control, CLONE_NEWUSER, &f) != 0 ? f.error : 0);
}

/*
 * A container's root may make network namespaces, and yet not configure them
 * where they belong to the container. Those of a user namespace of its own it
 * may; a child enters that, because there is no way back.
 */
static int
lend_by_child(int control, uid_t builder, struct failure *f)
{
	/* No SIGCHLD: who ignores that one could not wait. */
	struct clone_args args = { 0 };
	pid_t child = sys_clone3(&args);
	int status;

	if (child < 0)
		return failure_set(f, "network", errno, "clone3");
	if (child == 0)
		lend_as_builder(control, builder);
	while (waitpid(child, &status, __WALL) < 0) {
		if (errno != EINTR)
			return failure_set(f, "network", errno, "wait");
	}
	if (status != 0)
		return failure_set(f, "network",
		    WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		    "without CAP_NET_ADMIN, in a user namespace of its own");
	return 0;
}

int
net_lend(
    int control, const struct ids *ids, enum network network, struct failure *f)
{
	int spare = network == NETWORK_OFF ? take_spare() : -1;

	if (spare >= 0)
		return send_net(control, spare, f);
	return is_net_admin() ? make_and_send(control, 0, f)
			      : lend_by_child(control, ids->uid_base, f);
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
	/* Nothing of that one is ours to set. */
	if (in->plan->network == NETWORK_HOST)
		return 0;
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
