/*
 * X5: system calls by another door. The 32-bit interface has numbers of its
 * own and hides the arguments of socket(2) from a filter; x32 numbers have
 * bit 30 set.
 */
#include "attack.h"

#include <sys/syscall.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__x86_64__)
static long
int80(long nr, long a, long b, long c)
{
	long rc;

	__asm__ volatile("int $0x80"
			 : "=a"(rc)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	if (rc < 0) {
		errno = -rc;
		rc = -1;
	}
	return rc;
}

/* A kernel without the 32-bit interface answers with a signal: no door. */
static void
no_door(int sig)
{
	(void)sig;
	static const char text[] = "int 0x80: no such door\n";

	_exit(write(1, text, sizeof(text) - 1) < 0);
}

static void
other_abis(void)
{
	static const struct {
		const char *name;
		long number, a;
	} calls[] = { { "getpid", 20, 0 }, { "socketcall", 102, 1 },
		{ "unshare", 310, 0x10000000 }, { "mount", 21, 0 },
		{ "keyctl", 288, 0 }, { "chmod", 15, 0 },
		{ "setrlimit", 75, 4 } };

	signal(SIGSEGV, no_door);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		refused(int80(calls[i].number, calls[i].a, 0, 0), "int 0x80 %s",
		    calls[i].name);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		refused(syscall(0x40000000 + i, 0, 0, 0), "x32 %zu", i);
	refused(syscall(0x40000000 + SYS_getpid), "x32 getpid");
	refused(syscall(0x40000000 + SYS_socket, 38, 5, 0), "x32 socket");
	refused(syscall(0x40000000 + 512, 0, 0, 0), "x32 rt_sigaction");
}
#else
static void
other_abis(void)
{
	refused(syscall(0x40000000, 0, 0, 0), "a number out of range");
}
#endif

int
main(void)
{
	other_abis();
	return verdict();
}
