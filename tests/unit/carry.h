#ifndef UNIT_CARRY_H
#define UNIT_CARRY_H

/* A relay between two pipes, and turns of it. */
#include "relay.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>

#include "unit.h"

static struct relay relay;
static char buf[RELAY_SIZE];
static int from[2], to[2]; /* from: into the relay; to: out of it */

/* One turn with what is ready within ms; how many descriptors were. */
static inline int
turn(int ms, enum relay_state *ret)
{
	struct pollfd fds[2];
	int n = relay_poll(&relay, fds, 0), ready;

	HOLDS(n <= 2);
	ready = n > 0 ? poll(fds, (nfds_t)n, ms) : 0;
	if (ready > 0)
		*ret = relay_move(&relay, fds);
	return ready;
}

/* Until nothing is ready; whether the limit was told as passed. */
static inline bool
carry(void)
{
	enum relay_state state;
	bool over = false;
	int turns = 0;

	for (;; turns++) {
		state = RELAY_GOES_ON;
		if (turn(0, &state) <= 0)
			return over;
		over = over || state == RELAY_OVER;
		if (!HOLDS(turns < 10000))
			return over;
	}
}

static inline void
fill(char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 251);
}

static inline void
put(const char *data, size_t len)
{
	HOLDS(write(from[1], data, len) == (ssize_t)len);
}

static inline void
start(void)
{
	HOLDS(pipe(from) == 0 && pipe(to) == 0);
	HOLDS(fcntl(to[0], F_SETFL, O_NONBLOCK) == 0);
	relay_init(&relay, buf);
	relay.from = from[0];
	relay.owns_from = true;
}

/* What came out is exactly the data, and nothing after it. */
static inline void
expect_data(int fd, const char *data, size_t len)
{
	static char got[RELAY_SIZE * 2];
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, got + have, sizeof(got) - have)) > 0)
		have += (size_t)n;
	expect_number((int64_t)have, (int64_t)len, "bytes");
	HOLDS(have == len && memcmp(got, data, len) == 0);
}

#endif
