#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "defence.h"
#include "fail.h"
#include "sys.h"

/* Beyond all places: who has it locked is the only one that looks for one. */
#define GATE (INT64_MAX - 1)

/*
 * A process, also after its number has been given to another one: of those
 * who have had it, the one that was born in these microseconds.
 */
struct note {
	int32_t pid;
	uint32_t took_us; /* to start it */
	int64_t before_us; /* CLOCK_BOOTTIME, as /proc has it */
};
_Static_assert(sizeof(struct note) == PLACE_NOTE, "as the header says");

static int
lock_byte(int fd, int command, short type, uint64_t at)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_len = 1
	};

	lock.l_start = (off_t)at;
	return fcntl(fd, command, &lock);
}

static int
search(int fd, uint64_t count,
    int (*is_good)(const void *context, int fd, uint64_t n),
    const void *context, uint64_t *ret_n)
{
	int good;

	for (uint64_t i = 0; i < count; i++) {
		/* Begun anywhere, so that few meet the same ones first. */
		uint64_t n = ((uint64_t)getpid() + i) % count;

		if (DEFENCE(PLACE_LOCK) &&
		    lock_byte(fd, F_OFD_SETLK, F_WRLCK, n) != 0) {
			if (errno == EAGAIN || errno == EACCES)
				continue;
			return -1;
		}
		good = is_good == NULL ? 1 : is_good(context, fd, n);
		if (good < 0)
			return -1;
		if (good > 0) {
			*ret_n = n;
			return 0;
		}
		(void)lock_byte(fd, F_OFD_SETLK, F_UNLCK, n);
	}
	errno = EAGAIN;
	return -1;
}

/*
 * One at a time: while somebody searches, places only become free. Else one
 * that has been passed could become free, another one be taken that has not
 * been reached, and the search find none though there always was one.
 */
int
place_take(int fd, uint64_t count,
    int (*is_good)(const void *context, int fd, uint64_t n),
    const void *context, uint64_t *ret_n)
{
	int r, error;

	while (lock_byte(fd, F_OFD_SETLKW, F_WRLCK, GATE) != 0) {
		if (errno != EINTR)
			return -1;
	}
	r = search(fd, count, is_good, context, ret_n);
	error = errno;
	(void)lock_byte(fd, F_OFD_SETLK, F_UNLCK, GATE);
	errno = error;
	return r;
}

int64_t
place_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int
place_note(int fd, uint64_t n, pid_t pid, int64_t before_us)
{
	int64_t took = place_now_us() - before_us;
	struct note note = { pid,
		took < UINT32_MAX ? (uint32_t)took : UINT32_MAX, before_us };
	ssize_t done =
	    pwrite(fd, &note, sizeof(note), (off_t)(n * sizeof(note)));

	if (done >= 0 && done != sizeof(note))
		errno = ENOSPC;
	return done == sizeof(note) ? 0 : -1;
}

/* The tick in which the process began; -1/errno. */
static int64_t
born_tick(pid_t pid)
{
	char path[32], buf[1024];
	unsigned long long ticks;
	const char *p;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	/* The name in parentheses may hold anything: look for its end. */
	p = strrchr(buf, ')');
	if (p == NULL || sscanf(p + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
			     " %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			     &ticks) != 1) {
		if (n >= 0)
			errno = ESRCH;
		return -1;
	}
	return (int64_t)ticks;
}

/* Or has its number been given to another one since? */
static bool
is_it(const struct note *note, int64_t tick)
{
	const int64_t tick_us = 1000000 / sysconf(_SC_CLK_TCK);

	return tick >= note->before_us / tick_us &&
	       tick <= (note->before_us + note->took_us) / tick_us;
}

/* There is nobody, unless that cannot be told. */
static int
nobody(bool can_tell)
{
	if (can_tell)
		errno = ENOENT;
	return -1;
}

int
place_left(int fd, uint64_t n)
{
	struct pollfd ended = { .events = POLLIN };
	int64_t born;
	struct note note;
	ssize_t len = pread(fd, &note, sizeof(note), (off_t)(n * sizeof(note)));
	int r;

	/* A directory, or a pipe, has no note. */
	if (len != sizeof(note) || note.pid <= 0 || note.before_us < 0)
		return nobody(len >= 0 || !fail_is_machines(errno));
	if (!DEFENCE(PLACE_LEFT))
		return nobody(true);
	auto_fd pidfd = (int)syscall(SYS_pidfd_open, note.pid, 0);
	if (pidfd < 0)
		return nobody(errno == ESRCH || errno == EINVAL);
	born = born_tick(note.pid);
	if (born < 0)
		return nobody(errno == ENOENT || errno == ESRCH);
	ended.fd = pidfd;
	r = poll(&ended, 1, 0);
	if (!is_it(&note, born) || r != 0)
		return nobody(r >= 0);
	return sys_take(&pidfd);
}
