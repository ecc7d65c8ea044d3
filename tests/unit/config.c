/* mayfly.conf, its fragments and the environment. */
#include "config.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <sched.h>

#include "unit.h"

static struct config config;
static char why[300];

/* Parses a copy that ends at a guard page, onto defaults. */
static int
parse(const char *text)
{
	config_defaults(&config);
	*why = '\0';
	return config_parse(
	    &config, "some.conf", guarded_text(text), why, sizeof(why));
}

/* It is refused; the sentence begins with the place and has the part. */
static void
refused(const char *text, const char *place, const char *part)
{
	expect_number(parse(text), -1, text);
	expect_number(strncmp(why, place, strlen(place)), 0, why);
	expect_has(why, part, text);
}

static void
defaults(void)
{
	config_defaults(&config);
	expect_text(config.state_dir, "/var/lib/mayfly", "state_dir");
	expect_text(config.run_dir, "/run/mayfly", "run_dir");
	expect_text(config.default_image, "host", "default_image");
	expect_text(config.allowed_hosts, "", "allowed_hosts");
	expect_text(config.registries, "", "registries");
	HOLDS(config.session_ttl == 300);
	HOLDS(config.max_sessions == 10000);
	HOLDS(config.max_runs == 256);
	HOLDS(config.pool == 8);
	HOLDS(config.uid_base % 65536 == 0 && config.uid_count % 65536 == 0);
	HOLDS(config.uid_base + config.uid_count < UINT64_C(1) << 32);
	for (int i = 0; i < LIMIT_MAX; i++) {
		HOLDS(config.limits.value[i] == limit_rules[i].standard);
		HOLDS(config.limits.cap[i] == limit_rules[i].max);
	}
}

static void
texts(void)
{
	HOLDS(
	    parse("state_dir = /a b\nrun_dir=/r\n"
		  "default_image =\tdebian:12 \nallowed_hosts=a,b\n"
		  "registries = x:5 http://y:5000, z\ntokens = /x = y # z\n") ==
	    0);
	expect_text(config.state_dir, "/a b", "state_dir");
	expect_text(config.run_dir, "/r", "run_dir");
	expect_text(config.default_image, "debian:12", "default_image");
	expect_text(config.allowed_hosts, "a,b", "allowed_hosts");
	expect_text(config.registries, "x:5 http://y:5000, z", "registries");
	expect_text(config.tokens, "/x = y # z", "tokens");
	HOLDS(parse("registries = a\nregistries =") == 0);
	expect_text(config.registries, "", "registries");
}

static void
lines(void)
{
	HOLDS(parse("") == 0);
	HOLDS(parse("\n\n \t\r\n") == 0);
	HOLDS(parse("# pool = x\n   # = \n#") == 0);
	HOLDS(config.pool == 8);
	HOLDS(parse(" \tpool \t=\t 3 \r\nmax_runs=4") == 0);
	HOLDS(config.pool == 3 && config.max_runs == 4);
	HOLDS(parse("pool=1\npool=2") == 0 && config.pool == 2);
}

static void
places(void)
{
	refused("pool", "some.conf:1: ", "key = value");
	refused("pool=1\n\n# x\npool = x\n", "some.conf:4: ", "pool: 'x'");
	refused("pool=1\nnope", "some.conf:2: ", "key = value");
	refused("\n\r\n=\n", "some.conf:3: ", "unknown key ''");
	refused("[mayfly]\n", "some.conf:1: ", "key = value");
	refused("nope = 1", "some.conf:1: ", "unknown key 'nope'");
	refused("POOL = 1", "some.conf:1: ", "unknown key 'POOL'");
	refused("pool x = 1", "some.conf:1: ", "unknown key 'pool x'");
	refused("max_ = 1", "some.conf:1: ", "unknown key 'max_'");
	refused("default_ = 1", "some.conf:1: ", "unknown key");
	refused("max_nope = 1", "some.conf:1: ", "unknown key 'max_nope'");
	refused("time = 1", "some.conf:1: ", "unknown key 'time'");
	refused("max_time_x = 1", "some.conf:1: ", "unknown key");
	refused("run_dir = r", "some.conf:1: ", "run_dir: 'r' is not");
	refused("registries = a, https://b", "some.conf:1: ", "https://b");
	refused("registries = a/b", "some.conf:1: ", "'a/b' is neither HOST");
	refused("registries = http://", "some.conf:1: ", "is neither HOST");
	refused("registries = a:", "some.conf:1: ", "is neither HOST");
	refused("registries = a:b", "some.conf:1: ", "is neither HOST");
	refused("registries = a@b", "some.conf:1: ", "is neither HOST");
	refused("registries = *", "some.conf:1: ", "is neither HOST");
	refused("state_dir =", "some.conf:1: ", "not an absolute path");
	HOLDS(parse("pool = 1\nmax_runs = 7\npool = x") == -1);
	HOLDS(config.pool == 1 && config.max_runs == 7);
}

static const struct number {
	const char *key;
	size_t offset;
	uint64_t min, max;
} numbers[] = {
	{ "session_ttl", offsetof(struct config, session_ttl), 1, 3155760000 },
	{ "max_sessions", offsetof(struct config, max_sessions), 0,
	    1000000000 },
	{ "max_runs", offsetof(struct config, max_runs), 1, 1000000 },
	{ "uid_base", offsetof(struct config, uid_base), 65536, 4294836224 },
	{ "uid_count", offsetof(struct config, uid_count), 65536, 4294836224 },
	{ "pool", offsetof(struct config, pool), 0, 4096 },
};

/* Sets the key alone: keys together are another matter. */
static void
number(const struct number *n, const char *value, bool good, uint64_t wanted)
{
	const uint64_t *field;

	config_defaults(&config);
	field = (const uint64_t *)((const char *)&config + n->offset);
	if (!good)
		wanted = *field;
	expect_number(
	    config_set(&config, n->key, guarded_text(value), why, sizeof(why)),
	    good ? 0 : -1, n->key);
	HOLDS(*field == wanted);
	if (!good)
		HOLDS(strncmp(why, n->key, strlen(n->key)) == 0);
}

static void
number_ranges(void)
{
	static const char *const bad[] = { "", " ", "x", "-1", "+1", "65536x",
		"0x10000", "65536.0", " 65536", "1e5", "18446744073709551615",
		"18446744073709551616", "99999999999999999999999",
		"18446744073709617152" };
	char text[32];

	for (size_t i = 0; i < LENGTH(numbers); i++) {
		const struct number *n = &numbers[i];

		(void)snprintf(text, sizeof(text), "%" PRIu64, n->min);
		number(n, text, true, n->min);
		(void)snprintf(text, sizeof(text), "%" PRIu64, n->max);
		number(n, text, true, n->max);
		(void)snprintf(text, sizeof(text), "%" PRIu64, n->max + 1);
		number(n, text, false, 0);
		(void)snprintf(text, sizeof(text), "%" PRIu64, n->min - 1);
		number(n, text, false, 0);
		for (size_t j = 0; j < LENGTH(bad); j++)
			number(n, bad[j], false, 0);
	}
}

static void
limit_keys(void)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		const struct limit_rule *r = &limit_rules[i];
		uint64_t n = r->decimal ? 20000 : 2000;
		const char *text = r->decimal ? "20" : "2000";
		char line[64];

		(void)snprintf(
		    line, sizeof(line), "default_%s = %s", r->name, text);
		HOLDS(parse(line) == 0);
		HOLDS(config.limits.value[i] == n);
		HOLDS(config.limits.cap[i] == r->max);
		HOLDS(!config.limits.asked[i]);
		(void)snprintf(
		    line, sizeof(line), "max_%s = %s", r->name, text);
		HOLDS(parse(line) == 0);
		HOLDS(config.limits.cap[i] == n);
		HOLDS(config.limits.value[i] ==
		      (r->standard < n ? r->standard : n));
		(void)snprintf(line, sizeof(line), "max_%s = 5x", r->name);
		refused(line, "some.conf:1: ", r->name);
		(void)snprintf(line, sizeof(line), "default_%s =", r->name);
		refused(line, "some.conf:1: ", r->name);
	}
}

static void
caps(void)
{
	HOLDS(parse("max_time = 100") == 0);
	HOLDS(config.limits.value[LIMIT_TIME] == 100);
	refused("max_time = 100\ndefault_time = 101",
	    "some.conf:2: default_time: '101'", "1 to 100 ms");
	refused("default_time = 101\nmax_time = 100",
	    "some.conf:1: default_time: '101'", "1 to 100 ms");
	HOLDS(config.limits.value[LIMIT_TIME] == 100);
	HOLDS(parse("max_time = 100\ndefault_time = 101\nmax_time = 101") == 0);
	HOLDS(config.limits.value[LIMIT_TIME] == 101);
	HOLDS(
	    parse("default_time = 101\nmax_time = 100\ndefault_time = 7") == 0);
	HOLDS(config.limits.value[LIMIT_TIME] == 7);
	refused("pool = 1\nmax_time = 0", "some.conf:2: max_time: '0' is out",
	    "1 to 604800000 ms");
	HOLDS(parse("max_cpus = 0.5") == 0);
	HOLDS(config.limits.value[LIMIT_CPUS] == 500);
	refused("max_cpus = 4097", "some.conf:1: ", "0.010 to 4096.000");
}

/* A fragment has the last word, whichever way it goes. */
static void
later_caps(void)
{
	HOLDS(parse("max_time = 100\nmax_time = 200") == 0);
	HOLDS(config.limits.cap[LIMIT_TIME] == 200);
	HOLDS(parse("max_time = 100\nmax_time = 9000000\n"
		    "default_time = 8000") == 0);
	HOLDS(config.limits.value[LIMIT_TIME] == 8000);
}

static void
small_why(void)
{
	for (size_t size = 1; size < 100; size++) {
		char *room = guarded(why, size), line[] = "pool = x";

		config_defaults(&config);
		memset(room, 'x', size);
		HOLDS(
		    config_parse(&config, "some.conf", line, room, size) == -1);
		HOLDS(memchr(room, '\0', size) != NULL);
	}
}

static void
write_file(const char *path, const char *data, size_t len)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		skip("no file can be written");
}

#define WRITE(path, text) write_file("/etc/mayfly/" path, text, strlen(text))

/* Root in a user namespace, for who is not root already. */
static bool
become_root(void)
{
	char uids[32], gids[32];

	(void)snprintf(uids, sizeof(uids), "0 %u 1", (unsigned)getuid());
	(void)snprintf(gids, sizeof(gids), "0 %u 1", (unsigned)getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	write_file("/proc/self/uid_map", uids, strlen(uids));
	write_file("/proc/self/setgroups", "deny", 4);
	write_file("/proc/self/gid_map", gids, strlen(gids));
	return true;
}

/* An /etc of our own, where that is allowed. */
static void
own_etc(void)
{
	static char *nothing[] = { NULL };

	if (unshare(CLONE_NEWNS) != 0 && !become_root())
		skip("no mount namespace to be had");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("etc", "/etc", "tmpfs", 0, NULL) != 0 ||
	    mkdir("/etc/mayfly", 0755) != 0 ||
	    mkdir("/etc/mayfly/mayfly.conf.d", 0755) != 0)
		skip("no /etc of our own to be had");
	environ = nothing;
	*why = '\0';
}

static void
files(void)
{
	own_etc();
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	HOLDS(config.pool == 8);
	WRITE("mayfly.conf", "pool = 1\nmax_runs = 1\nrun_dir = /r");
	WRITE("mayfly.conf.d/b.conf", "max_runs = 3\nmax_sessions = 3");
	WRITE("mayfly.conf.d/a.conf", "max_runs = 2\nsession_ttl = 2");
	WRITE("mayfly.conf.d/c.conf~", "nonsense");
	WRITE("mayfly.conf.d/.d.conf", "nonsense");
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	HOLDS(config.pool == 1 && config.max_runs == 3);
	HOLDS(config.session_ttl == 2 && config.max_sessions == 3);
	expect_text(config.run_dir, "/r", "run_dir");
	HOLDS(setenv("MAYFLY_MAX_RUNS", "4", 1) == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	HOLDS(config.max_runs == 4);
	WRITE("mayfly.conf.d/b.conf", "max_runs = 3\npool = x");
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "/etc/mayfly/mayfly.conf.d/b.conf:2: pool", "place");
}

static void
bad_files(void)
{
	static char big[65538];

	own_etc();
	memset(big, '#', sizeof(big));
	write_file("/etc/mayfly/mayfly.conf", big, 65536);
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	write_file("/etc/mayfly/mayfly.conf", big, 65537);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "/etc/mayfly/mayfly.conf: ", "too large");
	write_file("/etc/mayfly/mayfly.conf", "pool = 1\0\npool = 2", 19);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "/etc/mayfly/mayfly.conf: ", "a zero byte");
	HOLDS(unlink("/etc/mayfly/mayfly.conf") == 0);
	HOLDS(mkdir("/etc/mayfly/mayfly.conf", 0755) == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "/etc/mayfly/mayfly.conf: ", "a directory");
}

/* Limits that were moved away are no limits that nobody set. */
static void
lost_files(void)
{
	own_etc();
	HOLDS(symlink("lost", "/etc/mayfly/mayfly.conf") == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_text(why, "/etc/mayfly/mayfly.conf: No such file or directory",
	    "the file");
	WRITE("lost", "pool = 1");
	HOLDS(config_read(&config, why, sizeof(why)) == 0 && config.pool == 1);
	HOLDS(symlink("../gone", "/etc/mayfly/mayfly.conf.d/a.conf") == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "/etc/mayfly/mayfly.conf.d/a.conf: ", "one of many");
	HOLDS(unlink("/etc/mayfly/mayfly.conf.d/a.conf") == 0);
	HOLDS(rmdir("/etc/mayfly/mayfly.conf.d") == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	HOLDS(symlink("gone", "/etc/mayfly/mayfly.conf.d") == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "/etc/mayfly/mayfly.conf.d: ", "the directory");
}

static void
environment(void)
{
	own_etc();
	HOLDS(setenv("MAYFLY_RUN_DIR", "/e", 1) == 0);
	HOLDS(setenv("MAYFLY_DEFAULT_TIME", "7", 1) == 0);
	HOLDS(setenv("MAYFLY_MAX_CPUS", "1.5", 1) == 0);
	HOLDS(setenv("MAYFLY_UNKNOWN", "x", 1) == 0);
	HOLDS(setenv("MAYFLY_", "x", 1) == 0);
	HOLDS(setenv("POOL", "x", 1) == 0);
	HOLDS(setenv("MAYFLY_pool", "x", 1) == 0);
	HOLDS(setenv("MAYFLY_Max_Runs", "7", 1) == 0);
	HOLDS(setenv("XMAYFLY_POOL", "x", 1) == 0);
	HOLDS(setenv("MAYFLY_POOL_AND_A_NAME_THAT_IS_LONGER_THAN_ANY_KEY_COULD"
		     "_EVER_BE_SO_IT_IS_NOT_OURS",
		  "x", 1) == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	expect_text(config.run_dir, "/e", "run_dir");
	HOLDS(config.limits.value[LIMIT_TIME] == 7);
	HOLDS(config.limits.cap[LIMIT_CPUS] == 1500);
	HOLDS(config.pool == 8 && config.max_runs == 256);
	HOLDS(setenv("MAYFLY_POOL", "x", 1) == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "environment: MAYFLY_POOL: pool: 'x'", "environment");
	HOLDS(setenv("MAYFLY_POOL", "1", 1) == 0);
	HOLDS(setenv("MAYFLY_MAX_CPUS", "x", 1) == 0);
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(
	    why, "environment: MAYFLY_MAX_CPUS: max_cpus: 'x' is", "a maximum");
}

/* Nobody who sets variables says which is the first. */
static void
environment_caps(void)
{
	static char high[] = "MAYFLY_DEFAULT_TIME=500",
		    cap[] = "MAYFLY_MAX_TIME=400";
	static char *orders[][3] = { { high, cap, NULL }, { cap, high, NULL } };
	static char *one[] = { cap, NULL };

	own_etc();
	for (size_t i = 0; i < LENGTH(orders); i++) {
		environ = orders[i];
		HOLDS(config_read(&config, why, sizeof(why)) == -1);
		expect_text(why,
		    "environment: MAYFLY_DEFAULT_TIME: default_time: '500' is out of range: "
		    "1 to 400 ms",
		    "a default above the maximum");
	}
	environ = one;
	WRITE("mayfly.conf", "default_time = 500\nmax_time = 500");
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	HOLDS(config.limits.value[LIMIT_TIME] == 400);
	WRITE("mayfly.conf.d/a.conf", "max_time = 300");
	HOLDS(config_read(&config, why, sizeof(why)) == 0);
	HOLDS(config.limits.value[LIMIT_TIME] == 300);
	HOLDS(config.limits.cap[LIMIT_TIME] == 400);
	WRITE("mayfly.conf.d/b.conf", "default_time = 301");
	HOLDS(config_read(&config, why, sizeof(why)) == -1);
	expect_has(why, "b.conf:1: default_time: '301'", "a later default");
}

static int
read_ids(const char *base, const char *count)
{
	HOLDS(setenv("MAYFLY_UID_BASE", base, 1) == 0);
	HOLDS(setenv("MAYFLY_UID_COUNT", count, 1) == 0);
	return config_read(&config, why, sizeof(why));
}

/* Past the last id the host's 0 would follow. */
static void
id_ranges(void)
{
	own_etc();
	HOLDS(read_ids("4294836224", "65536") == 0);
	HOLDS(read_ids("4294770688", "131072") == 0);
	HOLDS(read_ids("65536", "4294836224") == 0);
	HOLDS(read_ids("4294836224", "131072") == -1);
	expect_has(why, "uid_", "names them");
	HOLDS(read_ids("131072", "4294836224") == -1);
	HOLDS(read_ids("4294836224", "4294836224") == -1);
}

static const struct testcase cases[] = {
	{ "the defaults are those of the API", defaults },
	{ "a text is all behind the first '=', without blanks", texts },
	{ "comments, blanks and empty lines are nothing", lines },
	{ "what is wrong is told with file and line", places },
	{ "a number has a range", number_ranges },
	{ "every limit has default_NAME and max_NAME", limit_keys },
	{ "a default is never above the cap", caps },
	{ "a later cap replaces an earlier one", later_caps },
	{ "the sentence is cut where there is no room", small_why },
	{ "file, fragments by name, environment: the last wins", files },
	{ "a file that is no text of 65536 bytes is refused", bad_files },
	{ "a link to a file that is not there is not passed over", lost_files },
	{ "MAYFLY_KEY is a key, other variables are not", environment },
	{ "a default above the cap is one in any order", environment_caps },
	{ "host ids cannot run over their end", id_ranges },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
