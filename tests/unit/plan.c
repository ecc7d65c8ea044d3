/* What a plan takes: variables, binds, a user. */
#include "plan.h"

#include "unit.h"

static struct plan plan;
static char why[200];

/* 0 or -1 as plan_env() says. */
static int
set(const char *text)
{
	*why = '\0';
	return plan_env(&plan, guarded_text(text), why, sizeof(why));
}

static void
expect_env(const char *const *wanted, size_t n)
{
	expect_number((int64_t)plan.env_count, (int64_t)n, "variables");
	for (size_t i = 0; i < n && i < plan.env_count; i++)
		expect_text(plan.env[i], wanted[i], "variable");
	HOLDS(plan.env[plan.env_count] == NULL);
}

static void
start(void)
{
	HOLDS(strcmp(plan.image, "host") == 0);
	HOLDS(plan.env_count == 0 && plan.bind_count == 0);
	HOLDS(plan.uid == 0 && plan.gid == 0 && plan.cwd == NULL);
	HOLDS(plan.network == NETWORK_NONE && !plan.bind_root && !plan.tty);
	HOLDS(plan.in.fd == -1 && plan.out.fd == -1 && plan.err.fd == -1);
	HOLDS(!plan.out.keep && !plan.err.keep);
	HOLDS(plan.limits.value[LIMIT_TIME] == 5000);
}

static void
env_merge(void)
{
	static const char *const wanted[] = { "A=3", "AB=2", "B=x=y",
		"C=", "a b=1" };

	HOLDS(set("A=1") == 0);
	HOLDS(set("AB=2") == 0);
	HOLDS(set("B=x=y") == 0);
	HOLDS(set("C=") == 0);
	HOLDS(set("a b=1") == 0);
	HOLDS(set("A=3") == 0);
	expect_env(wanted, LENGTH(wanted));
	expect_text(plan_getenv(&plan, "A"), "3", "A");
	expect_text(plan_getenv(&plan, "AB"), "2", "AB");
	expect_text(plan_getenv(&plan, "B"), "x=y", "B");
	expect_text(plan_getenv(&plan, "C"), "", "C");
	HOLDS(plan_getenv(&plan, "D") == NULL);
	HOLDS(plan_getenv(&plan, "a") == NULL);
	HOLDS(plan_getenv(&plan, "") == NULL);
}

static void
env_shorter_names(void)
{
	HOLDS(plan_getenv(&plan, "A") == NULL);
	HOLDS(set("A=1") == 0);
	HOLDS(plan_getenv(&plan, "ABCDEFGH") == NULL);
	HOLDS(set("ABCDEFGH=2") == 0);
	HOLDS(plan.env_count == 2);
}

/* A name holds no '=': what looks like one with it is not there. */
static void
env_equals(void)
{
	HOLDS(set("A=B=C") == 0);
	HOLDS(plan_getenv(&plan, "A=B") == NULL);
}

static void
env_bad(void)
{
	static const char *const texts[] = { "", "=", "=1", "A", "==", "A B",
		"%s%n" };

	for (size_t i = 0; i < LENGTH(texts); i++) {
		expect_number(set(texts[i]), -1, texts[i]);
		expect_has(why, "NAME=VALUE", texts[i]);
		expect_has(why, texts[i], texts[i]);
	}
	HOLDS(plan.env_count == 0);
}

static void
env_many(void)
{
	char text[32];

	for (int i = 0; i < PLAN_ENV_MAX; i++) {
		(void)snprintf(text, sizeof(text), "V%d=%d", i, i);
		if (plan_env(&plan, strdup(text), why, sizeof(why)) != 0)
			break;
	}
	HOLDS(plan.env_count == PLAN_ENV_MAX);
	HOLDS(set("ONE=more") == -1);
	expect_has(why, "4096", "too many");
	HOLDS(plan.env[PLAN_ENV_MAX] == NULL);
	HOLDS(set("V7=again") == 0);
	expect_text(plan_getenv(&plan, "V7"), "again", "V7");
	expect_text(plan_getenv(&plan, "V4095"), "4095", "V4095");
	/* PATH and HOME are not counted. */
	HOLDS(plan_finish(&plan, why, sizeof(why)) == 0);
	HOLDS(plan.env_count == PLAN_ENV_MAX + 2);
	HOLDS(plan.env[PLAN_ENV_MAX + 2] == NULL);
	expect_text(plan_getenv(&plan, "HOME"), "/root", "HOME");
	HOLDS(set("ONE=more") == -1);
}

/* Tries a bind; source NULL: it is refused. */
static void
bind(const char *text, const char *source, const char *target)
{
	size_t before = plan.bind_count;
	char *copy = guarded_text(text);
	int r;

	*why = '\0';
	r = plan_bind(&plan, copy, true, why, sizeof(why));
	expect_number(r, source == NULL ? -1 : 0, text);
	if (r != 0) {
		HOLDS(plan.bind_count == before);
		HOLDS(strncmp(why, "bind: ", 6) == 0);
		return;
	}
	HOLDS(plan.bind_count == before + 1);
	if (source != NULL) {
		expect_text(plan.binds[before].source, source, text);
		expect_text(plan.binds[before].target, target, text);
	}
	plan.bind_count = before;
}

static void
bind_forms(void)
{
	bind("/data", "/data", "/data");
	bind("/data:/in", "/data", "/in");
	bind("data:/in", "data", "/in");
	bind("../data:/in", "../data", "/in");
	bind(".:/in", ".", "/in");
	bind("/a:b:/in", "/a:b", "/in");
	bind("/a:/b:/in", "/a:/b", "/in");
	bind("/a::/in", "/a:", "/in");
	bind("a:/b:c", "a", "/b:c");
	bind("/a:b", "/a:b", "/a:b");
	bind("/a:", "/a:", "/a:");
	bind("/:/in", "/", "/in");
	bind("/a b\n:/in", "/a b\n", "/in");
	bind("/a:/b/", "/a", "/b/");
	bind("data", NULL, NULL);
	bind("data:in", NULL, NULL);
	bind("a", NULL, NULL);
	bind(":", NULL, NULL);
	bind(":/", NULL, NULL);
	bind(":/in", NULL, NULL);
}

/* The string ends before the next byte can be looked at. */
static void
bind_empty(void)
{
	bind("", NULL, NULL);
}

static void
bind_up(void)
{
	bind("/a:/..", NULL, NULL);
	bind("/a:/../b", NULL, NULL);
	bind("/a:/b/..", NULL, NULL);
	bind("/a:/b/../c", NULL, NULL);
	bind("/a:/b/../../c", NULL, NULL);
	bind("/a:/b//..", NULL, NULL);
	bind("/a:/...//../", NULL, NULL);
	bind("/a/../b", NULL, NULL);
	bind("/a:/..b", "/a", "/..b");
	bind("/a:/b..", "/a", "/b..");
	bind("/a:/...", "/a", "/...");
	bind("/a:/b/.../c", "/a", "/b/.../c");
	bind("/a/..:/b", "/a/..", "/b");
}

static void
bind_ours(void)
{
	static const char *const dirs[] = { "proc", "dev", "sys" };
	char text[64], target[40];

	for (size_t i = 0; i < LENGTH(dirs); i++) {
		(void)snprintf(text, sizeof(text), "/%s", dirs[i]);
		bind(text, NULL, NULL);
		(void)snprintf(text, sizeof(text), "/a:/%s", dirs[i]);
		bind(text, NULL, NULL);
		(void)snprintf(text, sizeof(text), "/a:/%s/", dirs[i]);
		bind(text, NULL, NULL);
		(void)snprintf(text, sizeof(text), "/a:/%s/x", dirs[i]);
		bind(text, NULL, NULL);
		(void)snprintf(target, sizeof(target), "/%sx", dirs[i]);
		(void)snprintf(text, sizeof(text), "/a:%s", target);
		bind(text, "/a", target);
		(void)snprintf(target, sizeof(target), "/x/%s", dirs[i]);
		(void)snprintf(text, sizeof(text), "/a:%s", target);
		bind(text, "/a", target);
	}
	bind("/", NULL, NULL);
	bind("/a:/", NULL, NULL);
	bind("/a:///", NULL, NULL);
}

/* Other spellings of the same places. */
static void
bind_spellings(void)
{
	bind("/a://proc", NULL, NULL);
	bind("/a:///dev/shm", NULL, NULL);
	bind("/a:/./sys", NULL, NULL);
	bind("/a:/.//./proc/x", NULL, NULL);
	bind("/a:/.", NULL, NULL);
	bind("/a:/./", NULL, NULL);
	bind("/a://.//.", NULL, NULL);
	bind("/a:/./b", "/a", "/./b");
	bind("/a://b", "/a", "//b");
}

static void
bind_many(void)
{
	char texts[PLAN_BINDS_MAX + 1][16];

	for (int i = 0; i < PLAN_BINDS_MAX; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "/s%d:/t%d", i, i);
		HOLDS(plan_bind(&plan, texts[i], false, why, sizeof(why)) == 0);
	}
	HOLDS(!plan_writes_outside(&plan));
	expect_text(plan.binds[63].source, "/s63", "last");
	strcpy(texts[PLAN_BINDS_MAX], "/s:/t");
	HOLDS(plan_bind(
		  &plan, texts[PLAN_BINDS_MAX], false, why, sizeof(why)) == -1);
	expect_text(why, "ro-bind: more than 64 binds", "too many");
	HOLDS(plan.bind_count == PLAN_BINDS_MAX);
	HOLDS(plan.uid == 0 && plan.network == NETWORK_NONE);
}

static void
bind_writable(void)
{
	char a[] = "/a", b[] = "/b", up[] = "/..";

	HOLDS(!plan_writes_outside(&plan));
	HOLDS(plan_bind(&plan, up, true, why, sizeof(why)) == -1);
	HOLDS(!plan_writes_outside(&plan));
	HOLDS(plan_bind(&plan, a, false, why, sizeof(why)) == 0);
	HOLDS(!plan_writes_outside(&plan));
	HOLDS(plan_bind(&plan, b, true, why, sizeof(why)) == 0);
	HOLDS(plan_writes_outside(&plan));
	HOLDS(!plan.binds[0].writable && plan.binds[1].writable);
}

static void
users(void)
{
	static const struct {
		const char *text;
		int uid, gid; /* -1: refused */
	} tries[] = { { "0", 0, 0 }, { "0:0", 0, 0 }, { "1000", 1000, 1000 },
		{ "1000:5", 1000, 5 }, { "65535:65535", 65535, 65535 },
		{ "007:08", 7, 8 }, { "0:65535", 0, 65535 },
		{ "65536", -1, -1 }, { "0:65536", -1, -1 }, { "", -1, -1 },
		{ ":", -1, -1 }, { "5:", -1, -1 }, { ":5", -1, -1 },
		{ "5:5:5", -1, -1 }, { "-1", -1, -1 }, { "+1", -1, -1 },
		{ " 1", -1, -1 }, { "1 ", -1, -1 }, { "1: 2", -1, -1 },
		{ "0x1", -1, -1 }, { "root:", -1, -1 }, { "ro ot", -1, -1 },
		{ "a/b", -1, -1 }, { "-a", -1, -1 }, { "a:b:c", -1, -1 },
		{ "1.5", -1, -1 }, { "4294967296", -1, -1 },
		{ "18446744073709551616", -1, -1 },
		{ "1:18446744073709551617", -1, -1 }, { "1:-1", -1, -1 },
		{ "%n", -1, -1 } };

	for (size_t i = 0; i < LENGTH(tries); i++) {
		bool good = tries[i].uid >= 0;
		int r;

		plan.uid = 77;
		plan.gid = 78;
		r = plan_user(
		    &plan, guarded_text(tries[i].text), why, sizeof(why));
		expect_number(r, good ? 0 : -1, tries[i].text);
		expect_number(
		    plan.uid, good ? tries[i].uid : 77, tries[i].text);
		expect_number(
		    plan.gid, good ? tries[i].gid : 78, tries[i].text);
		if (!good)
			expect_has(why, tries[i].text, "sentence");
	}
}

static void
user_names(void)
{
	static const char *const names[] = { "root", "1:root", "www-data",
		"a.b_c-1$", "_apt:nogroup", "Debian-exim:5" };
	static char longest[PLAN_USER_MAX + 2];

	for (size_t i = 0; i < LENGTH(names); i++) {
		plan.uid = plan.gid = 77;
		plan.user_asked = false;
		expect_number(
		    plan_user(&plan, guarded_text(names[i]), why, sizeof(why)),
		    0, names[i]);
		expect_text(plan.user, names[i], "user");
		HOLDS(plan.uid == 0 && plan.gid == 0 && plan.user_asked);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	HOLDS(plan_user(&plan, longest, why, sizeof(why)) == -1);
	longest[PLAN_USER_MAX] = '\0';
	HOLDS(plan_user(&plan, longest, why, sizeof(why)) == 0);
	HOLDS(plan_user(&plan, "5", why, sizeof(why)) == 0);
	HOLDS(plan.user == NULL && plan.uid == 5);
}

static void
finish_empty(void)
{
	HOLDS(plan_finish(&plan, why, sizeof(why)) == 0);
	HOLDS(plan.env_count == 2);
	expect_text(plan_getenv(&plan, "HOME"), "/root", "HOME");
	expect_text(plan_getenv(&plan, "PATH"),
	    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	    "PATH");
}

static void
finish_given(void)
{
	HOLDS(set("PATH=") == 0 && set("HOMER=x") == 0);
	plan.uid = 1;
	HOLDS(plan_finish(&plan, why, sizeof(why)) == 0);
	HOLDS(plan.env_count == 3);
	expect_text(plan_getenv(&plan, "PATH"), "", "PATH");
	expect_text(plan_getenv(&plan, "HOME"), "/home", "HOME");
}

static const struct testcase cases[] = {
	{ "a plan begins with the defaults of the API", start },
	{ "a variable replaces the one of its name", env_merge },
	{ "a name that is the beginning of another is another",
	    env_shorter_names },
	{ "a name with '=' is nobody's", env_equals },
	{ "what is not NAME=VALUE is refused and shown", env_bad },
	{ "4096 variables are the most", env_many },
	{ "a bind is split at the last ':/'", bind_forms },
	{ "an empty bind is refused and not read beyond", bind_empty },
	{ "no target goes up with '..'", bind_up },
	{ "nothing is shown at /, /proc, /dev and /sys", bind_ours },
	{ "other spellings of those places do not help", bind_spellings },
	{ "64 binds are the most", bind_many },
	{ "a writable bind is known, a refused one is not", bind_writable },
	{ "a user is UID[:GID] with ids up to 65535", users },
	{ "or has a name, which is looked up inside", user_names },
	{ "HOME and PATH are added", finish_empty },
	{ "HOME and PATH that were given stay", finish_given },
};

int
main(void)
{
	plan_init(&plan);
	return cases_run(cases, LENGTH(cases));
}
