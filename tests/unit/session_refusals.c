/* When no session is made, and what of the state is not believed. */
#include <fcntl.h>

#include "sessions.h"

/* All at once, as soon as the pipe ends. */
static void
full(void)
{
	int go[2], made_count = 0, full_count = 0;
	pid_t pids[40];
	struct session s;
	char byte;

	begin();
	config.max_sessions = 10;
	config.session_wait = 30000;
	HOLDS(pipe(go) == 0);
	for (size_t i = 0; i < LENGTH(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			(void)close(go[1]);
			(void)!read(go[0], &byte, 1);
			_exit((int)make("local", &s));
		}
	}
	(void)close(go[1]);
	for (size_t i = 0; i < LENGTH(pids); i++) {
		int r = result_of(pids[i]);

		made_count += r == SESSION_OK;
		full_count += r == SESSION_FULL;
	}
	expect_number(made_count, 10, "made");
	expect_number(full_count, 30, "refused");
}

static enum session_result
idle_for_long(struct session *s, const void *context, struct failure *f)
{
	(void)context;
	(void)f;
	s->last_used_at = 1;
	return SESSION_OK;
}

static void
room_again(void)
{
	struct session s, t;

	begin();
	config.max_sessions = 1;
	HOLDS(make("local", &s) == SESSION_OK);
	HOLDS(make("local", &t) == SESSION_FULL);
	expect_has(failure.detail, "max_sessions", "failure");
	HOLDS(change(s.id, idle_for_long, 0) == SESSION_OK);
	HOLDS(make("local", &t) == SESSION_OK);
	HOLDS(session_delete(&config, NULL, t.id, &failure) == SESSION_OK);
	HOLDS(make("local", &t) == SESSION_OK);
}

static void
unsafe(void)
{
	struct session s;
	char path[128], other[128];

	begin();
	HOLDS(make("local", &s) == SESSION_OK);
	(void)snprintf(path, sizeof(path), "%s/sessions", state);
	(void)snprintf(other, sizeof(other), "%s/elsewhere", state);
	HOLDS(chmod(path, 0750) == 0);
	expect_number(show(NULL, s.id), SESSION_FAILED, "wider mode");
	expect_text(failure.step, "state", "step");
	HOLDS(chmod(path, 0700) == 0);
	expect_number(show(NULL, s.id), SESSION_OK, "mode as it was");
	HOLDS(rename(path, other) == 0 && symlink(other, path) == 0);
	expect_number(show(NULL, s.id), SESSION_FAILED, "link");
	HOLDS(unlink(path) == 0 && rename(other, path) == 0);
	if (geteuid() == 0) {
		HOLDS(chown(path, 12345, 0) == 0);
		expect_number(show(NULL, s.id), SESSION_FAILED, "owner");
		HOLDS(chown(path, 0, 0) == 0);
	}
	HOLDS(chmod(state, 0777) == 0);
	expect_number(show(NULL, s.id), SESSION_FAILED, "writable above");
}

static void
low_on_disk(void)
{
	struct session s;

	begin();
	config.min_free = UINT64_C(1) << 40;
	HOLDS(make("local", &s) == SESSION_FAILED);
	expect_text(failure.step, "state", "step");
	expect_has(failure.detail, "min_free", "failure");
}

static bool
count_one(void *context, const struct session *s)
{
	(void)s;
	++*(int *)context;
	return true;
}

/* As a later mayfly may write it: all else can be understood. */
static void
version(void)
{
	static const char head[] = "mayfly-session ";
	char before[1024] = "", after[1024] = "";
	struct session s;
	int fd, listed = 0;
	ssize_t len;

	begin();
	HOLDS(make("local", &s) == SESSION_OK);
	fd = open(path_of(s.id, "/meta"), O_RDWR | O_CLOEXEC);
	HOLDS(pwrite(fd, "2", 1, sizeof(head) - 1) == 1);
	len = pread(fd, before, sizeof(before), 0);
	HOLDS(len > 0 && memcmp(before, "mayfly-session 2\n", 17) == 0);
	expect_number(show(NULL, s.id), SESSION_FAILED, "show");
	expect_has(failure.detail, "version", "failure");
	expect_number(change(s.id, age, 1), SESSION_FAILED, "change");
	HOLDS(session_list(&config, NULL, NULL, 10, count_one, &listed,
		  &failure) == SESSION_OK);
	expect_number(listed, 0, "listed");
	HOLDS(pread(fd, after, sizeof(after), 0) == len);
	HOLDS(memcmp(before, after, sizeof(before)) == 0);
	expect_number(session_delete(&config, "local", s.id, &failure),
	    SESSION_FAILED, "delete by its owner, if it is his");
	expect_number(session_delete(&config, NULL, s.id, &failure), SESSION_OK,
	    "delete by root");
}

static const struct testcase cases[] = {
	{ "of 40 that are made at once exactly max_sessions come to be", full },
	{ "one that has expired makes room for another", room_again },
	{ "state that others could reach is refused", unsafe },
	{ "where the disk is nearly full no session is made", low_on_disk },
	{ "a record of another version is refused and left as it is", version },
};

int
main(void)
{
	return stores_run(cases, LENGTH(cases));
}
