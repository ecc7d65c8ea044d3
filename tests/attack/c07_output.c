/*
 * C7: output without end.
 *
 * argv: flood | stderr | both | lines | dribble | children
 */
#include "attack.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static char block[65536];

static void
flood(int fd, size_t n)
{
	for (;;)
		if (write(fd, block, n) <= 0)
			usleep(1000);
}

int
main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "";

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	memset(block, strcmp(how, "lines") == 0 ? '\n' : 'x', sizeof(block));
	if (strcmp(how, "both") == 0 && fork() == 0)
		flood(2, sizeof(block));
	if (strcmp(how, "children") == 0)
		for (int i = 0; i < 10 && fork() != 0; i++)
			;
	if (strcmp(how, "dribble") == 0)
		for (;;) {
			if (write(1, "x", 1) == -1)
				return 1;
			usleep(1000);
		}
	flood(strcmp(how, "stderr") == 0 ? 2 : 1,
	    strcmp(how, "lines") == 0 ? 1 : sizeof(block));
	return 1;
}
