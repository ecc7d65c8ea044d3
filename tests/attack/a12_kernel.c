/*
 * A12: core_pattern, modprobe and other knobs of the host's kernel, and the
 * core limit: at 1 the kernel does not start a core handler, at 0 it does, so
 * that nobody inside may lower it.
 */
#include "attack.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const knobs[] = {
	"/proc/sys/kernel/core_pattern",
	"/proc/sys/kernel/core_uses_pid",
	"/proc/sys/kernel/modprobe",
	"/proc/sys/kernel/sysrq",
	"/proc/sys/kernel/panic",
	"/proc/sys/kernel/printk",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/kernel/hostname",
	"/proc/sys/kernel/domainname",
	"/proc/sys/kernel/shmmax",
	"/proc/sys/kernel/keys/maxkeys",
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/vm/drop_caches",
	"/proc/sys/fs/suid_dumpable",
	"/proc/sys/fs/protected_symlinks",
	"/proc/sys/fs/binfmt_misc/register",
	"/proc/sys/net/ipv4/ip_forward",
	"/proc/sys/user/max_user_namespaces",
	"/proc/sysrq-trigger",
	"/proc/irq/default_smp_affinity",
	"/proc/mtrr",
	"/proc/timer_stats",
	"/proc/acpi/wakeup",
	"/sys/kernel/uevent_helper",
	"/sys/power/state",
	"/sys/kernel/mm/ksm/run",
};

/* Not there, not permitted, or our null device in its place. */
static void
write_knob(const char *name)
{
	int fd = open(name, O_WRONLY);
	struct stat st;

	if (fd != -1 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	    st.st_rdev == makedev(1, 3)) {
		close(fd);
		fd = -1;
		errno = EACCES;
	}
	if (fd != -1)
		breach("%s can be opened for writing", name);
	else if (errno != EACCES && errno != EROFS && errno != ENOENT)
		breach("%s: %s", name, outcome(errno));
	else
		printf("%s: out of reach\n", name);
}

static void
write_knobs(void)
{
	for (size_t i = 0; i < sizeof(knobs) / sizeof(*knobs); i++)
		write_knob(knobs[i]);
}

static long
set_core(int pid, unsigned int resource, rlim_t cur, rlim_t max)
{
	struct rlimit64 rl = { cur, max };

	return syscall(SYS_prlimit64, pid, resource, &rl, NULL);
}

static void
core_limit(void)
{
	struct rlimit rl;
	uint64_t high = HIGH(RLIMIT_CORE);

	getrlimit(RLIMIT_CORE, &rl);
	printf("core limit %llu %llu\n", (unsigned long long)rl.rlim_cur,
	    (unsigned long long)rl.rlim_max);
	refused(set_core(0, RLIMIT_CORE, 0, 0), "prlimit64 to 0");
	refused(set_core(0, RLIMIT_CORE, 0, 1), "prlimit64 to 0 softly");
	refused(set_core(0, RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY),
	    "prlimit64 to infinity");
	refused(set_core(getpid(), RLIMIT_CORE, 0, 0), "prlimit64 by pid");
	rl.rlim_cur = 0;
	refused(
	    syscall(SYS_prlimit64, 0, high, &rl, NULL), "prlimit64 + 1<<32");
	rl.rlim_cur = 0;
#ifdef SYS_setrlimit
	refused(syscall(SYS_setrlimit, RLIMIT_CORE, &rl), "setrlimit to 0");
	refused(syscall(SYS_setrlimit, high, &rl), "setrlimit + 1<<32");
#else
	refused(set_core(0, RLIMIT_CORE, 0, 1), "setrlimit to 0");
	refused(set_core(0, high, 0, 1), "setrlimit + 1<<32");
#endif
	getrlimit(RLIMIT_CORE, &rl);
	printf("core limit %llu %llu\n", (unsigned long long)rl.rlim_cur,
	    (unsigned long long)rl.rlim_max);
}

static void
oom_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	refused(write(fd, "-1000", 5), "oom_score_adj -1000");
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "crash") == 0) {
		set_core(0, RLIMIT_CORE, 0, 0);
		raise(SIGSEGV);
	}
	write_knobs();
	oom_score();
	core_limit();
	return verdict();
}
