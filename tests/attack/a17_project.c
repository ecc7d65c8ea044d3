/*
 * A17: leaving a project quota by changing a file's project id.
 *
 * argv: directories to try it in.
 */
#include "attack.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct fsxattr attr = { .fsx_projid = 77 };
	char path[256];
	int fd;

	for (int i = 1; i < argc; i++) {
		snprintf(path, sizeof(path), "%s/project", argv[i]);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		tried(fd, "create %s", path);
		refused(
		    ioctl(fd, FS_IOC_FSSETXATTR, &attr), "FSSETXATTR %s", path);
		refused(syscall(SYS_ioctl, fd, HIGH(FS_IOC_FSSETXATTR), &attr),
		    "FSSETXATTR + 1<<32 %s", path);
		refused(syscall(469, fd, "", &attr, sizeof(attr), 0x1000),
		    "file_setattr %s", path);
		close(fd);
	}
	return verdict();
}
