/*
 * A11: cgroups: mounting a hierarchy, release_agent (CVE-2022-0492), making a
 * cgroup, and what /proc tells about the host's.
 */
#include "attack.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(void)
{
	FILE *f = fopen("/proc/self/cgroup", "r");
	char line[4096], *path;

	refused(mount("c", "/tmp", "cgroup2", 0, NULL), "mount cgroup2");
	refused(mount("c", "/tmp", "cgroup", 0, "rdma"), "mount cgroup rdma");
	refused(mount("c", "/tmp", "cgroup", 0, "none,name=x"),
	    "mount a cgroup hierarchy of our own");
	refused(open("/sys/fs/cgroup", O_RDONLY), "open /sys/fs/cgroup");
	refused(mkdir("/sys/fs/cgroup/x", 0755), "mkdir in /sys/fs/cgroup");
	refused(open("/sys/fs/cgroup/release_agent", O_WRONLY),
	    "write release_agent");
	refused(open("/sys/fs/cgroup/cgroup.procs", O_WRONLY),
	    "write cgroup.procs");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		path = strrchr(line, ':');
		if (path == NULL || strcmp(path, ":/") != 0)
			breach("a cgroup of the host is named: %s", line);
	}
	return verdict();
}
