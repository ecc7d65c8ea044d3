/* Readers that are slow, that go, and of all kinds. */
#include "carry.h"

/* The writer learns that the reader has gone, with and without data. */
static void
reader_goes(void)
{
	for (int data = 0; data < 2; data++) {
		start();
		relay_to_shared(&relay, to[1]);
		(void)close(to[1]);
		if (data)
			put("x", 1);
		(void)close(to[0]);
		HOLDS(!carry());
		HOLDS(!relay_pending(&relay) && relay.from == -1);
		HOLDS(write(from[1], "y", 1) == -1 && errno == EPIPE);
	}
}

/* Of what is to be whole that is a failure, and one that is told. */
static void
reader_of_whole_goes(void)
{
	for (int data = 0; data < 2; data++) {
		start();
		relay.whole = true;
		relay_to_shared(&relay, to[1]);
		(void)close(to[1]);
		HOLDS(!carry() && relay.error == 0);
		if (data)
			put("x", 1);
		(void)close(to[0]);
		HOLDS(!carry());
		HOLDS(relay.from == -1 && relay.error == EPIPE);
	}
}

/* Bytes that were read for a reader who then goes are given up. */
static void
reader_goes_late(void)
{
	static char data[RELAY_SIZE];

	start();
	relay_to_shared(&relay, to[1]);
	(void)close(to[1]);
	HOLDS(fcntl(to[0], F_SETPIPE_SZ, 4096) == 4096);
	put(data, 20000);
	HOLDS(!carry());
	HOLDS(relay.len > 0 && relay_pending(&relay));
	(void)close(to[0]);
	HOLDS(!carry() && !relay_pending(&relay));
	HOLDS(write(from[1], "y", 1) == -1 && errno == EPIPE);
}

/* What fd takes while nobody reads, then all that was put, in order. */
static void
hold_back(int fd, int reader)
{
	static char data[RELAY_SIZE * 2], got[RELAY_SIZE * 2];
	size_t sent = 0, have = 0;
	ssize_t n;

	fill(data, sizeof(data));
	HOLDS(fcntl(from[1], F_SETFL, O_NONBLOCK) == 0);
	HOLDS(fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
	relay_to_shared(&relay, fd);
	while (sent < sizeof(data) &&
	       (n = write(from[1], data + sent,
		    sizeof(data) - sent < 1000 ? sizeof(data) - sent : 1000)) >
		   0) {
		sent += (size_t)n;
		HOLDS(!carry());
	}
	HOLDS(sent < sizeof(data) && relay.len > 0 && relay.len <= RELAY_SIZE);
	(void)close(from[1]);
	while ((n = read(reader, got + have, 777)) > 0) {
		have += (size_t)n;
		HOLDS(!carry());
	}
	HOLDS(have == sent && memcmp(got, data, sent) == 0);
	HOLDS(!relay_pending(&relay));
}

static void
slow_pipe(void)
{
	start();
	HOLDS(fcntl(from[1], F_SETPIPE_SZ, 4096) == 4096);
	HOLDS(fcntl(to[1], F_SETPIPE_SZ, 4096) == 4096);
	hold_back(to[1], to[0]);
}

static void
slow_socket(void)
{
	int pair[2], size = 4096;

	start();
	HOLDS(fcntl(from[1], F_SETPIPE_SZ, 4096) == 4096);
	HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	HOLDS(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ==
	      0);
	hold_back(pair[0], pair[1]);
	HOLDS(relay.to_socket && !relay.to_is_ours);
	HOLDS((fcntl(pair[0], F_GETFL) & O_NONBLOCK) == 0);
}

static void
socket_goes(void)
{
	static char data[RELAY_SIZE];
	int pair[2], size = 4096;

	start();
	(void)signal(SIGPIPE, SIG_DFL);
	HOLDS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	HOLDS(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ==
	      0);
	relay_to_shared(&relay, pair[0]);
	put(data, sizeof(data));
	HOLDS(!carry());
	HOLDS(relay.len > 0);
	(void)close(pair[1]);
	HOLDS(!carry() && !relay_pending(&relay));
	HOLDS(fcntl(pair[0], F_GETFD) >= 0);
}

static void
to_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);

	if (fd < 0)
		skip("no file without a name to be had");
	start();
	HOLDS(write(fd, "a", 1) == 1);
	relay_to_shared(&relay, fd);
	HOLDS(relay.to == fd && !relay.to_is_ours);
	put("bcd", 3);
	(void)close(from[1]);
	HOLDS(!carry() && !relay_pending(&relay));
	HOLDS(lseek(fd, 0, SEEK_SET) == 0);
	expect_data(fd, "abcd", 4);
}

/* A disk that is full is a reader who has gone. */
static void
to_full(void)
{
	int fd = open("/dev/full", O_WRONLY);

	if (fd < 0)
		skip("no /dev/full");
	start();
	relay_to_shared(&relay, fd);
	put("x", 1);
	HOLDS(!carry() && !relay_pending(&relay));
	HOLDS(write(from[1], "y", 1) == -1 && errno == EPIPE);
}

static void
to_closed(void)
{
	start();
	relay_to_shared(&relay, 999);
	put("x", 1);
	HOLDS(!carry() && !relay_pending(&relay));
}

/* A pipe that cannot be opened anew gets what poll(2) promised room for. */
static void
small_pieces(void)
{
	static char data[RELAY_SIZE];

	start();
	HOLDS(fcntl(to[1], F_SETPIPE_SZ, 8192) == 8192);
	relay.to = to[1];
	relay.to_blocks = true;
	fill(data, sizeof(data));
	put(data, 20000);
	(void)alarm(5); /* it would block here */
	HOLDS(!carry());
	HOLDS(relay.len == 20000 - 8192);
	expect_data(to[0], data, 8192);
	HOLDS(!carry());
	expect_data(to[0], data + 8192, 8192);
	HOLDS(!carry());
	expect_data(to[0], data + 16384, 20000 - 16384);
}

static const struct testcase cases[] = {
	{ "the writer learns that the reader has gone", reader_goes },
	{ "a reader who goes is a failure of what is to be whole",
	    reader_of_whole_goes },
	{ "a reader may go with bytes on their way", reader_goes_late },
	{ "a slow pipe holds the writer back and loses nothing", slow_pipe },
	{ "a slow socket does so without O_NONBLOCK", slow_socket },
	{ "a socket that has gone sends no SIGPIPE", socket_goes },
	{ "a file is appended to and not truncated", to_file },
	{ "a full disk ends it", to_full },
	{ "a descriptor that is not open ends it", to_closed },
	{ "a pipe that may block gets small pieces", small_pieces },
};

int
main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	return cases_run(cases, LENGTH(cases));
}
