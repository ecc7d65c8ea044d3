#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "command.h"
#include "connection.h"
#include "verdict.h"

int
activate_main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		(void)puts("usage: mayfly activate\n\nServes the connection on "
			   "descriptor 0, as systemd with Accept=yes and "
			   "inetd give it.\nSee mayfly-activator(8).");
		return 0;
	}
	if (argc > 1) {
		complain("activate: unexpected '%.80s'", argv[1]);
		return EXIT_USAGE;
	}
	/* Whoever read the log may have gone; the request is there. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* Before there is a second process, which could not be moved. */
	cgroup_settle();
	/* Its memory goes with the process. */
	_exit(connection_serve(0) == 0 ? 0 : EXIT_OWN);
}
