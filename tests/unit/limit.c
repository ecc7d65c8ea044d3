/* Every row of the table of limits, its range and what is not a number. */
#include "limit.h"

#include <sys/resource.h>

#include "unit.h"

#define WEEK UINT64_C(604800000)
#define PIB UINT64_C(1099511627776)
#define NONE LIMIT_UNSET

/* The promises, written down a second time. */
static const struct row {
	const char *name;
	uint64_t standard, min, max;
	const char *unit;
} rows[] = {
	{ "time", 5000, 1, WEEK, "ms" },
	{ "wall", 30000, 1, WEEK, "ms" },
	{ "mem", 2097152, 1024, PIB, "KB" },
	{ "fsize", 10240, 0, PIB, "KB" },
	{ "stack", 8192, 128, PIB, "KB" },
	{ "nofile", 64, 3, 1048576, "" },
	{ "nproc", 64, 1, 4194303, "" },
	{ "disk", 65536, 64, PIB, "KB" },
	{ "session_disk", 5242880, 1024, PIB, "KB" },
	{ "cpus", NONE, 10, 4096000, "" },
	{ "output", NONE, 0, UINT64_C(1) << 50, "bytes" },
};

static struct limits limits;

/* The limit takes text as value, or refuses it when value is NONE. */
static void
try(enum limit which, const char *text, uint64_t value)
{
	char why[200] = "", about[80];
	uint64_t n = 12345;
	int r = limits_parse(
	    &limits, which, guarded_text(text), &n, why, sizeof(why));

	(void)snprintf(
	    about, sizeof(about), "%s '%.40s'", limit_rules[which].name, text);
	expect_number(r, value == NONE ? -1 : 0, about);
	expect_number(
	    (int64_t)n, value == NONE ? 12345 : (int64_t)value, about);
	if (value != NONE)
		return;
	expect_number(strncmp(why, limit_rules[which].name,
			  strlen(limit_rules[which].name)),
	    0, why);
	expect_has(why, limit_rules[which].unit, about);
	if (strlen(text) <= 40)
		expect_has(why, text, about);
}

static void
try_number(enum limit which, uint64_t n, uint64_t value)
{
	char text[40];

	if (limit_rules[which].decimal)
		(void)snprintf(text, sizeof(text), "%" PRIu64 ".%03u", n / 1000,
		    (unsigned)(n % 1000));
	else
		(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	try(which, text, value);
}

static void
table(void)
{
	HOLDS(LENGTH(rows) == LIMIT_MAX);
	for (int i = 0; i < LIMIT_MAX; i++) {
		const struct limit_rule *r = &limit_rules[i];

		expect_text(r->name, rows[i].name, "name");
		expect_text(r->unit, rows[i].unit, r->name);
		HOLDS(r->standard == rows[i].standard);
		HOLDS(r->min == rows[i].min);
		HOLDS(r->max == rows[i].max);
		HOLDS(r->decimal == (i == LIMIT_CPUS));
		HOLDS(r->help != NULL && *r->help != '\0');
	}
}

static void
defaults(void)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		HOLDS(limits.value[i] == rows[i].standard);
		HOLDS(limits.cap[i] == rows[i].max);
		HOLDS(!limits.asked[i]);
	}
}

static void
names(void)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		const char *name = rows[i].name;
		size_t len = strlen(name);
		char *exact = guarded(name, len);

		expect_number(limits_find(exact, len), i, name);
		HOLDS(limits_find(exact, len - 1) == LIMIT_MAX);
		HOLDS(limits_find(exact + 1, len - 1) == LIMIT_MAX);
	}
	HOLDS(limits_find("timex", 5) == LIMIT_MAX);
	HOLDS(limits_find("timex", 4) == LIMIT_TIME);
	HOLDS(limits_find("TIME", 4) == LIMIT_MAX);
	HOLDS(limits_find("session-disk", 12) == LIMIT_MAX);
	HOLDS(limits_find(guarded("", 0), 0) == LIMIT_MAX);
}

static void
ranges(void)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		uint64_t min = rows[i].min, max = rows[i].max;

		try_number(i, min, min);
		try_number(i, min + 1, min + 1);
		try_number(i, max - 1, max - 1);
		try_number(i, max, max);
		try_number(i, max + 1, NONE);
		if (min > 0)
			try_number(i, min - 1, NONE);
		if (rows[i].standard != NONE)
			try_number(i, rows[i].standard, rows[i].standard);
	}
}

static void
garbage(void)
{
	static const char *const texts[] = { "", " ", "5x", "x5", "-1", "+5",
		" 5", "5 ", "0x5", "5e3", "5,0", "5k", "5M", "5\n", "\t5",
		"--5", "1_000", "inf", "nan", "none", "unlimited", "5.", ".",
		".5", "1..5", "1.2.3", "-0", "\xd9\xa5", "5\xc2\xa0", "%s%n",
		"18446744073709551615", "18446744073709551616",
		"18446744073709551617", "36893488147419103233",
		"184467440737095516150", "99999999999999999999999999999999",
		"340282366920938463463374607431768211457" };

	for (int i = 0; i < LIMIT_MAX; i++) {
		for (size_t j = 0; j < LENGTH(texts); j++)
			try(i, texts[j], NONE);
		if (i != LIMIT_CPUS) {
			try(i, "2000.0", NONE);
			try(i, "2000.", NONE);
		}
	}
}

static void
long_digits(void)
{
	char text[5001];

	memset(text, '9', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < LIMIT_MAX; i++)
		try(i, text, NONE);
	memset(text, '0', sizeof(text) - 1);
	memcpy(text + 4995, "20000", 5);
	try(LIMIT_TIME, text, 20000);
	try(LIMIT_NPROC, "064", 64);
}

/* It is a number, and so what it is not is in range. */
static void
large(void)
{
	static const char *const texts[] = { "18446744073709551614",
		"18446744073709551615", "18446744073709551616",
		"36893488147419103233", "99999999999999999999999999999999" };
	char why[200];
	uint64_t n;

	for (int i = 0; i < LIMIT_MAX; i++) {
		for (size_t j = 0; j < LENGTH(texts); j++) {
			HOLDS(limits_parse(&limits, i, texts[j], &n, why,
				  sizeof(why)) == -1);
			expect_has(why, "is out of range: ", texts[j]);
		}
	}
}

static void
decimals(void)
{
	static const struct {
		const char *text;
		uint64_t value;
	} tries[] = { { "1", 1000 }, { "1.0", 1000 }, { "1.5", 1500 },
		{ "0.5", 500 }, { "0.25", 250 }, { "0.125", 125 },
		{ "0.01", 10 }, { "0.010", 10 }, { "0.009", NONE },
		{ "0.1250", NONE }, { "0.0100", NONE }, { "0", NONE },
		{ "0.0", NONE }, { "00.5", 500 }, { "4096", 4096000 },
		{ "4096.000", 4096000 }, { "4096.001", NONE }, { "4097", NONE },
		{ "1.-5", NONE }, { "1.5x", NONE }, { "1. 5", NONE },
		{ "1,5", NONE }, { "18446744073709551.616", NONE },
		{ "18446744073709551616.5", NONE },
		{ "18446744073709552", NONE }, { "1844674407370956", NONE } };

	for (size_t i = 0; i < LENGTH(tries); i++)
		try(LIMIT_CPUS, tries[i].text, tries[i].value);
}

static void
caps(void)
{
	char why[200];

	limits.cap[LIMIT_TIME] = 7000;
	limits.cap[LIMIT_CPUS] = 1500;
	try(LIMIT_TIME, "7000", 7000);
	try(LIMIT_TIME, "7001", NONE);
	try(LIMIT_CPUS, "1.5", 1500);
	try(LIMIT_CPUS, "1.501", NONE);
	(void)limits_set(&limits, LIMIT_TIME, "7001", why, sizeof(why));
	expect_text(why, "time: '7001' is out of range: 1 to 7000 ms", "cap");
	(void)limits_set(&limits, LIMIT_CPUS, "9", why, sizeof(why));
	expect_text(
	    why, "cpus: '9' is out of range: 0.010 to 1.500", "decimal cap");
}

static void
sets(void)
{
	char why[200];

	HOLDS(limits_set(&limits, LIMIT_WALL, "0", why, sizeof(why)) == -1);
	HOLDS(limits.value[LIMIT_WALL] == 30000 && !limits.asked[LIMIT_WALL]);
	HOLDS(limits_set(&limits, LIMIT_WALL, "30000", why, sizeof(why)) == 0);
	HOLDS(limits.value[LIMIT_WALL] == 30000 && limits.asked[LIMIT_WALL]);
	HOLDS(limits_set(&limits, LIMIT_WALL, "9", why, sizeof(why)) == 0);
	HOLDS(limits_set(&limits, LIMIT_WALL, "9x", why, sizeof(why)) == -1);
	HOLDS(limits.value[LIMIT_WALL] == 9 && limits.asked[LIMIT_WALL]);
	for (int i = 0; i < LIMIT_MAX; i++)
		HOLDS(limits.asked[i] == (i == LIMIT_WALL));
}

static void
small_why(void)
{
	for (size_t size = 1; size < 80; size++) {
		char room[80];
		uint64_t n;

		memset(room, 'x', sizeof(room));
		char *why = guarded(room, size);

		HOLDS(limits_parse(&limits, LIMIT_SESSION_DISK, "x", &n, why,
			  size) == -1);
		HOLDS(memchr(why, '\0', size) != NULL);
	}
}

static void
expect_rlimit(int resource, rlim_t value)
{
	struct rlimit r;

	HOLDS(getrlimit(resource, &r) == 0);
	expect_number((int64_t)r.rlim_cur, (int64_t)value, "soft");
	expect_number((int64_t)r.rlim_max, (int64_t)value, "hard");
}

static void
applied(void)
{
	struct rlimit low = { 100, 200 };
	const char *name;

	limits.value[LIMIT_FSIZE] = 1024;
	limits.value[LIMIT_STACK] = 512;
	limits.value[LIMIT_NOFILE] = 300;
	HOLDS(setrlimit(RLIMIT_NOFILE, &low) == 0);
	HOLDS(limits_apply(&limits, NONE, &name) == 0);
	expect_rlimit(RLIMIT_NOFILE, 200);
	expect_rlimit(RLIMIT_STACK, 512 * 1024);
	expect_rlimit(RLIMIT_CPU, 7);
	expect_rlimit(RLIMIT_RTPRIO, 0);
	expect_rlimit(RLIMIT_FSIZE, 1048576);
}

static void
core(void)
{
	struct rlimit r = { 0, 0 }, any = { 0, RLIM_INFINITY };
	rlim_t want = 1;

	HOLDS(getrlimit(RLIMIT_CORE, &r) == 0);
	/* As sudo does, and then only privilege raises it. */
	if (r.rlim_max == 0 && setrlimit(RLIMIT_CORE, &any) != 0)
		want = 0;
	HOLDS(limits_core() == 0);
	HOLDS(getrlimit(RLIMIT_CORE, &r) == 0);
	HOLDS(r.rlim_cur == want && r.rlim_max == want);
	HOLDS(limits_core() == 0);
}

static const struct testcase cases[] = {
	{ "the table is that of the API", table },
	{ "the defaults are the table's, nothing is asked for", defaults },
	{ "a limit is found by its whole name", names },
	{ "every row takes its range and nothing beside it", ranges },
	{ "no row takes what is not a number", garbage },
	{ "digits without end do not wrap around", long_digits },
	{ "a number that is too large is told the range", large },
	{ "cpus is a decimal with at most three places", decimals },
	{ "a cap is a maximum, and is named", caps },
	{ "a limit is set and remembered, a wrong one leaves it", sets },
	{ "the sentence is cut where there is no room", small_why },
	{ "rlimits are set, soft and hard, never raised", applied },
	{ "the core limit is 1", core },
};

int
main(void)
{
	limits_init(&limits);
	return cases_run(cases, LENGTH(cases));
}
