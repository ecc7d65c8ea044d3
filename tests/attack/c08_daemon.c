/*
 * C8: processes that stay when the command has ended, and hold its streams.
 *
 * argv: a word by which the process is found from outside.
 */
#include "attack.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(void)
{
	puts("done");
	fflush(stdout);
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			if (fork() != 0)
				_exit(0);
			for (int sig = 1; sig < NSIG; sig++)
				signal(sig, SIG_IGN);
			for (;;)
				pause();
		}
	return verdict();
}
