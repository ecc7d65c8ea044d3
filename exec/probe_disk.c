#include <sys/vfs.h>

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "project.h"
#include "state.h"
#include "sys.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

#define COST                                                                   \
	"Sessions are looked at: between two looks one can come to hold more " \
	"than session_disk allows, and what it has open without a name is "    \
	"not always seen."

/* The directory of sessions, or where it would be made. -1 for none. */
static int
open_state(const struct config *c, char *path, size_t size)
{
	char *slash;
	int fd = -1;

	if (state_path(c, path, size) != 0)
		return -1;
	while (fd < 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		slash = strrchr(path, '/');
		if (fd >= 0 || slash == NULL || path[1] == '\0')
			break;
		slash[slash == path] = '\0';
	}
	return fd;
}

static const char *
remedy_for(int fd, const char *path)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == EXT4_SUPER_MAGIC)
		return doctor_text("tune2fs -O project,quota -Q prjquota on "
				   "the device of %s while it is not mounted; "
				   "then mount it with the option prjquota.",
		    path);
	if (fstatfs(fd, &fs) == 0 && fs.f_type == XFS_SUPER_MAGIC)
		return doctor_text(
		    "Mount the file system of %s with the option prjquota.",
		    path);
	return "Put state_dir on ext4 or XFS, mounted with the option "
	       "prjquota.";
}

void
look_session_disk(struct doctor *d, const char *name)
{
	char path[PATH_MAX];
	auto_fd fd = open_state(&d->config, path, sizeof(path));

	if (fd < 0)
		doctor_lacks(d, FINDING_WARN, name, "There are no sessions.",
		    "Set MAYFLY_STATE_DIR to a directory.",
		    "there is no place for them");
	else if (!d->privileged)
		doctor_lacks(d, FINDING_WARN, name, COST,
		    "Run mayfly as root, on a file system with project "
		    "quotas.",
		    "only root can set project quotas");
	else if (!project_is_on(fd))
		doctor_lacks(d, FINDING_WARN, name, COST, remedy_for(fd, path),
		    "no project quotas on the file system of %s", path);
	else if (!project_may_limit(&d->config, fd))
		doctor_lacks(d, FINDING_WARN, name, COST,
		    "Run mayfly outside of the container's user namespace.",
		    "project quotas are on and cannot be set from here");
	else
		doctor_ok(d, name, "held by project quotas of %s", path);
}
