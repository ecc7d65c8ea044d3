#include <stdio.h>
#include <string.h>

#include "cgroup.h"
#include "command.h"
#include "verdict.h"

static bool dry_run;

static void
say(const char *name)
{
	(void)printf(
	    "%s cgroup %s\n", dry_run ? "would remove" : "removed", name);
}

/*
 * Everything else of a run goes with its processes; what a crash can leave is
 * an empty cgroup.
 */
int
reap_main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)puts("usage: mayfly reap [--dry-run]\n\nRemoves "
				   "what crashes left behind.");
			return 0;
		}
		if (strcmp(argv[i], "--dry-run") != 0) {
			complain("reap: unknown option '%.80s'", argv[i]);
			return EXIT_USAGE;
		}
		dry_run = true;
	}
	(void)cgroup_reap(dry_run, say);
	return 0;
}
