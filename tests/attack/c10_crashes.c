/*
 * C10: a line in the host's log for each crash or refused call.
 *
 * argv: segv | trap | refused, and how often.
 */
#include "attack.h"

#include <sys/syscall.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
crash(const char *how)
{
	if (strcmp(how, "segv") == 0)
		*(volatile int *)8 = 1;
	else if (strcmp(how, "trap") == 0)
		__builtin_trap();
	syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
	syscall(SYS_bpf, 0, NULL, 0);
	_exit(0);
}

int
main(int argc, char *argv[])
{
	int times = argc > 2 ? atoi(argv[2]) : 0, died = 0, pid;

	for (int i = 0; i < times; i++) {
		pid = fork();
		if (pid == 0)
			crash(argv[1]);
		died += pid > 0 && reap(pid) > 128;
	}
	printf("%d died\n", died);
	return verdict();
}
