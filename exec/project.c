#include "project.h"

#include <sys/ioctl.h>
#include <sys/random.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ids.h"
#include "sys.h"

/*
 * Numbers are taken from the first WINDOW ones on, and from ever more of them
 * while none is free: so there are few numbers that were ever in use, and the
 * kernel's file of them stays small.
 */
#define WINDOW 64
#define TRIES 64

/* For who builds in a full project: XFS wants to be sure of 240 KB and more. */
#define SPARE_KB 512
#define SPARE_INODES 4

static int
quota(int fd, unsigned command, uint32_t project, void *data)
{
	return sys_quotactl_fd(fd, QCMD(command, PRJQUOTA), project, data);
}

bool
project_is_on(int fd)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	/* Mounted without prjquota, ext4 counts and holds nobody. */
	return quota(fd, Q_XGETQSTATV, 0, &state) == 0 &&
	       (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

bool
project_may_limit(const struct config *c, int fd)
{
	struct if_dqblk q;

	return ids_privileged() &&
	       (quota(fd, Q_GETQUOTA, (uint32_t)c->uid_base, &q) == 0 ||
		   errno == ENOENT || errno == ESRCH);
}

static int
give(int fd, uint32_t project)
{
	struct fsxattr attr;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) != 0)
		return -1;
	attr.fsx_projid = project;
	if (project != 0)
		attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	else
		attr.fsx_xflags &= ~(uint32_t)FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attr);
}

int
project_join(int fd, int dir)
{
	struct fsxattr attr;

	if (ioctl(dir, FS_IOC_FSGETXATTR, &attr) != 0)
		return -1;
	return give(fd, attr.fsx_projid);
}

int
project_discard(int from, const char *name, int to, const char *new_name)
{
	auto_fd fd = -1;

	if (renameat(from, name, to, new_name) == 0)
		return 0;
	if (errno != EXDEV)
		return -1;
	fd = openat(from, name, OPEN_DIR);
	if (fd < 0 || project_join(fd, to) != 0)
		return -1;
	return renameat(from, name, to, new_name);
}

int
project_admit(int dir)
{
	struct fsxattr attr;

	if (ioctl(dir, FS_IOC_FSGETXATTR, &attr) != 0)
		return -1;
	attr.fsx_xflags &= ~(uint32_t)FS_XFLAG_PROJINHERIT;
	return ioctl(dir, FS_IOC_FSSETXATTR, &attr);
}

/* Has it been given to nothing else? */
static bool
is_alone(int fd, uint32_t project)
{
	struct if_dqblk q;

	memset(&q, 0, sizeof(q));
	return quota(fd, Q_GETQUOTA, project, &q) == 0 && q.dqb_curinodes == 1;
}

static uint32_t
choose(const struct config *c, int try)
{
	uint64_t among = try < 26 ? (uint64_t)WINDOW <<
	try : c
		->uid_count;
	uint32_t random = 0;

	if (among > c->uid_count)
		among = c->uid_count;
	/* Without chance the first that is free is found all the same. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)(getpid() + try);
	return (uint32_t)(c->uid_base + random % among);
}

/* What a kernel, file system or container without projects says. */
static bool
is_lack(int error)
{
	return error == EPERM || error == EACCES || error == ENOTTY ||
	       error == EOPNOTSUPP || error == EINVAL || error == ENOSYS ||
	       error == ESRCH || error == ENOTBLK;
}

int
project_take(const struct config *c, const int *dirs, size_t n)
{
	uint32_t project = 0;
	int try;

	if (!ids_privileged() || !project_is_on(dirs[0]))
		return 0;
	for (try = 0; try < TRIES; try++) {
		project = choose(c, try);
		if (give(dirs[0], project) != 0)
			return is_lack(errno) ? 0 : -1;
		if (is_alone(dirs[0], project))
			break;
	}
	if (try == TRIES) {
		/* All are in use, or who has them cannot be asked. */
		(void)give(dirs[0], 0);
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if (give(dirs[i], project) != 0)
			return -1;
	}
	return 0;
}

/*
 * The project of the directory `name` alone: an administrator may have made
 * all of state_dir one, which is not ours to limit. 0 for none.
 */
static uint32_t
project_of(int dir, const char *name)
{
	struct fsxattr own, above;
	auto_fd fd = openat(dir, name, OPEN_DIR);

	if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &own) != 0 ||
	    ioctl(dir, FS_IOC_FSGETXATTR, &above) != 0 ||
	    own.fsx_projid == above.fsx_projid ||
	    (own.fsx_xflags & FS_XFLAG_PROJINHERIT) == 0)
		return 0;
	return own.fsx_projid;
}

enum project_limited
project_limit(
    int dir, const char *name, const struct usage *most, bool building)
{
	uint32_t project = project_of(dir, name);
	uint64_t kb = most->kb, inodes = most->inodes;
	struct if_dqblk q;
	bool full;

	if (project == 0 || !project_is_on(dir))
		return PROJECT_NONE;
	memset(&q, 0, sizeof(q));
	if (quota(dir, Q_GETQUOTA, project, &q) != 0)
		return PROJECT_NONE;
	full = q.dqb_curspace / 1024 + SPARE_KB > kb ||
	       q.dqb_curinodes + SPARE_INODES > inodes;
	if (building && full) {
		kb += SPARE_KB;
		inodes += SPARE_INODES;
	}
	if (q.dqb_bhardlimit != kb || q.dqb_ihardlimit != inodes) {
		q.dqb_bhardlimit = kb;
		q.dqb_ihardlimit = inodes;
		/* Soft limits would become hard ones after a week. */
		q.dqb_bsoftlimit = q.dqb_isoftlimit = 0;
		q.dqb_valid = QIF_LIMITS;
		if (quota(dir, Q_SETQUOTA, project, &q) != 0)
			return PROJECT_NONE;
	}
	return building && full ? PROJECT_SPARE : PROJECT_HELD;
}

int
project_used(int dir, const char *name, uint64_t *ret_kb)
{
	uint32_t project = project_of(dir, name);
	struct if_dqblk q;

	memset(&q, 0, sizeof(q));
	if (project == 0 || !project_is_on(dir) ||
	    quota(dir, Q_GETQUOTA, project, &q) != 0)
		return -1;
	*ret_kb = q.dqb_curspace / 1024;
	return 0;
}

void
project_unlimit(int dir, const char *name)
{
	uint32_t project = project_of(dir, name);
	struct if_dqblk q;

	memset(&q, 0, sizeof(q));
	q.dqb_valid = QIF_LIMITS;
	if (project != 0)
		(void)quota(dir, Q_SETQUOTA, project, &q);
}
