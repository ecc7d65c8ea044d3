/*
 * The filter as a program inside meets it: each case is a child that loads the
 * real one and compares what calls return with what is promised.
 */
#include "filter.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <linux/fs.h>
#include <linux/sched.h>

#include "probe.h"

static void
expect_all(int wanted, const long *numbers, size_t n)
{
	static const uint64_t nothing[4] = { -1, -1, -1, -1 };

	confine(0);
	for (size_t i = 0; i < n; i++)
		expect(numbers[i], wanted, nothing);
}

static void
unknown_calls(void)
{
	static const long numbers[] = { 500, 999, 1023, 1024, 9999, 0x3fffffff,
		0x40000000, 0x40000000 + SYS_getpid, 0x40000000 + SYS_socket,
		0x40000000 + 512, 0x7fffffff, -1 };

	expect_all(ENOSYS, numbers, LENGTH(numbers));
}

static void
absent_calls(void)
{
	static const long numbers[] = { SYS_clone3, SYS_io_uring_setup,
		SYS_io_uring_enter, SYS_io_uring_register, SYS_add_key,
		SYS_keyctl, SYS_request_key, SYS_userfaultfd, SYS_vmsplice,
		447 /* memfd_secret */, SYS_remap_file_pages,
		SYS_name_to_handle_at,
#ifdef __x86_64__
		SYS_modify_ldt, SYS_uselib, SYS__sysctl, SYS_sysfs, SYS_ustat,
#endif
		451 /* cachestat */, 457 /* statmount */, 458 /* listmount */,
		469 /* file_setattr */ };

	expect_all(ENOSYS, numbers, LENGTH(numbers));
}

static void
privileged_calls(void)
{
	static const long numbers[] = { SYS_acct, SYS_bpf, SYS_chroot,
		SYS_clock_settime, SYS_delete_module, SYS_fanotify_init,
		SYS_fanotify_mark, SYS_finit_module, SYS_fsconfig, SYS_fsmount,
		SYS_fsopen, SYS_fspick, SYS_get_mempolicy, SYS_init_module,
		SYS_kcmp, SYS_kexec_file_load, SYS_kexec_load,
		SYS_lookup_dcookie, SYS_mbind, SYS_migrate_pages, SYS_mount,
		SYS_mount_setattr, SYS_move_mount, SYS_move_pages,
		SYS_open_by_handle_at, SYS_open_tree, SYS_perf_event_open,
		SYS_pidfd_getfd, SYS_pivot_root, SYS_process_madvise,
		SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace,
		SYS_quotactl, 443 /* quotactl_fd */, SYS_reboot,
		SYS_set_mempolicy, SYS_setdomainname, SYS_sethostname,
		SYS_setns, SYS_settimeofday, SYS_swapoff, SYS_swapon,
		SYS_syslog, SYS_umount2, SYS_unshare, SYS_vhangup,
#ifdef __x86_64__
		SYS_ioperm, SYS_iopl,
#endif
		450 /* set_mempolicy_home_node */, 467 /* open_tree_attr */ };

	expect_all(EPERM, numbers, LENGTH(numbers));
}

/* Eight namespaces, then all of them. */
static void
namespaces(void)
{
	static const uint64_t flags[] = { CLONE_NEWNS, CLONE_NEWCGROUP,
		CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
		CLONE_NEWNET, CLONE_NEWTIME, 0x7e020000 | CLONE_NEWTIME };

	confine(0);
	for (size_t i = 0; i < LENGTH(flags); i++) {
		struct clone_args how = { .flags = flags[i] };
		struct probe probes[] = {
			{ SYS_clone, EPERM, 1, { flags[i] | SIGCHLD } },
			{ SYS_clone, EPERM, 1, { flags[i] | CLONE_THREAD } },
			{ SYS_unshare, EPERM, 1, { flags[i] } },
			{ SYS_clone3, ENOSYS, 0,
			    { (uintptr_t)&how, sizeof(how) } },
		};

		expect_probes(probes, LENGTH(probes));
	}
}

/* An errno, or 0 where the kernel itself is to judge. */
static int
socket_rule(int family, int type, int protocol)
{
	bool inet = family == AF_INET || family == AF_INET6;
	bool netlink = family == AF_NETLINK;

	if (family != AF_UNIX && !inet && !netlink)
		return EAFNOSUPPORT;
	if (type != SOCK_DGRAM && (type != SOCK_STREAM || netlink) &&
	    (type != SOCK_SEQPACKET || family != AF_UNIX) &&
	    (type != SOCK_RAW || !netlink))
		return ESOCKTNOSUPPORT;
	if (netlink && protocol != 0)
		return EPROTONOSUPPORT;
	if (inet && protocol != 0 && protocol != IPPROTO_TCP &&
	    protocol != IPPROTO_UDP && protocol != IPPROTO_ICMP &&
	    protocol != IPPROTO_ICMPV6)
		return EPROTONOSUPPORT;
	return 0;
}

/* Where the kernel judges, it is asked before the filter is there. */
static void
sockets(void)
{
	static const uint64_t protocols[] = { 0, 6, 17, 33, 115, 132, 136, 262,
		1, 58 };
	static struct probe probes[46 * (6 * LENGTH(protocols) + 1)];
	static int pair[2];
	struct probe *p = probes;

	for (uint64_t family = 0; family < 46; family++) {
		*p++ = (struct probe){ SYS_socketpair,
			family == AF_UNIX ? 0 : EAFNOSUPPORT, 7,
			{ family, SOCK_STREAM, 0, (uintptr_t)pair } };
		for (uint64_t type = 1; type <= 6; type++) {
			for (size_t i = 0; i < LENGTH(protocols); i++, p++) {
				*p = (struct probe){ SYS_socket, 0, 7,
					{ family, type, protocols[i] } };
				p->wanted = socket_rule(
				    (int)family, (int)type, (int)protocols[i]);
				if (p->wanted == 0)
					p->wanted = outcome(p->nr, p->args);
			}
		}
	}
	confine(0);
	expect_probes(probes, LENGTH(probes));
}

/* The fifth argument is 0, a length that the kernel itself finds EINVAL. */
static void
socket_options(void)
{
	uint64_t fd = (uint64_t)socket(AF_INET, SOCK_STREAM, 0);
	struct probe probes[] = {
		{ SYS_setsockopt, ENOPROTOOPT, 7, { fd, SOL_TCP, TCP_ULP } },
		{ SYS_setsockopt, EINVAL, 7, { fd, SOL_TCP, TCP_NODELAY } },
		{ SYS_setsockopt, EINVAL, 7, { fd, SOL_SOCKET, SO_REUSEADDR } },
	};

	confine(0);
	expect_probes(probes, LENGTH(probes));
}

static void
terminals(void)
{
	static int fds[2], n;
	uintptr_t arg = (uintptr_t)&n;
	uint64_t fd = (uint64_t)(pipe(fds) == 0 ? fds[0] : -1);
	struct probe probes[] = {
		{ SYS_ioctl, EPERM, 3, { fd, TIOCSTI, arg } },
		{ SYS_ioctl, EPERM, 3, { fd, 0x541c /* TIOCLINUX */, arg } },
		{ SYS_ioctl, EPERM, 3, { fd, TIOCSETD, arg } },
		{ SYS_ioctl, EPERM, 3, { fd, FS_IOC_FSSETXATTR, arg } },
		{ SYS_ioctl, ENOTTY, 3, { fd, TIOCGWINSZ, arg } },
		{ SYS_ioctl, 0, 3, { fd, FIONREAD, arg } },
	};

	confine(0);
	expect_probes(probes, LENGTH(probes));
}

static void
core_limit(void)
{
	static struct rlimit before, zero, files = { 64, 64 }, now;
	uintptr_t z = (uintptr_t)&zero, f = (uintptr_t)&files;
	struct probe probes[] = {
		{ SYS_prlimit64, EPERM, 3, { 0, RLIMIT_CORE, z } },
		{ SYS_prlimit64, EPERM, 3, { 0, RLIMIT_CORE, z, z } },
		{ SYS_prlimit64, EPERM, 3, { 0, RLIMIT_CORE, BIT32 } },
		{ SYS_prlimit64, 0, 3, { 0, RLIMIT_CORE, 0, (uintptr_t)&now } },
		{ SYS_prlimit64, 0, 3, { 0, RLIMIT_NOFILE, f } },
		{ SYS_setrlimit, EPERM, 1, { RLIMIT_CORE, z } },
		{ SYS_setrlimit, 0, 1, { RLIMIT_NOFILE, f } },
	};

	failed = getrlimit(RLIMIT_CORE, &before) != 0;
	confine(0);
	expect_probes(probes, LENGTH(probes));
	failed = failed || memcmp(&now, &before, sizeof(now)) != 0;
}

static void
personalities(void)
{
	static const struct probe probes[] = {
		{ SYS_personality, 0, 1, { 0xffffffff } },
		{ SYS_personality, 0, 1, { ADDR_NO_RANDOMIZE } },
		{ SYS_personality, 0, 1, { UNAME26 } },
		{ SYS_personality, 0, 1, { PER_LINUX } },
		{ SYS_personality, EPERM, 1, { READ_IMPLIES_EXEC } },
		{ SYS_personality, EPERM, 1, { MMAP_PAGE_ZERO } },
		{ SYS_personality, EPERM, 1, { ADDR_COMPAT_LAYOUT } },
		{ SYS_personality, EPERM, 1, { UNAME26 | ADDR_NO_RANDOMIZE } },
	};

	confine(0);
	expect_probes(probes, LENGTH(probes));
}

static void
no_door(int sig)
{
	(void)sig;
	_exit(SKIPPED);
}

/* A kernel may lack the 32-bit interface, and answers with a signal. */
static void
i386_calls(void)
{
#ifdef __x86_64__
	static const int numbers[] = { 20 /* getpid */, 102 /* socketcall */,
		310 /* unshare */, 21 /* mount */, 15 /* chmod */ };

	signal(SIGSEGV, no_door);
	for (size_t i = 0; i <= LENGTH(numbers); i++) {
		long rc = numbers[i == 0 ? 0 : i - 1];

		if (i == 1)
			confine(0);
		__asm__ volatile("int $0x80"
				 : "+a"(rc)
				 : "b"(0), "c"(0), "d"(0)
				 : "memory", "r8", "r9", "r10", "r11");
		if (i > 0 && (int)rc != -ENOSYS)
			failed = true;
	}
#else
	no_door(0);
#endif
}

static int
thread(void *arg)
{
	return arg == NULL;
}

static void
everyday_calls(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int fds[2], status = -1;
	char c = 0;
	struct pollfd ready;

	confine(0);
	HOLDS(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	ready = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	HOLDS(poll(&ready, 1, 1000) == 1 && read(fds[0], &c, 1) == 1);
	HOLDS(system("exit 7") == 7 << 8);
	HOLDS(clone(thread, stack + sizeof(stack),
		  CLONE_VM | CLONE_VFORK | SIGCHLD, &c) > 0);
	HOLDS(wait(&status) > 0 && status == 0);
	HOLDS(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	HOLDS(fchmod((int)syscall(SYS_memfd_create, "m", 0), 06755) == 0);
	HOLDS(syscall(SYS_getrandom, &c, 1, 0) == 1);
	HOLDS(syscall(SYS_openat2, -1, "", NULL, 0) == -1 && errno != ENOSYS);
	HOLDS(syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0) >= 0);
	HOLDS(syscall(SYS_membarrier, 0, 0, 0) >= 0);
	HOLDS(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
	HOLDS(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0) >= 0);
	HOLDS(access("/", R_OK) == 0 && chdir("/") == 0);
}

static const struct testcase cases[] = {
	{ "a number that no row names, or of x32, is ENOSYS", unknown_calls },
	{ "what libraries can do without is ENOSYS", absent_calls },
	{ "what only an administrator needs is EPERM", privileged_calls },
	{ "no namespace is made by clone, clone3 or unshare", namespaces },
	{ "families, types and protocols are those of the rule", sockets },
	{ "no TCP_ULP, other options are the kernel's", socket_options },
	{ "no typing into terminals, no change of project", terminals },
	{ "the core limit is read, never written", core_limit },
	{ "personalities are those of the table", personalities },
	{ "a 32-bit call is ENOSYS, whatever its number", i386_calls },
	{ "everyday calls work, set-id files among them", everyday_calls },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
