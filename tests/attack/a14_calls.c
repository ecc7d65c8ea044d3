/*
 * A14: system calls with a history (io_uring, bpf, perf, userfaultfd, reading
 * another process's memory) and those that only an administrator needs.
 *
 * ENOSYS where a program should take another way, EPERM where it should say
 * that it may not. Nothing here may succeed or fail for another reason: the
 * arguments are such that the kernel itself would answer differently. Not here:
 * uretprobe and uprobe, which the kernel passes by every filter; outside of its
 * own trampoline they are a SIGILL.
 */
#include "attack.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <stdio.h>
#include <unistd.h>

#define CALL(name)                                                             \
	{                                                                      \
#name, SYS_##name                                              \
	}

static const struct call {
	const char *name;
	long number;
} calls[] = {
	CALL(io_uring_setup),
	CALL(io_uring_enter),
	CALL(io_uring_register),
	CALL(userfaultfd),
	CALL(vmsplice),
	CALL(memfd_secret),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(process_madvise),
	CALL(process_mrelease),
	CALL(ptrace),
	CALL(kcmp),
	CALL(pidfd_getfd),
	CALL(bpf),
	CALL(perf_event_open),
	CALL(syslog),
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(reboot),
	CALL(swapon),
	CALL(swapoff),
	CALL(acct),
	CALL(quotactl),
	CALL(quotactl_fd),
	CALL(sethostname),
	CALL(setdomainname),
	CALL(settimeofday),
	CALL(clock_settime),
	CALL(clock_adjtime),
	CALL(adjtimex),
	CALL(vhangup),
	CALL(fanotify_init),
	CALL(fanotify_mark),
	CALL(mbind),
	CALL(set_mempolicy),
	CALL(migrate_pages),
	CALL(move_pages),
	CALL(lookup_dcookie),
	CALL(remap_file_pages),
	CALL(name_to_handle_at),
	CALL(open_by_handle_at),
	CALL(openat2),
	CALL(nfsservctl),
#ifdef __x86_64__
	CALL(iopl),
	CALL(ioperm),
	CALL(modify_ldt),
	CALL(uselib),
	CALL(_sysctl),
	CALL(create_module),
	CALL(get_kernel_syms),
	CALL(query_module),
	CALL(ustat),
	CALL(sysfs),
#endif
	{ "statmount", 457 },
	{ "listmount", 458 },
	{ "a call of the future", 500 },
	{ "the largest number", 0x3fffffff },
	{ "minus one", -1 },
};

/* Calls that are allowed, with arguments that are not. */
static void
arguments(void)
{
	static const unsigned long personas[] = { 0x0400000, 0x0100000,
		0x0040000 | 0x0400000, 6 };

	for (size_t i = 0; i < sizeof(personas) / sizeof(*personas); i++)
		refused(syscall(SYS_personality, personas[i]),
		    "personality %#lx", personas[i]);
	refused(
	    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		-1, 0) == MAP_FAILED
		? -1
		: 0,
	    "map page 0");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		refused(syscall(calls[i].number, -1L, -1L, -1L, -1L, -1L, -1L),
		    "%s", calls[i].name);
	arguments();
	return verdict();
}
