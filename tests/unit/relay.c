/* What a relay lets through: all of it, or exactly up to the limit. */
#include "carry.h"

static struct kept kept;

static void
start_keeping(uint64_t limit)
{
	start();
	memset(&kept, 0, sizeof(kept));
	relay.kept = &kept;
	relay.keeps = true;
	relay.limit = limit;
}

static void
idle(void)
{
	struct pollfd fds[2];

	relay_init(&relay, buf);
	HOLDS(!relay_pending(&relay));
	HOLDS(relay_poll(&relay, fds, 0) == 0);
	HOLDS(relay_poll(&relay, fds, 2) == 2);
	HOLDS(relay_move(&relay, fds) == RELAY_GOES_ON);
	relay_close(&relay);
	relay_close(&relay);
}

/* Kept: n - 1 and n bytes are all, of n + 1 the last is not there. */
static void
kept_limits(void)
{
	static const uint64_t limits[] = { 0, 1, 2, 4095, 4096, 4097, 8192,
		65535, 65536 };
	static char data[RELAY_SIZE + 1];

	fill(data, sizeof(data));
	for (size_t i = 0; i < LENGTH(limits); i++) {
		for (int more = -1; more <= 1; more++) {
			size_t len = (size_t)limits[i] + (size_t)more;
			size_t wanted = more > 0 ? len - 1 : len;
			bool over;

			if (limits[i] == 0 && more < 0)
				continue;
			start_keeping(limits[i]);
			(void)fcntl(from[1], F_SETPIPE_SZ, RELAY_SIZE * 2);
			put(data, len);
			over = carry();
			(void)close(from[1]);
			over = carry() || over;
			HOLDS(over == (more > 0) && relay.over == over);
			HOLDS(kept.truncated == over);
			expect_number(
			    (int64_t)kept.len, (int64_t)wanted, "kept");
			HOLDS(wanted == 0 ||
			      memcmp(kept.data, data, wanted) == 0);
			HOLDS(!relay_pending(&relay));
			relay_close(&relay);
			free(kept.data);
		}
	}
}

/* The same where the bytes come in pieces. */
static void
kept_pieces(void)
{
	char data[1000];

	fill(data, sizeof(data));
	for (size_t piece = 1; piece < 12; piece++) {
		size_t sent = 0;

		start_keeping(100);
		for (; sent + piece <= 100; sent += piece) {
			put(data + sent, piece);
			HOLDS(!carry());
		}
		put(data + sent, 100 - sent);
		HOLDS(!carry() && !kept.truncated && kept.len == 100);
		put(data + 100, 1);
		HOLDS(carry() && kept.truncated && kept.len == 100);
		HOLDS(memcmp(kept.data, data, 100) == 0);
		HOLDS(relay.passed == 100);
		relay_close(&relay);
		(void)close(from[1]);
	}
}

static void
kept_growth(void)
{
	static char data[300000];
	size_t sent = 0;

	fill(data, sizeof(data));
	start_keeping(LIMIT_UNSET);
	for (size_t n = 1; sent + n < sizeof(data); n = n * 3 % 7919 + 1) {
		put(data + sent, n);
		HOLDS(!carry());
		sent += n;
	}
	HOLDS(kept.len == sent && memcmp(kept.data, data, sent) == 0);
	HOLDS(!kept.truncated);
}

static void
passed_limits(void)
{
	const char data[] = "0123456789";

	for (size_t len = 9; len <= 10; len++) {
		start();
		relay.kept = &kept;
		kept.truncated = false;
		relay.limit = 9;
		relay_to_shared(&relay, to[1]);
		put(data, len);
		HOLDS(carry() == (len == 10));
		HOLDS(kept.truncated == (len == 10));
		expect_data(to[0], data, 9);
		HOLDS(kept.data == NULL && relay.passed == 9);
		relay_close(&relay);
	}
}

/* A limit counts all that went through, not what is in the pipe. */
static void
limit_in_all(void)
{
	start();
	relay.kept = &kept;
	relay.limit = 6;
	relay_to_shared(&relay, to[1]);
	put("abc", 3);
	HOLDS(!carry());
	expect_data(to[0], "abc", 3);
	put("def", 3);
	HOLDS(!carry());
	expect_data(to[0], "def", 3);
	put("ghi", 3);
	HOLDS(carry());
	expect_data(to[0], "", 0);
	put("more", 4);
	HOLDS(!carry());
	HOLDS(!relay_pending(&relay));
}

static void
nowhere(void)
{
	start();
	put("gone", 4);
	HOLDS(!carry());
	HOLDS(relay.passed == 4 && relay_pending(&relay));
	(void)close(from[1]);
	HOLDS(!carry() && !relay_pending(&relay));
}

static void
end_is_passed_on(void)
{
	char c;

	start();
	relay.to = to[1];
	relay.to_is_ours = true;
	put("last", 4);
	(void)close(from[1]);
	HOLDS(!carry() && !relay_pending(&relay));
	HOLDS(relay.to == -1 && relay.from == -1);
	expect_data(to[0], "last", 4);
	HOLDS(read(to[0], &c, 1) == 0);
	HOLDS(fcntl(from[0], F_GETFD) == -1 && fcntl(to[1], F_GETFD) == -1);
}

/* What others share stays open. */
static void
end_is_not_passed_on(void)
{
	char c;

	start();
	relay.owns_from = false;
	relay_to_shared(&relay, to[1]);
	HOLDS(relay.to_is_ours && relay.to != to[1]);
	HOLDS((fcntl(to[1], F_GETFL) & O_NONBLOCK) == 0);
	put("x", 1);
	(void)close(from[1]);
	HOLDS(!carry());
	expect_data(to[0], "x", 1);
	relay_close(&relay);
	HOLDS(fcntl(from[0], F_GETFD) >= 0 && fcntl(to[1], F_GETFD) >= 0);
	HOLDS(read(to[0], &c, 1) == -1 && errno == EAGAIN);
}

static const struct testcase cases[] = {
	{ "a relay without ends waits for nothing", idle },
	{ "what is kept ends exactly at the limit", kept_limits },
	{ "the limit is exact for bytes in pieces", kept_pieces },
	{ "what is kept grows without loss", kept_growth },
	{ "what is passed on ends exactly at the limit", passed_limits },
	{ "past the limit nothing more is read", limit_in_all },
	{ "without a reader bytes are read and gone", nowhere },
	{ "the end is passed on where the pipe is ours", end_is_passed_on },
	{ "a shared descriptor keeps flags and stays open",
	    end_is_not_passed_on },
};

int
main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	return cases_run(cases, LENGTH(cases));
}
