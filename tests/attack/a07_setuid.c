/*
 * A7: setuid and setgid programs and file capabilities.
 *
 * argv: copies of this program with such attributes. Each is executed as
 * "show" and must run with the ids and capabilities of who executed it.
 */
#include "attack.h"

#include <sys/prctl.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
show(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	if (getuid() != geteuid() || getgid() != getegid())
		breach("uid %d euid %d gid %d egid %d", getuid(), geteuid(),
		    getgid(), getegid());
	printf("euid %d egid %d\n", geteuid(), getegid());
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "CapPrm:", 7) == 0 ||
		    strncmp(line, "CapEff:", 7) == 0)
			fputs(line, stdout);
}

int
main(int argc, char *argv[])
{
	int pid;

	if (argc == 2 && strcmp(argv[1], "show") == 0) {
		show();
		return verdict();
	}
	for (int i = 1; i < argc; i++) {
		pid = fork();
		if (pid == 0) {
			execl(argv[i], argv[i], "show", (char *)NULL);
			tried(-1, "execute %s", argv[i]);
			_exit(2);
		}
		if (reap(pid) == 1)
			breach(
			    "%s gave more than it was started with", argv[i]);
	}
	tried(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), "clear no_new_privs");
	printf("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return verdict();
}
