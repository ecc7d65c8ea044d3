#include "reap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "command.h"
#include "images.h"
#include "pulls.h"
#include "snapshot.h"
#include "squash.h"
#include "stack.h"
#include "state.h"
#include "store.h"
#include "trash.h"
#include "verdict.h"

static void
print(const char *what, const char *name)
{
	(void)printf("removed %s %s\n", what, name);
}

static void
print_dry(const char *what, const char *name)
{
	(void)printf("would remove %s %s\n", what, name);
}

/* For reap_all(), which is not told by all that find it. */
static bool something_stays;

/* A name is the sandbox's choice: what a terminal would act on is left out. */
static void
complain_of(const char *name, int error)
{
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(text) - 1 && name[i] != '\0'; i++)
		text[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '?';
	text[i] = '\0';
	something_stays = true;
	complain("reap: '%s' stays: %s", text,
	    error == EBUSY ? "something is mounted there" : strerror(error));
}

/* For cgroup_reap(), which knows one kind of thing only. */
static void (*say_cgroup_to)(const char *what, const char *name);

static void
say_cgroup(const char *name)
{
	say_cgroup_to("cgroup", name);
}

bool
reap_all(const struct config *c, bool dry,
    void (*say)(const char *what, const char *name))
{
	struct state st;
	struct failure f;
	char text[320], path[4096];
	bool all;

	/* What else a run has goes with its processes. */
	say_cgroup_to = say;
	(void)cgroup_reap(dry, say_cgroup);
	/* Where nobody ever had a session there is nothing to make now. */
	if (state_path(c, path, sizeof(path)) != 0 ||
	    (access(path, F_OK) != 0 && errno == ENOENT))
		return true;
	if (state_open(c, &st, &f) != 0) {
		complain("reap: %s", failure_text(&f, text, sizeof(text)));
		return false;
	}
	something_stays = false;
	all = store_expire(c, &st, dry, say, complain_of) >= 0;
	if (!all)
		complain("reap: expired sessions: %s", strerror(errno));
	stack_repair(c, &st, dry, complain_of);
	snapshot_reap(c, &st, dry, complain_of);
	squash_all(c, &st, dry, say, complain_of);
	pulls_reap(&st, dry, say, complain_of);
	all = images_collect(c, &st, dry, say, complain_of) && all;
	all = trash_empty(c, &st, dry, say, complain_of) && all;
	state_close(&st);
	return all && !something_stays;
}

int
reap_main(int argc, char **argv)
{
	static struct config c;
	bool dry = false;
	char why[512];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			(void)puts("usage: mayfly reap [--dry-run]\n\nRemoves "
				   "expired sessions, and what crashes left "
				   "behind.");
			return 0;
		}
		if (strcmp(argv[i], "--dry-run") != 0) {
			complain("reap: unknown option '%.80s'", argv[i]);
			return EXIT_USAGE;
		}
		dry = true;
	}
	if (config_read(&c, why, sizeof(why)) != 0) {
		complain("config: %s", why);
		return EXIT_OWN;
	}
	return reap_all(&c, dry, dry ? print_dry : print) ? 0 : EXIT_OWN;
}
