/* Messages of the sandbox's first process, also those it should not send. */
#include "control.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "unit.h"

#define MANY 16

static int pair[2]; /* from the sandbox, to the supervisor */
static struct control got;

/*
 * A descriptor written past the array would be in after: in one piece of
 * memory, so that it is seen without a sanitizer too.
 */
static struct {
	int fds[CONTROL_FD_MAX];
	int after[MANY];
} room;

static int
receive(void)
{
	memset(&got, 0x55, sizeof(got));
	memset(&room, 0x55, sizeof(room));
	return control_receive(pair[1], &got, room.fds, 0);
}

/* Sends any bytes with any descriptors. */
static void
send_raw(const void *data, size_t len, int type, const int *fds, size_t n)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(MANY * sizeof(int))];
	} u;
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	memset(&u, 0, sizeof(u));
	if (n > 0) {
		msg.msg_control = u.space;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		u.head.cmsg_level = SOL_SOCKET;
		u.head.cmsg_type = type;
		u.head.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&u.head), fds, n * sizeof(int));
	}
	HOLDS(sendmsg(pair[0], &msg, 0) == (ssize_t)len);
}

static bool
none_came(void)
{
	for (int i = 0; i < CONTROL_FD_MAX; i++) {
		if (room.fds[i] != -1)
			return false;
	}
	return true;
}

/* Descriptors that are open. */
static int
open_count(void)
{
	int n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
round_trip(void)
{
	struct control c = {
		.error = ENOENT, .status = 0x0b, .cpu_us = 1234567
	};

	(void)failure_set(&c.failure, "mounts", EPERM, "at %s", "/x");
	for (int type = 0; type < CONTROL_MAX; type++) {
		c.type = type;
		HOLDS(control_send(pair[0], &c, NULL, 0) == 0);
	}
	for (int type = 0; type < CONTROL_MAX; type++) {
		HOLDS(receive() == 1 && none_came());
		HOLDS((int)got.type == type);
		HOLDS(got.error == ENOENT && got.status == 0x0b);
		HOLDS(got.cpu_us == 1234567 && got.failure.error == EPERM);
		expect_text(got.failure.step, "mounts", "step");
		expect_text(got.failure.detail, "at /x", "detail");
	}
	HOLDS(receive() == -1 && errno == EAGAIN);
}

static void
with_fds(void)
{
	const struct control c = { .type = CONTROL_READY };
	int fds[CONTROL_FD_MAX] = { 0, 1, 2 };
	struct stat sent, found;

	for (int n = 1; n <= CONTROL_FD_MAX; n++) {
		HOLDS(control_send(pair[0], &c, fds, n) == 0);
		HOLDS(receive() == 1 && got.type == CONTROL_READY);
		for (int i = 0; i < CONTROL_FD_MAX; i++) {
			HOLDS((room.fds[i] >= 0) == (i < n));
			if (i >= n)
				continue;
			HOLDS(fstat(fds[i], &sent) == 0 &&
			      fstat(room.fds[i], &found) == 0);
			HOLDS(sent.st_ino == found.st_ino);
			HOLDS(fcntl(room.fds[i], F_GETFD) == FD_CLOEXEC);
			(void)close(room.fds[i]);
		}
		HOLDS(room.after[0] == 0x55555555);
	}
}

/* More than there is room for: neither written beyond nor left open. */
static void
too_many_fds(void)
{
	const struct control c = { .type = CONTROL_READY };
	int fds[MANY] = { 0 };

	for (size_t n = CONTROL_FD_MAX + 1; n <= MANY; n++) {
		int before = open_count();

		send_raw(&c, sizeof(c), SCM_RIGHTS, fds, n);
		(void)receive();
		HOLDS(room.after[0] == 0x55555555);
		for (int i = 0; i < CONTROL_FD_MAX; i++) {
			if (room.fds[i] >= 0)
				(void)close(room.fds[i]);
		}
		expect_number(open_count(), before, "open descriptors");
	}
}

static void
no_room_for_fds(void)
{
	const struct control c = { .type = CONTROL_READY };
	struct rlimit few = { 0, 0 };
	int fds[CONTROL_FD_MAX] = { 0, 1, 2 };

	few.rlim_cur = few.rlim_max = (rlim_t)pair[1] + 2;
	HOLDS(control_send(pair[0], &c, fds, CONTROL_FD_MAX) == 0);
	HOLDS(setrlimit(RLIMIT_NOFILE, &few) == 0);
	(void)receive();
	HOLDS(room.fds[1] == -1 && room.fds[2] == -1);
	HOLDS(room.after[0] == 0x55555555);
}

/* Credentials are ancillary data too, and no descriptors. */
static void
other_ancillary(void)
{
	const struct control c = { .type = CONTROL_READY };
	int on = 1, before;

	HOLDS(
	    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	before = open_count();
	send_raw(&c, sizeof(c), 0, NULL, 0);
	HOLDS(receive() == 1 && none_came());
	HOLDS(room.after[0] == 0x55555555);
	HOLDS(open_count() == before);
}

static void
wrong_sizes(void)
{
	static char data[sizeof(struct control) + 64];
	static const size_t sizes[] = { 1, 3, 4, sizeof(struct control) - 1,
		sizeof(struct control) + 1, sizeof(struct control) + 64 };
	int fd = 0;

	for (size_t i = 0; i < LENGTH(sizes); i++) {
		send_raw(data, sizes[i], SCM_RIGHTS, &fd, i % 2);
		errno = 0;
		expect_number(receive(), -1, "result");
		expect_number(errno, EPROTO, "errno");
		if (room.fds[0] >= 0)
			(void)close(room.fds[0]);
	}
}

static void
wrong_types(void)
{
	static const int types[] = { CONTROL_MAX, CONTROL_MAX + 1, -1,
		0x7fffffff, (int)0x80000000 };
	struct control c;

	memset(&c, 0, sizeof(c));
	for (size_t i = 0; i < LENGTH(types); i++) {
		memcpy(&c.type, &types[i], sizeof(int));
		send_raw(&c, sizeof(c), 0, NULL, 0);
		errno = 0;
		HOLDS(receive() == -1 && errno == EPROTO);
	}
}

/* Texts that end nowhere are ended here. */
static void
endless_texts(void)
{
	struct control c;
	char text[400];

	memset(&c, 'x', sizeof(c));
	c.type = CONTROL_FAILED;
	c.failure.error = 0;
	send_raw(&c, sizeof(c), 0, NULL, 0);
	HOLDS(receive() == 1);
	HOLDS(strlen(got.failure.step) == sizeof(got.failure.step) - 1);
	HOLDS(strlen(got.failure.detail) == sizeof(got.failure.detail) - 1);
	(void)failure_text(&got.failure, text, sizeof(text));
	HOLDS(strlen(text) ==
	      sizeof(got.failure.step) + sizeof(got.failure.detail));
}

static void
ends(void)
{
	const struct control c = { .type = CONTROL_ENDED };

	/* A pair that no other process holds. */
	HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	HOLDS(control_send(pair[0], &c, NULL, 0) == 0);
	(void)close(pair[0]);
	HOLDS(receive() == 1);
	HOLDS(receive() == 0 && none_came());
	HOLDS(control_send(pair[1], &c, NULL, 0) == -1 && errno == EPIPE);
	HOLDS(control_receive(-1, &got, room.fds, 0) == -1 && errno == EBADF);
}

static void
failures(void)
{
	struct failure f;
	char text[300], longer[300];

	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	HOLDS(failure_set(&f, "root", ENOENT, "open %s", "/a") == -1);
	expect_text(failure_text(&f, text, sizeof(text)),
	    "root: open /a: No such file or directory", "with an errno");
	HOLDS(failure_set(&f, "ids", 0, "none left") == -1);
	expect_text(failure_text(&f, text, sizeof(text)), "ids: none left",
	    "without one");
	(void)failure_set(&f, longer, EPERM, "%s", longer);
	HOLDS(strlen(f.step) == 15 && strlen(f.detail) == 231);
	char *cut = guarded("0123456789", 10);
	(void)failure_text(&f, cut, 10);
	expect_text(cut, "yyyyyyyyy", "cut");
}

static const struct testcase cases[] = {
	{ "a message arrives as it was sent", round_trip },
	{ "descriptors come along, closed on exec", with_fds },
	{ "more descriptors than are known do no harm", too_many_fds },
	{ "descriptors that find no room are -1", no_room_for_fds },
	{ "other ancillary data is no descriptor", other_ancillary },
	{ "a message of another size is refused", wrong_sizes },
	{ "a message of no known type is refused", wrong_types },
	{ "a text without end is ended", endless_texts },
	{ "the end of the sandbox is seen, without SIGPIPE", ends },
	{ "a failure is told as step, detail and reason", failures },
};

int
main(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		return 1;
	return cases_run(cases, LENGTH(cases));
}
