#ifndef EXEC_SYS_H
#define EXEC_SYS_H

/*
 * System calls that the supported C libraries do not all wrap. Each returns
 * what syscall(2) returns: -1 and errno on failure. <sys/mount.h> is left out
 * on purpose, it clashes with <linux/mount.h> in some library versions.
 */

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#ifndef MS_REC
#define MS_REC 16384
#define MS_PRIVATE (1 << 18)
#endif
#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

/* A directory of ours, to be read; never through a link. */
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* The open file is closed on every return from the scope. */
#define auto_fd __attribute__((cleanup(sys_close))) int

static inline void
sys_close(int *fd)
{
	int error = errno;

	if (*fd >= 0)
		close(*fd);
	errno = error;
}

/* Of CLOCK_MONOTONIC. */
static inline uint64_t
sys_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static inline int64_t
sys_now_ms(void)
{
	return (int64_t)(sys_now_us() / 1000);
}

/* The CPU time, of user and kernel. */
static inline uint64_t
sys_cpu_us(const struct rusage *r)
{
	return (uint64_t)(r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(r->ru_utime.tv_usec + r->ru_stime.tv_usec);
}

/* Hands the descriptor out of its auto_fd. */
static inline int
sys_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline pid_t
sys_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

static inline int
sys_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int
sys_fsconfig(int fd, unsigned cmd, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fd, cmd, key, value, 0);
}

static inline int
sys_fsmount(int fd, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

static inline int
sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

/* Attaches the mount at fd to what target, an O_PATH descriptor, names. */
static inline int
sys_move_mount(int fd, int target, const char *name)
{
	return (int)syscall(SYS_move_mount, fd, "", target, name,
	    MOVE_MOUNT_F_EMPTY_PATH |
		(*name == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0));
}

static inline int
sys_mount_setattr(int fd, unsigned flags, const struct mount_attr *attr)
{
	return (int)syscall(
	    SYS_mount_setattr, fd, "", flags, attr, sizeof(*attr));
}

static inline int
sys_mount(const char *source, const char *target, const char *type,
    unsigned long flags, const void *data)
{
	return (int)syscall(SYS_mount, source, target, type, flags, data);
}

static inline int
sys_umount(const char *target, int flags)
{
	return (int)syscall(SYS_umount2, target, flags);
}

/* As renameat(2), but nothing is replaced: then errno is EEXIST. */
static inline int
sys_rename_new(int from, const char *name, int to, const char *new_name)
{
	return (int)syscall(SYS_renameat2, from, name, to, new_name, 1);
}

static inline int
sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int
sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC,
		.resolve = resolve };

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

static inline int
sys_quotactl_fd(int fd, unsigned cmd, unsigned id, void *data)
{
	return (int)syscall(SYS_quotactl_fd, fd, cmd, id, data);
}

static inline int
sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

#endif
