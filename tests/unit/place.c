/* Numbered places, taken and given back by many at once. */
#include "place.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>

#include "unit.h"

static char path[] = "/tmp/mayfly-place.XXXXXX";
static void (*before_lock)(void); /* called once, in the middle of a search */
static int skipped_locks;

/* In place of the library's: to come in between the locks of a search. */
int
fcntl(int fd, int command, ...)
{
	void (*call)(void) = before_lock;
	va_list ap;
	void *lock;

	va_start(ap, command);
	lock = va_arg(ap, void *);
	va_end(ap);
	if (call != NULL && command == F_OFD_SETLK && skipped_locks-- == 0) {
		before_lock = NULL;
		call();
	}
	return (int)syscall(SYS_fcntl, fd, command, lock);
}

static int
open_places(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	HOLDS(fd >= 0);
	return fd;
}

static void
start(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		skip("no file to be had");
	(void)close(fd);
}

static void
clean(void)
{
	(void)unlink(path);
}

static uint64_t
take(int fd, uint64_t count)
{
	uint64_t n = UINT64_MAX;

	HOLDS(place_take(fd, count, NULL, NULL, &n) == 0);
	return n;
}

static bool
is_refused(uint64_t count)
{
	int fd = open_places();
	uint64_t n;
	bool refused =
	    place_take(fd, count, NULL, NULL, &n) != 0 && errno == EAGAIN;

	(void)close(fd);
	return refused;
}

static void
as_many(void)
{
	bool taken[5] = { false };
	int fds[5];

	start();
	for (int i = 0; i < 5; i++) {
		uint64_t n;

		fds[i] = open_places();
		n = take(fds[i], 5);
		HOLDS(n < 5 && !taken[n]);
		taken[n < 5 ? n : 0] = true;
	}
	HOLDS(is_refused(5));
	(void)close(fds[2]);
	fds[2] = open_places();
	HOLDS(take(fds[2], 5) < 5);
	HOLDS(is_refused(5));
	clean();
}

static void
of_the_dead(void)
{
	int status, fd;
	pid_t pid;

	start();
	pid = fork();
	if (pid == 0) {
		fd = open_places();
		(void)take(fd, 1);
		(void)raise(SIGKILL);
	}
	HOLDS(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	fd = open_places();
	HOLDS(take(fd, 1) == 0);
	clean();
}

static int held, other;

/* The place that was passed becomes free, and somebody takes the other. */
static void
change_places(void)
{
	struct timespec moment = { 0, 200000000 };

	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)alarm(20);
		(void)close(held);
		(void)take(other, 2);
		(void)pause();
		_exit(0);
	}
	(void)close(held);
	(void)nanosleep(&moment, NULL);
}

/*
 * There is one free place all the time. Whoever begins where the held one is
 * passes it, and finds it free only when it waits for nobody to take the other.
 */
static void
in_the_middle(void)
{
	int fd;

	start();
	held = open_places();
	other = open_places();
	fd = open_places();
	HOLDS(take(held, 2) < 2);
	skipped_locks = 1;
	before_lock = change_places;
	HOLDS(take(fd, 2) < 2);
	HOLDS(before_lock == NULL);
	clean();
}

static int
is_odd(const void *context, int fd, uint64_t n)
{
	(void)fd;
	return context == NULL && n % 2 == 1;
}

static void
only_good(void)
{
	int fds[3];
	uint64_t n[3];

	start();
	for (int i = 0; i < 2; i++) {
		fds[i] = open_places();
		HOLDS(place_take(fds[i], 4, is_odd, NULL, &n[i]) == 0);
		HOLDS(n[i] == 1 || n[i] == 3);
	}
	fds[2] = open_places();
	HOLDS(
	    place_take(fds[2], 4, is_odd, NULL, &n[2]) != 0 && errno == EAGAIN);
	/* What was no good is nobody's. */
	HOLDS(take(fds[2], 4) % 2 == 0);
	clean();
}

static void
notes(void)
{
	struct pollfd left = { .events = POLLIN };
	int fd, go[2];
	int64_t before;
	pid_t pid;

	start();
	fd = open_places();
	HOLDS(place_left(fd, 0) < 0);
	HOLDS(pipe(go) == 0);
	before = place_now_us();
	pid = fork();
	if (pid == 0) {
		char byte;

		(void)close(go[1]);
		_exit(read(go[0], &byte, 1) != 0);
	}
	place_note(fd, 3, pid, before);
	left.fd = place_left(fd, 3);
	HOLDS(left.fd >= 0 && poll(&left, 1, 0) == 0);
	HOLDS(place_left(fd, 2) < 0 && place_left(fd, 4) < 0);
	(void)close(go[1]);
	HOLDS(poll(&left, 1, 5000) == 1);
	/* Nothing of it runs any more, also while nobody has waited for it. */
	HOLDS(place_left(fd, 3) < 0);
	HOLDS(waitpid(pid, NULL, 0) == pid);
	HOLDS(place_left(fd, 3) < 0);
	clean();
}

/* A number that has been given to another process since. */
static void
another(void)
{
	int64_t note[2], before = place_now_us();
	pid_t pid;
	int fd;

	start();
	fd = open_places();
	pid = fork();
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	place_note(fd, 0, pid, before);
	HOLDS(place_left(fd, 0) >= 0);
	/* Those who came just before, and just after, are others. */
	place_note(fd, 1, pid, before - 60000000);
	HOLDS(pread(fd, note, sizeof(note), sizeof(note)) == sizeof(note));
	note[0] = pid;
	HOLDS(pwrite(fd, note, sizeof(note), 0) == sizeof(note));
	HOLDS(place_left(fd, 0) < 0);
	(void)usleep(30000);
	place_note(fd, 0, pid, place_now_us());
	HOLDS(place_left(fd, 0) < 0);
	(void)kill(pid, SIGKILL);
	HOLDS(waitpid(pid, NULL, 0) == pid);
	memset(note, 0x5a, sizeof(note));
	HOLDS(pwrite(fd, note, sizeof(note), 0) == sizeof(note));
	HOLDS(place_left(fd, 0) < 0);
	clean();
}

int
main(void)
{
	static const struct testcase cases[] = {
		{ "there are so many places and not one more", as_many },
		{ "a place is free when its holder was killed", of_the_dead },
		{ "nobody is refused while a place is free", in_the_middle },
		{ "only what is good is taken", only_good },
		{ "what a killed holder has left is known", notes },
		{ "it is not mistaken for another process", another },
	};

	return cases_run(cases, LENGTH(cases));
}
