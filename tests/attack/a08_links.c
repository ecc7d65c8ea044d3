/*
 * A8: hard links to files of the host or of others, writes to the read-only
 * tree, and file handles that need no path (the "shocker" attack).
 *
 * argv: a file on a read-only bind, and a directory bound for writing.
 */
#include "attack.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
readonly_tree(const char *victim)
{
	refused(link("/usr/bin/env", "/tmp/env"), "link of /usr to /tmp");
	refused(link("/usr/bin/env", "/usr/bin/env2"), "link within /usr");
	refused(creat("/usr/bin/new", 0755), "create in /usr/bin");
	refused(open("/usr/bin/env", O_WRONLY), "write /usr/bin/env");
	refused(unlink("/usr/bin/env"), "unlink /usr/bin/env");
	refused(rename("/usr/bin/env", "/usr/bin/old"), "rename in /usr/bin");
	refused(mkdir("/usr/new", 0755), "mkdir in /usr");
	refused(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL),
	    "remount /usr for writing");
	refused(open(victim, O_WRONLY), "write a read-only bind");
	refused(truncate(victim, 0), "truncate in a read-only bind");
	refused(unlink(victim), "unlink in a read-only bind");
	refused(chmod(victim, 0777), "chmod in a read-only bind");
	refused(link(victim, "/tmp/victim"), "link of a read-only bind");
}

static void
handles(void)
{
	struct {
		struct file_handle h;
		unsigned char bytes[128];
	} u = { .h.handle_bytes = 128 };
	int id;

	refused(name_to_handle_at(AT_FDCWD, "/usr", &u.h, &id, 0),
	    "name_to_handle_at");
	u.h.handle_bytes = 8;
	u.h.handle_type = 1;
	memcpy(u.h.f_handle, "\2\0\0\0\0\0\0\0", 8); /* root of an ext4 */
	refused(open_by_handle_at(open("/usr", O_RDONLY), &u.h, O_RDONLY),
	    "open_by_handle_at");
}

static void
other_owner(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY), file;

	refused(linkat(fd, "foreign", fd, "linked", 0), "link a foreign file");
	file = openat(fd, "foreign", O_PATH);
	refused(linkat(file, "", fd, "linked2", AT_EMPTY_PATH),
	    "link a foreign file by descriptor");
	refused(openat(fd, "foreign", O_WRONLY), "write a foreign file");
	refused(fchmodat(fd, "foreign", 0777, 0), "chmod a foreign file");
	refused(fchownat(fd, "foreign", getuid(), getgid(), 0),
	    "take a foreign file");
}

int
main(int argc, char *argv[])
{
	if (argc < 3)
		return 2;
	readonly_tree(argv[1]);
	handles();
	other_owner(argv[2]);
	return verdict();
}
