/* What the filter does beside, where it is asked to: filter.h. */
#include "filter.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>

#include "probe.h"

static void
set_id(void)
{
	static char dir[] = "/tmp/mayfly-filter.XXXXXX";
	static const uint64_t modes[] = { 04755, 02755, 06000, 0755 };
	uint64_t here = (uint64_t)AT_FDCWD, tmp = O_TMPFILE | O_WRONLY;
	uintptr_t old = (uintptr_t) "old", new = (uintptr_t) "new";
	bool made = mkdtemp(dir) != NULL && chdir(dir) == 0;
	uint64_t fd = (uint64_t)open("old", O_CREAT | O_RDONLY, 0600);

	confine(FILTER_NOSUID);
	for (size_t i = 0; made && i < LENGTH(modes); i++) {
		uint64_t m = modes[i], make = O_WRONLY | O_CREAT;
		int no = m == 0755 ? 0 : EPERM;
		const struct probe probes[] = {
			{ SYS_openat, 0, 13, { here, old, O_RDONLY, 04755 } },
			{ SYS_openat, no, 13, { here, old, make, m } },
			{ SYS_openat, no, 13,
			    { here, (uintptr_t) ".", tmp, m } },
			{ SYS_fchmod, no, 3, { fd, m } },
			{ SYS_fchmod, no, 2, { fd, m | 0x10000 } },
			{ SYS_fchmodat, no, 5, { here, old, m } },
			{ SYS_openat2, ENOSYS, 0, { here, old, old, 24 } },
			{ 452, EPERM, 5, { here, old, m | 02000 } },
			{ SYS_mkdirat, EPERM, 5, { here, new, m | 02000 } },
			{ SYS_mknodat, EPERM, 5, { here, new, m | 02000 } },
			{ SYS_mq_open, EPERM, 6, { new, make, m | 04000 } },
#ifdef __x86_64__
			{ SYS_open, no, 6, { old, make, m } },
			{ SYS_creat, no, 2, { old, m } },
			{ SYS_chmod, no, 2, { old, m } },
			{ SYS_mkdir, EPERM, 2, { new, m | 02000 } },
			{ SYS_mknod, EPERM, 2, { new, m | 02000 } },
#endif
		};

		expect_probes(probes, LENGTH(probes));
	}
	failed = failed || !made;
	(void)remove("old");
	(void)remove("new");
	(void)remove(dir);
}

static void
no_sockets(void)
{
	static int pair[2];
	uintptr_t p = (uintptr_t)pair;

	confine(FILTER_NOSOCKET);
	for (uint64_t family = 0; family < 46; family++) {
		const struct probe probes[] = {
			{ SYS_socket, EAFNOSUPPORT, 7, { family, 1, 0 } },
			{ SYS_socket, EAFNOSUPPORT, 7, { family, 2, 132 } },
			{ SYS_socketpair,
			    family == 1 ? EPROTONOSUPPORT : EAFNOSUPPORT, 0,
			    { family, 1, 132, p } },
			{ SYS_socketpair, ESOCKTNOSUPPORT, 0,
			    { family, 2, 0, p } },
			{ SYS_accept, EOPNOTSUPP, 1, { 0 } },
			{ SYS_accept4, EOPNOTSUPP, 1, { 0 } },
			{ SYS_bind, EOPNOTSUPP, 1, { 0 } },
			{ SYS_connect, EOPNOTSUPP, 1, { 0 } },
			{ SYS_listen, EOPNOTSUPP, 1, { 0 } },
		};

		expect_probes(probes, LENGTH(probes));
	}
	HOLDS(pipe(pair) == 0);
}

/* Space is taken by writing, and given back in any way. */
static void
no_space_unwritten(void)
{
	static const unsigned long calls[] = { 0x40305828, 0x4030582a,
		0x40305839 };
	static char area[64];
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	struct stat st;

	confine(FILTER_SAMPLED);
	for (int mode = 0; mode < 0x80; mode++) {
		if ((mode & 2) == 0)
			HOLDS(fallocate(fd, mode, 0, 65536) == -1 &&
			      errno == EOPNOTSUPP);
	}
	for (size_t i = 0; i < LENGTH(calls); i++) {
		HOLDS(syscall(SYS_ioctl, fd, calls[i], area) == -1 &&
		      errno == EOPNOTSUPP);
		HOLDS(syscall(SYS_ioctl, fd, calls[i] | UINT64_C(1) << 32,
			  area) == -1 &&
		      errno == EOPNOTSUPP);
	}
	HOLDS(write(fd, area, sizeof(area)) == sizeof(area));
	HOLDS(fallocate(fd, 3, 0, 4096) == 0 || errno == EOPNOTSUPP);
	HOLDS(ftruncate(fd, 1 << 20) == 0);
	HOLDS(fstat(fd, &st) == 0 && st.st_blocks <= 8);
}

static const struct testcase cases[] = {
	{ "FILTER_NOSUID: no call leaves a set-id file", set_id },
	{ "FILTER_NOSOCKET: there is no socket at all", no_sockets },
	{ "FILTER_SAMPLED: no space is taken without writing",
	    no_space_unwritten },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
