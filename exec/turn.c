#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "place.h"
#include "store.h"
#include "sys.h"

/*
 * A lock belongs to the open file description, and so to this process as
 * well: the child waits for it in flock(2), and its end is an event.
 */
static pid_t
start_waiter(int fd, int *ret_pidfd)
{
	/* No SIGCHLD: who ignores that one could not wait for the child. */
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd };
	pid_t parent = getpid(), pid = sys_clone3(&args);
	sigset_t none;

	if (pid != 0)
		return pid;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	_exit(flock(fd, LOCK_EX) != 0);
}

/* 0 once the waiter has ended, else why not to wait any longer. */
static int
watch_waiter(int pidfd, int caller, int gone, uint64_t ms)
{
	int64_t end = sys_now_ms() + (int64_t)ms, now;
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
		{ .fd = gone, .events = POLLIN },
		{ .fd = caller, .events = POLLIN | POLLRDHUP } };

	for (;;) {
		now = sys_now_ms();
		if (now >= end)
			return ETIMEDOUT;
		if (poll(fds, 3, (int)(end - now)) < 0 && errno != EINTR)
			return errno;
		if (fds[1].revents != 0)
			return ECANCELED;
		if (fds[0].revents != 0)
			return 0;
		if (fds[2].revents != 0)
			return EPIPE;
	}
}

int
turn_wait(int fd, int caller, int gone, uint64_t ms)
{
	auto_fd pidfd = -1;
	int error;
	pid_t pid;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -1;
	pid = start_waiter(fd, &pidfd);
	if (pid < 0)
		return -1;
	error = watch_waiter(pidfd, caller, gone, ms);
	/* Else it ends with this process. */
	while (kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, __WALL) < 0 &&
	       errno == EINTR)
		;
	/* It may have come to it in the last moment. */
	if (error != ECANCELED && error != EPIPE &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	errno = error != 0 ? error : ETIMEDOUT;
	return -1;
}

int
turn_wait_run(int fd, int caller, int gone, uint64_t ms)
{
	int64_t end = sys_now_ms() + (int64_t)ms, now;

	if (turn_wait(fd, caller, gone, ms) != 0)
		return -1;
	auto_fd left = place_left(fd, 0);
	if (left < 0)
		return errno == ENOENT ? 0 : -1;
	now = sys_now_ms();
	errno = watch_waiter(
	    left, caller, gone, now < end ? (uint64_t)(end - now) : 0);
	return errno == 0 ? 0 : -1;
}
