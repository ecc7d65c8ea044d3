/* The store of sessions: what is made, found, waited for, and expires. */
#include "session.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "sessions.h"

static enum session_result
end_at(struct session *s, const void *context, struct failure *f)
{
	(void)f;
	s->expires_at = time(NULL) + *(const int64_t *)context;
	return SESSION_OK;
}

static int64_t
ms_since(const struct timespec *start)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)(t.tv_sec - start->tv_sec) * 1000 +
	       (t.tv_nsec - start->tv_nsec) / 1000000;
}

static void
made(void)
{
	struct session s, t;
	struct stat st;

	begin();
	session_init(&t);
	HOLDS(make("local", &s) == SESSION_OK);
	HOLDS(session_is_id(s.id));
	HOLDS(session_show(&config, NULL, s.id, &t, &failure) == SESSION_OK);
	expect_text(t.id, s.id, "id");
	expect_text(t.image, "host", "image");
	expect_text(t.cwd, "/", "cwd");
	expect_number(t.ttl, 300, "ttl");
	HOLDS(t.expires_at == SESSION_NEVER && *t.parent == '\0');
	HOLDS(stat(path_of(s.id, ""), &st) == 0 && (st.st_mode & 077) == 0);
	HOLDS(stat(path_of(s.id, "/meta"), &st) == 0 &&
	      (st.st_mode & 07777) == 0600);
	HOLDS(stat(path_of(s.id, "/upper"), &st) == 0 &&
	      (st.st_mode & 07777) == 0755);
	session_free(&t);
}

static void
wrong(void)
{
	struct session s;

	begin();
	session_init(&s);
	strcpy(s.owner, "local");
	strcpy(s.cwd, "relative");
	HOLDS(session_create(&config, &s, &failure) == SESSION_WRONG);
	expect_has(failure.detail, "cwd", "cwd");
	strcpy(s.cwd, "/");
	strcpy(s.image, "other");
	HOLDS(session_create(&config, &s, &failure) == SESSION_WRONG);
	expect_has(failure.detail, "other", "image");
	*s.image = '\0';
	s.ttl = 0;
	HOLDS(session_create(&config, &s, &failure) == SESSION_WRONG);
	expect_has(failure.detail, "ttl", "ttl");
	s.ttl = SESSION_NEVER;
	s.expires_at = 1;
	HOLDS(session_create(&config, &s, &failure) == SESSION_WRONG);
	expect_has(failure.detail, "expires", "expires");
}

static void
owners(void)
{
	struct session s;

	begin();
	HOLDS(make("token:a", &s) == SESSION_OK);
	expect_number(show("token:a", s.id), SESSION_OK, "own");
	expect_number(show(NULL, s.id), SESSION_OK, "root");
	expect_number(show("token:b", s.id), SESSION_NOT_FOUND, "other");
	expect_number(show("token:a ", s.id), SESSION_NOT_FOUND, "near");
	expect_number(session_delete(&config, "token:b", s.id, &failure),
	    SESSION_NOT_FOUND, "delete");
	expect_number(show("token:a", s.id), SESSION_OK, "still");
	expect_number(session_delete(&config, "token:a", s.id, &failure),
	    SESSION_OK, "delete");
	expect_number(show("token:a", s.id), SESSION_NOT_FOUND, "gone");
}

static void
ids(void)
{
	static const char *const others[] = { "", ".", "..", "../../etc",
		"0mwpxtxn9tett2gem8rgo8j5c", "0mwpxtxn9tett2gem8rgo8j5cs0",
		"0MWPXTXN9TETT2GEM8RGO8J5CS", "0mwpxtxn9tett2gem8rgo8j5c/",
		"/mwpxtxn9tett2gem8rgo8j5cs", "0mwpxtxn9tett2gem8rgo8j5c\n",
		"%2e%2e%2f%2e%2e%2f%2e%2e%2", "..........................",
		"0mwpxtxn9tett2gem8rgo8j5\xc3\xa9" };

	begin();
	for (size_t i = 0; i < LENGTH(others); i++) {
		HOLDS(!session_is_id(guarded_text(others[i])));
		expect_number(
		    show(NULL, others[i]), SESSION_NOT_FOUND, others[i]);
		expect_number(
		    session_delete(&config, NULL, others[i], &failure),
		    SESSION_NOT_FOUND, others[i]);
	}
}

/* What a list gives, as the numbers of the sessions in made[]. */
static char listed[64];
static char made_ids[9][SESSION_ID_LEN + 1];

static bool
take(void *context, const struct session *s)
{
	(void)context;
	for (size_t i = 0; i < LENGTH(made_ids); i++) {
		if (strcmp(made_ids[i], s->id) == 0)
			sprintf(listed + strlen(listed), "%zu", i);
	}
	return true;
}

static const char *
list(const char *owner, const char *after, uint64_t limit)
{
	*listed = '\0';
	HOLDS(session_list(&config, owner, after, limit, take, NULL,
		  &failure) == SESSION_OK);
	return listed;
}

static void
pages(void)
{
	static const struct timespec ms = { 0, 2000000 };
	struct session s;

	begin();
	expect_text(list(NULL, NULL, 100), "", "none");
	for (size_t i = 0; i < LENGTH(made_ids); i++) {
		HOLDS(make(i % 3 == 2 ? "uid:2" : "uid:1", &s) == SESSION_OK);
		strcpy(made_ids[i], s.id);
		(void)nanosleep(&ms, NULL);
	}
	expect_text(list(NULL, NULL, 100), "012345678", "all");
	expect_text(list(NULL, NULL, 4), "0123", "the first");
	expect_text(list(NULL, made_ids[3], 4), "4567", "the second");
	expect_text(list(NULL, made_ids[7], 4), "8", "the last");
	expect_text(list(NULL, made_ids[8], 4), "", "none after");
	expect_text(list("uid:1", NULL, 4), "0134", "of one owner");
	expect_text(list("uid:1", made_ids[4], 4), "67", "of one owner");
	expect_text(list("uid:3", NULL, 4), "", "of nobody");
	HOLDS(
	    session_delete(&config, NULL, made_ids[3], &failure) == SESSION_OK);
	expect_text(list(NULL, made_ids[3], 2), "45", "after one that is gone");
	HOLDS(change(made_ids[5], end_at, -1) == SESSION_OK);
	expect_text(list(NULL, NULL, 100), "0124678", "without expired");
}

static void
turns(void)
{
	struct session s, first, second;
	struct timespec start;

	begin();
	HOLDS(make("local", &s) == SESSION_OK);
	session_init(&first);
	session_init(&second);
	HOLDS(session_open(&config, NULL, s.id, -1, &first, &failure) ==
	      SESSION_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	HOLDS(session_open(&config, NULL, s.id, -1, &second, &failure) ==
	      SESSION_BUSY);
	HOLDS(ms_since(&start) >= 200 && ms_since(&start) < 2000);
	session_close(&first);
	HOLDS(session_open(&config, NULL, s.id, -1, &second, &failure) ==
	      SESSION_OK);
	session_close(&second);
}

/*
 * Opens it in a child; the exit status is the result. What the child
 * inherits of the one that is open would hold the lock.
 */
static pid_t
open_in_child(const char *id, int caller, struct session *held)
{
	pid_t pid = fork();
	struct session s;

	if (pid == 0) {
		session_free(held);
		session_init(&s);
		_exit(
		    (int)session_open(&config, NULL, id, caller, &s, &failure));
	}
	return pid;
}

static void
waiting(void)
{
	static const struct timespec moment = { 0, 50000000 };
	struct session s, first;
	struct timespec start;
	int pipe_of_caller[2];
	pid_t pid;

	begin();
	config.session_wait = 20000;
	session_init(&first);
	HOLDS(make("local", &s) == SESSION_OK);
	HOLDS(session_open(&config, NULL, s.id, -1, &first, &failure) ==
	      SESSION_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	/* The one before ends. */
	pid = open_in_child(s.id, -1, &first);
	(void)nanosleep(&moment, NULL);
	session_close(&first);
	expect_number(result_of(pid), SESSION_OK, "its turn");
	/* Who waits hangs up. */
	HOLDS(session_open(&config, NULL, s.id, -1, &first, &failure) ==
	      SESSION_OK);
	HOLDS(pipe2(pipe_of_caller, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		(void)close(pipe_of_caller[1]);
		_exit(
		    result_of(open_in_child(s.id, pipe_of_caller[0], &first)));
	}
	(void)nanosleep(&moment, NULL);
	(void)close(pipe_of_caller[1]);
	expect_number(result_of(pid), SESSION_BUSY, "hung up");
	/* It is deleted. */
	pid = open_in_child(s.id, -1, &first);
	(void)nanosleep(&moment, NULL);
	HOLDS(session_delete(&config, NULL, s.id, &failure) == SESSION_OK);
	expect_number(result_of(pid), SESSION_NOT_FOUND, "deleted");
	HOLDS(ms_since(&start) < 5000);
	session_close(&first);
}

static void
cancelled(void)
{
	struct session s, first;
	struct timespec start;
	struct pollfd p;

	begin();
	session_init(&first);
	HOLDS(make("local", &s) == SESSION_OK);
	HOLDS(session_open(&config, NULL, s.id, -1, &first, &failure) ==
	      SESSION_OK);
	p = (struct pollfd){ .fd = first.cancel, .events = POLLIN };
	expect_number(poll(&p, 1, 0), 0, "before");
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	HOLDS(session_delete(&config, NULL, s.id, &failure) == SESSION_OK);
	HOLDS(ms_since(&start) < 1000);
	expect_number(poll(&p, 1, 0), 1, "afterwards");
	HOLDS(p.revents == POLLIN);
	expect_number(show(NULL, s.id), SESSION_NOT_FOUND, "to others");
	session_close(&first);
}

static void
expiry(void)
{
	struct session s, open;

	begin();
	session_init(&open);
	HOLDS(make("local", &s) == SESSION_OK);
	HOLDS(change(s.id, age, 299) == SESSION_OK);
	expect_number(show(NULL, s.id), SESSION_OK, "not yet");
	HOLDS(session_open(&config, NULL, s.id, -1, &open, &failure) ==
	      SESSION_OK);
	HOLDS(change(s.id, age, 100) == SESSION_OK);
	expect_number(show(NULL, s.id), SESSION_OK, "in use");
	session_close(&open);
	expect_number(show(NULL, s.id), SESSION_OK, "just used");
	HOLDS(change(s.id, age, 301) == SESSION_OK);
	expect_number(show(NULL, s.id), SESSION_NOT_FOUND, "idle");
	expect_number(session_open(&config, NULL, s.id, -1, &open, &failure),
	    SESSION_NOT_FOUND, "idle, to run");
	expect_number(
	    change(s.id, age, -300), SESSION_NOT_FOUND, "idle, to change");
	HOLDS(make("local", &s) == SESSION_OK);
	HOLDS(session_open(&config, NULL, s.id, -1, &open, &failure) ==
	      SESSION_OK);
	HOLDS(change(s.id, end_at, -1) == SESSION_OK);
	expect_number(show(NULL, s.id), SESSION_NOT_FOUND, "past its end");
	session_close(&open);
	expect_number(session_open(&config, NULL, s.id, -1, &open, &failure),
	    SESSION_NOT_FOUND, "past its end, to run");
}

static enum session_result
add_variable(struct session *s, const void *context, struct failure *f)
{
	(void)context;
	return session_merge_env(s, "NEW=1", f);
}

static void
while_open(void)
{
	struct session s, open;

	begin();
	session_init(&open);
	HOLDS(make("local", &s) == SESSION_OK);
	HOLDS(session_open(&config, NULL, s.id, -1, &open, &failure) ==
	      SESSION_OK);
	HOLDS(change(s.id, add_variable, 0) == SESSION_OK);
	session_close(&open);
	HOLDS(session_show(&config, NULL, s.id, &open, &failure) == SESSION_OK);
	expect_number((int64_t)open.env_count, 1, "variables");
	session_free(&open);
}

static const struct testcase cases[] = {
	{ "a session is on disk, its owner's alone, as it was asked for",
	    made },
	{ "what no session can have is refused with the field", wrong },
	{ "to another owner a session does not exist", owners },
	{ "what is no id finds nothing", ids },
	{ "a list goes on where the page before ended", pages },
	{ "a second run waits its turn, and then it is busy", turns },
	{ "a wait ends with the turn, the caller or the session", waiting },
	{ "a deletion is told to whoever runs, and takes no second",
	    cancelled },
	{ "idle time counts from the last run's end, and no run expires",
	    expiry },
	{ "a record can be changed while a run goes on", while_open },
};

int
main(void)
{
	return stores_run(cases, LENGTH(cases));
}
