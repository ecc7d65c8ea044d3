#ifndef UNIT_SESSIONS_H
#define UNIT_SESSIONS_H

/* What the tests of the store of sessions share: a store for each case. */
#include <sys/stat.h>

#include "session.h"
#include "unit.h"

static struct config config;
static struct failure failure;
static char state[64];

/* An empty store of the case's own; it goes at the end of stores_run(). */
static inline void
begin(void)
{
	(void)snprintf(
	    state, sizeof(state), "%s/%d", getenv("STATES"), (int)getpid());
	(void)mkdir(state, 0755);
	(void)setenv("MAYFLY_STATE_DIR", state, 1);
	config_defaults(&config);
	config.state_dir = state;
	config.session_wait = 200;
}

static inline enum session_result
make(const char *owner, struct session *s)
{
	session_init(s);
	strcpy(s->owner, owner);
	return session_create(&config, s, &failure);
}

static inline char *
path_of(const char *id, const char *rest)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/sessions/%s%s", state, id, rest);
	return path;
}

static inline enum session_result
show(const char *owner, const char *id)
{
	struct session s;
	enum session_result r;

	session_init(&s);
	r = session_show(&config, owner, id, &s, &failure);
	session_free(&s);
	return r;
}

static inline enum session_result
age(struct session *s, const void *context, struct failure *f)
{
	(void)f;
	s->last_used_at -= *(const int64_t *)context;
	return SESSION_OK;
}

static inline enum session_result
change(const char *id,
    enum session_result (*how)(
	struct session *s, const void *context, struct failure *f),
    int64_t context)
{
	struct session s;
	enum session_result r;

	session_init(&s);
	r = session_change(&config, NULL, id, how, &context, &s, &failure);
	session_free(&s);
	return r;
}

static inline int
result_of(pid_t pid)
{
	int status = -1;

	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What main returns: all stores go with their directory. */
static inline int
stores_run(const struct testcase *cases, size_t n)
{
	char template[] = "/tmp/mayfly-unit.XXXXXX";

	return cases_run_in(template, "STATES", cases, n);
}

#endif
