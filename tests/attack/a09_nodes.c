/*
 * A9: device nodes, made inside and found in bound trees.
 *
 * argv: directories to make nodes in; "=NAME" is a node that exists, to open.
 */
#include "attack.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct node {
	const char *name;
	mode_t type;
	unsigned int major, minor;
} nodes[] = {
	{ "mem", S_IFCHR, 1, 1 },
	{ "kmsg", S_IFCHR, 1, 11 },
	{ "null", S_IFCHR, 1, 3 },
	{ "fuse", S_IFCHR, 10, 229 },
	{ "sda", S_IFBLK, 8, 0 },
	{ "vda", S_IFBLK, 254, 0 },
};

static void
make(const char *dir)
{
	char path[256];
	const struct node *n;

	for (n = nodes; n < nodes + sizeof(nodes) / sizeof(*nodes); n++) {
		snprintf(path, sizeof(path), "%s/%s", dir, n->name);
		refused(
		    mknod(path, n->type | 0666, makedev(n->major, n->minor)),
		    "mknod %s", path);
	}
}

int
main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '=') {
			make(argv[i]);
			continue;
		}
		refused(open(argv[i] + 1, O_RDONLY), "read %s", argv[i] + 1);
		refused(open(argv[i] + 1, O_WRONLY), "write %s", argv[i] + 1);
	}
	return verdict();
}
