/* The words behind `mayfly run`. */
#include "options.h"

#include "unit.h"

#define ARGS_MAX 16

static struct options options;
static struct limits limits;
static char why[200];
static char *args[ARGS_MAX];
static int count;

/* Parses "run" and the words up to NULL; each ends at a guard page. */
static int
parse(const char *const *words)
{
	count = 0;
	args[count++] = guarded_text("run");
	for (; *words != NULL && count < ARGS_MAX - 1; words++)
		args[count++] = guarded_text(*words);
	args[count] = NULL;
	*why = '\0';
	options_init(&options, &limits);
	if (options_parse(&options, count, args, why, sizeof(why)) != 0)
		return -1;
	return options.help ? 0 : plan_finish(&options.plan, why, sizeof(why));
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

/* It is refused, with a sentence that has the part. */
#define REFUSED(part, ...)                                                     \
	do {                                                                   \
		HOLDS(PARSE(__VA_ARGS__) == -1);                               \
		expect_has(why, part, "sentence");                             \
	} while (0)

static void
plain(void)
{
	const struct plan *p = &options.plan;

	HOLDS(PARSE("true") == 0);
	HOLDS(p->argv == args + 1 && p->argv[1] == NULL);
	HOLDS(strcmp(p->image, "host") == 0 && p->cwd == NULL);
	HOLDS(p->network == NETWORK_NONE && p->bind_count == 0);
	HOLDS(!options.json && options.verdict_file == NULL && !options.help);
	HOLDS(options.tty == TTY_AUTO && !p->bind_root);
	expect_text(plan_getenv(p, "HOME"), "/root", "HOME");
	HOLDS(memcmp(&p->limits, &limits, sizeof(limits)) == 0);
}

static void
every_option(void)
{
	const struct plan *p = &options.plan;

	HOLDS(PARSE("--bind=/a:/b", "--ro-bind", "/c", "--bind-root", "--cwd",
		  "/d", "--env", "A=1", "--image=i", "--network", "off",
		  "--user", "7:8", "sh") == 0);
	HOLDS(p->bind_count == 2 && p->bind_root);
	expect_text(p->binds[0].source, "/a", "bind");
	expect_text(p->binds[0].target, "/b", "bind");
	HOLDS(p->binds[0].writable && !p->binds[1].writable);
	expect_text(p->binds[1].target, "/c", "ro-bind");
	expect_text(p->cwd, "/d", "cwd");
	expect_text(plan_getenv(p, "A"), "1", "env");
	expect_text(plan_getenv(p, "HOME"), "/home", "HOME");
	expect_text(p->image, "i", "image");
	HOLDS(p->network == NETWORK_OFF && p->uid == 7 && p->gid == 8);
	expect_text(p->argv[0], "sh", "command");
	HOLDS(PARSE("--tty", "--verdict", "f", "sh") == 0);
	HOLDS(options.tty == TTY_YES);
	expect_text(options.verdict_file, "f", "verdict");
	HOLDS(PARSE("--no-tty", "--json", "--network=none", "sh") == 0);
	HOLDS(options.tty == TTY_NO && options.json);
	HOLDS(p->network == NETWORK_NONE);
}

static void
every_limit(void)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		const struct limit_rule *r = &limit_rules[i];
		uint64_t value = r->decimal ? 20000 : 2000;
		char option[40], joined[60];

		(void)snprintf(option, sizeof(option), "--%s", r->name);
		(void)snprintf(joined, sizeof(joined), "--%s=%s", r->name,
		    r->decimal ? "20" : "2000");
		HOLDS(PARSE(option, r->decimal ? "20" : "2000", "sh") == 0);
		HOLDS(options.plan.limits.value[i] == value);
		HOLDS(options.plan.limits.asked[i]);
		HOLDS(PARSE(joined, "sh") == 0);
		HOLDS(options.plan.limits.value[i] == value);
		for (int j = 0; j < LIMIT_MAX; j++)
			HOLDS(options.plan.limits.asked[j] == (i == j));
		REFUSED(r->name, option, "5x", "sh");
		REFUSED(r->name, option, "", "sh");
		REFUSED(r->name, option, "-1", "sh");
		REFUSED(r->name, option, "--", "sh");
		REFUSED(option, option);
		(void)snprintf(joined, sizeof(joined), "--%s=", r->name);
		REFUSED(r->name, joined, "sh");
	}
}

static void
administrator(void)
{
	limits.cap[LIMIT_TIME] = 100;
	limits.value[LIMIT_TIME] = 90;
	HOLDS(PARSE("sh") == 0);
	HOLDS(options.plan.limits.value[LIMIT_TIME] == 90);
	HOLDS(PARSE("--time", "100", "sh") == 0);
	REFUSED("1 to 100 ms", "--time", "101", "sh");
}

static void
unknown(void)
{
	static const char *const words[] = { "--nope", "--nope=1", "--tim",
		"--timee", "--TIME", "-x", "-h", "-time", "---time",
		"--=", "--=5", "--json ", "--bind_root", "--session-disk",
		"--no", "-\xff", "--\xff", "-=", "--%s%n" };

	for (size_t i = 0; i < LENGTH(words); i++) {
		REFUSED("unknown option '", words[i], "5", "sh");
		expect_has(why, words[i], "names it");
	}
}

static void
missing(void)
{
	static const char *const words[] = { "--bind", "--cwd", "--env",
		"--image", "--network", "--ro-bind", "--user", "--verdict" };
	char text[60];

	for (size_t i = 0; i < LENGTH(words); i++) {
		(void)snprintf(
		    text, sizeof(text), "option '%s' needs a value", words[i]);
		HOLDS(PARSE("--json", words[i]) == -1);
		expect_text(why, text, words[i]);
	}
}

static void
too_much(void)
{
	static const char *const words[] = { "--bind-root", "--help", "--json",
		"--no-tty", "--tty" };
	char text[60], given[40];

	for (size_t i = 0; i < LENGTH(words); i++) {
		(void)snprintf(
		    text, sizeof(text), "option '%s' takes no value", words[i]);
		(void)snprintf(given, sizeof(given), "%s=1", words[i]);
		HOLDS(PARSE(given, "sh") == -1);
		expect_text(why, text, words[i]);
		(void)snprintf(given, sizeof(given), "%s=", words[i]);
		HOLDS(PARSE(given, "sh") == -1);
		expect_text(why, text, words[i]);
	}
}

static void
wrong(void)
{
	REFUSED("network", "--network", "host", "sh");
	REFUSED("network", "--network=", "sh");
	REFUSED("network", "--network=None", "sh");
	REFUSED("user", "--user", "ro ot", "sh");
	REFUSED("user", "--user=65536", "sh");
	REFUSED("env", "--env", "A", "sh");
	REFUSED("env", "--env==", "sh");
	REFUSED("ro-bind", "--ro-bind", "a", "sh");
	REFUSED("bind", "--bind", "/a:/proc/x", "sh");
}

static void
empty_bind(void)
{
	REFUSED("bind", "--bind=", "sh");
	REFUSED("ro-bind", "--ro-bind", "", "sh");
}

static void
where_they_end(void)
{
	char *const *const *argv = (char *const *const *)&options.plan.argv;

	HOLDS(PARSE("--json", "--", "--time", "x") == 0);
	HOLDS(*argv == args + 3);
	HOLDS(PARSE("--", "--") == 0 && *argv == args + 2);
	HOLDS(PARSE("-") == 0 && *argv == args + 1);
	HOLDS(PARSE("-", "--nope") == 0 && *argv == args + 1);
	HOLDS(PARSE("") == 0 && *argv == args + 1);
	HOLDS(PARSE("sh", "--json") == 0 && !options.json);
	HOLDS(PARSE("--env", "--=1", "sh") == 0 && *argv == args + 3);
	expect_text(plan_getenv(&options.plan, "--"), "1", "env");
	HOLDS(PARSE("--cwd", "--", "sh") == 0 && *argv == args + 3);
	expect_text(options.plan.cwd, "--", "cwd");
	HOLDS(PARSE("--cwd==a=", "sh") == 0);
	expect_text(options.plan.cwd, "=a=", "cwd");
}

static void
no_command(void)
{
	static const char *const none[] = { NULL };

	HOLDS(parse(none) == -1);
	expect_text(why, "no command given", "nothing");
	REFUSED("no command given", "--");
	REFUSED("no command given", "--json");
	REFUSED("no command given", "--time", "5");
	REFUSED("no command given", "--time", "5", "--");
}

static void
exclusions(void)
{
	REFUSED("--json and --verdict", "--json", "--verdict", "f", "sh");
	REFUSED("--json and --verdict", "--verdict=f", "--json", "sh");
	REFUSED("--json and --tty", "--tty", "--json", "sh");
	HOLDS(PARSE("--tty", "--json", "--no-tty", "sh") == 0);
	HOLDS(PARSE("--verdict=f", "--tty", "sh") == 0);
}

static void
repeated(void)
{
	HOLDS(PARSE("--time=5", "--time=6", "--env=A=1", "--env=A=2",
		  "--cwd=/a", "--cwd=/b", "sh") == 0);
	HOLDS(options.plan.limits.value[LIMIT_TIME] == 6);
	expect_text(plan_getenv(&options.plan, "A"), "2", "env");
	expect_text(options.plan.cwd, "/b", "cwd");
}

/* The help in memory of its own. */
static char *
help(void)
{
	size_t size = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		skip("no memory for a stream");
	options_help(f, &limits, "other:1");
	(void)fclose(f);
	return text;
}

/* Each "  --NAME ..." line is an option, and each limit has a line. */
static void
help_is_complete(void)
{
	char *text = help(), *line, *rest = text, name[40], given[64];
	int n = 0;

	HOLDS(PARSE("--help") == 0 && options.help);
	HOLDS(PARSE("--help", "--nope") == 0 && options.help);
	while ((line = strsep(&rest, "\n")) != NULL) {
		expect_number(strlen(line) > 80, 0, line);
		if (sscanf(line, "  --%39s", name) != 1)
			continue;
		n++;
		(void)snprintf(given, sizeof(given), "--%s", name);
		(void)PARSE(given);
		HOLDS(strstr(why, "unknown option") == NULL);
	}
	expect_number(n, 13 + LIMIT_MAX, "options in the help");
}

static void
help_has_defaults(void)
{
	limits.value[LIMIT_TIME] = 4321;
	limits.value[LIMIT_CPUS] = 1500;
	limits.value[LIMIT_OUTPUT] = 99;
	const char *text = help();

	expect_has(text, "(4321)", "time");
	expect_has(text, "(99)", "output");
	expect_has(text, "(64)", "nproc");
	/* As it would be given, not in thousandths. */
	HOLDS(strstr(text, "(1.5") != NULL);
	expect_has(text, "(other:1)", "image");
}

static const struct testcase cases[] = {
	{ "without options a plan has the defaults", plain },
	{ "every option is taken, joined by = or not", every_option },
	{ "every limit is an option", every_limit },
	{ "an administrator's default and cap hold", administrator },
	{ "an unknown option is refused by its name", unknown },
	{ "an option without its value is named", missing },
	{ "a value for an option that takes none is refused", too_much },
	{ "a wrong value is refused", wrong },
	{ "an empty bind is refused", empty_bind },
	{ "options end at --, at - and at the command", where_they_end },
	{ "without a command nothing is run", no_command },
	{ "--json goes with neither --verdict nor --tty", exclusions },
	{ "the last of an option wins", repeated },
	{ "the help names all options, all of them known", help_is_complete },
	{ "the help shows defaults as they are given", help_has_defaults },
};

int
main(void)
{
	limits_init(&limits);
	return cases_run(cases, LENGTH(cases));
}
