/*
 * A8: from a session to another one or to the host's store, by links and names
 * that cross mounts. argv: the id of the other session, the path of the store.
 */
#include "attack.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char path[8192];

#define PATH(...) (snprintf(path, sizeof(path), __VA_ARGS__), path)

static void
names(const char *id, const char *store)
{
	static const char *const froms[] = { "", "/..", "/../..",
		"/../../../../../..", "/proc/1/root", "/proc/self/root/..",
		"/proc/1/cwd", "/proc/self/cwd/../../..", "/dev/fd/3",
		"/proc/1/fd/3/..", "/run/shm/../..", "/usr/../.." };

	for (size_t i = 0; i < sizeof(froms) / sizeof(*froms); i++) {
		refused(open(PATH("%s%s/sessions/%s/upper/root/secret",
				 froms[i], store, id),
			    O_RDONLY),
		    "read a secret from '%s'", froms[i]);
		refused(open(PATH("%s/../%s/upper/root/secret", froms[i], id),
			    O_RDONLY),
		    "read a neighbour's from '%s'", froms[i]);
		refused(open(PATH("%s/session/upper", froms[i]), O_RDONLY),
		    "open what lies below from '%s'", froms[i]);
		refused(creat(PATH("%s%s/sessions/%s/upper/planted", froms[i],
				  store, id),
			    0644),
		    "plant a file from '%s'", froms[i]);
		refused(link(PATH("%s%s/sessions/%s/meta", froms[i], store, id),
			    "/tmp/linked"),
		    "link a record from '%s'", froms[i]);
	}
}

/* Mounts in the root are others' file systems. */
static void
crossing(void)
{
	static const char *const places[] = { "/usr", "/dev", "/dev/shm",
		"/run/shm", "/proc", "/dev/pts" };

	tried(creat("/tmp/own", 0644), "make a file");
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		refused(link("/tmp/own", PATH("%s/planted", places[i])),
		    "link a file to %s", places[i]);
		refused(rename("/tmp/own", PATH("%s/planted", places[i])),
		    "move a file to %s", places[i]);
	}
	refused(link("/usr/bin/env", "/tmp/linked"), "link /usr/bin/env");
	refused(link("/dev/null", "/tmp/linked"), "link /dev/null");
	refused(mknod("/tmp/node", S_IFCHR | 0666, 0), "make a whiteout");
	refused(link("/proc/self/fd/0", "/tmp/linked"), "link a stream");
	refused(linkat(0, "", AT_FDCWD, "/tmp/linked", AT_EMPTY_PATH),
	    "link a descriptor");
}

int
main(int argc, char *argv[])
{
	if (argc != 3)
		return 2;
	names(argv[1], argv[2]);
	crossing();
	return verdict();
}
