/* A session's variables, and what a run makes of all that it says. */
#include "session.h"

#include <fcntl.h>

#include "unit.h"

static struct config config;
static struct failure failure;

static void
variables(void)
{
	static const char *const wanted[] = { "A=1", "AB=", "B=x=y", "a=1" };
	struct session s;

	session_init(&s);
	HOLDS(session_merge_env(&s, "B=1", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "AB=", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "a=1", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "C=1", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "A=1", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "B=x=y", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "C", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "D", &failure) == SESSION_OK);
	expect_number((int64_t)s.env_count, LENGTH(wanted), "variables");
	for (size_t i = 0; i < LENGTH(wanted) && i < s.env_count; i++)
		expect_text(s.env[i], wanted[i], "variable");
	HOLDS(s.env[s.env_count] == NULL);
	HOLDS(session_merge_env(&s, "=1", &failure) == SESSION_WRONG);
	HOLDS(session_merge_env(&s, "", &failure) == SESSION_WRONG);
	session_free(&s);
}

static void
many_variables(void)
{
	char *big = malloc(SESSION_ENV_MAX + 2), name[16];
	struct session s;

	session_init(&s);
	memset(big, 'x', SESSION_ENV_MAX + 1);
	big[1] = '=';
	big[SESSION_ENV_MAX] = '\0';
	HOLDS(session_merge_env(&s, big, &failure) == SESSION_WRONG);
	big[SESSION_ENV_MAX - 1] = '\0';
	HOLDS(session_merge_env(&s, big, &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, big, &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "A=", &failure) == SESSION_WRONG);
	session_free(&s);
	for (int i = 0; i < PLAN_ENV_MAX; i++) {
		(void)snprintf(name, sizeof(name), "V%d=", i);
		HOLDS(session_merge_env(&s, name, &failure) == SESSION_OK);
	}
	HOLDS(session_merge_env(&s, "W=", &failure) == SESSION_WRONG);
	HOLDS(session_merge_env(&s, "V0=1", &failure) == SESSION_OK);
	session_free(&s);
	free(big);
}

static void
planned(void)
{
	static char own[] = "A=plan";
	struct session s;
	struct plan p;
	char why[100];

	session_init(&s);
	strcpy(s.cwd, "/work");
	strcpy(s.image, "host");
	HOLDS(session_merge_env(&s, "A=session", &failure) == SESSION_OK);
	HOLDS(session_merge_env(&s, "PATH=/x", &failure) == SESSION_OK);
	limits_set(&s.limits, LIMIT_TIME, "7000", why, sizeof(why));
	limits_set(&s.limits, LIMIT_WALL, "8000", why, sizeof(why));
	limits_set(&s.limits, LIMIT_NPROC, "50", why, sizeof(why));
	s.dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	plan_init(&p);
	HOLDS(plan_env(&p, own, why, sizeof(why)) == 0);
	limits_set(&p.limits, LIMIT_WALL, "9000", why, sizeof(why));
	p.limits.cap[LIMIT_NPROC] = 20;
	HOLDS(session_plan(&config, &s, &p, &failure) == SESSION_OK);
	HOLDS(plan_finish(&p, why, sizeof(why)) == 0);
	expect_text(plan_getenv(&p, "A"), "plan", "A");
	expect_text(plan_getenv(&p, "PATH"), "/x", "PATH");
	expect_text(p.cwd, "/work", "cwd");
	expect_number((int64_t)p.limits.value[LIMIT_TIME], 7000, "time");
	expect_number((int64_t)p.limits.value[LIMIT_WALL], 9000, "wall");
	expect_number((int64_t)p.limits.value[LIMIT_NPROC], 20, "nproc");
	HOLDS(p.session == s.dir && p.layer_count == 0 && p.over_host);
}

static const struct testcase cases[] = {
	{ "variables are merged, replaced and removed", variables },
	{ "too many variables, or too long ones, are refused", many_variables },
	{ "a plan's own words count more than the session's", planned },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
