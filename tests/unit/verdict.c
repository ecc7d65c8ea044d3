/* The exit code of `mayfly run` and the words of a result. */
#include "verdict.h"

#include <signal.h>

#include "unit.h"

static void
own_codes(void)
{
	for (int code = 0; code < 256; code++) {
		const struct verdict v = {
			.reason = REASON_EXIT, .exit_code = code, .signal = -1
		};

		expect_number(verdict_exit_code(&v), code, "exit");
	}
}

static void
signals(void)
{
	for (int sig = 1; sig <= 64; sig++) {
		const struct verdict v = {
			.reason = REASON_SIGNAL, .exit_code = -1, .signal = sig
		};

		expect_number(verdict_exit_code(&v), 128 + sig, "signal");
	}
}

static void
limits(void)
{
	static const enum reason reasons[] = { REASON_TIME, REASON_WALL,
		REASON_MEMORY, REASON_OUTPUT, REASON_DISK };

	for (size_t i = 0; i < LENGTH(reasons); i++) {
		const struct verdict v = {
			.reason = reasons[i], .exit_code = -1, .signal = SIGKILL
		};

		expect_number(
		    verdict_exit_code(&v), 124, reason_name(reasons[i]));
	}
}

static void
stopped(void)
{
	struct verdict v = {
		.reason = REASON_KILLED, .exit_code = -1, .signal = SIGKILL
	};

	expect_number(verdict_exit_code(&v), 137, "killed by others");
	v.stopped_by = SIGTERM;
	expect_number(verdict_exit_code(&v), 143, "told to stop by TERM");
	v.stopped_by = SIGINT;
	expect_number(verdict_exit_code(&v), 130, "told to stop by INT");
	v.stopped_by = SIGHUP;
	expect_number(verdict_exit_code(&v), 129, "told to stop by HUP");
}

static void
words(void)
{
	static const char *const reasons[] = { "exit", "signal", "time", "wall",
		"memory", "output", "disk", "killed" };
	static const char *const enforcers[] = { "none", "cgroup", "rlimit",
		"timer", "reader", "tmpfs", "quota", "sampled" };

	HOLDS(LENGTH(reasons) == REASON_MAX);
	HOLDS(LENGTH(enforcers) == ENFORCED_MAX);
	for (int i = 0; i < REASON_MAX; i++)
		expect_text(reason_name(i), reasons[i], "reason");
	for (int i = 0; i < ENFORCED_MAX; i++)
		expect_text(enforcer_name(i), enforcers[i], "enforcer");
}

/* Only an end that seemed to be none of a limit becomes one. */
static void
exceeded(void)
{
	for (int i = 0; i < REASON_MAX; i++) {
		struct verdict v = {
			.reason = i, .exit_code = 3, .signal = -1
		};
		bool own = i == REASON_EXIT || i == REASON_SIGNAL;

		verdict_exceed(&v, REASON_DISK);
		expect_text(reason_name(v.reason),
		    own ? "disk" : reason_name(i), reason_name(i));
		expect_number(v.exit_code, own ? -1 : 3, "exit code");
		expect_number(v.signal, own ? SIGKILL : -1, "signal");
	}
}

static void
numbers(void)
{
	HOLDS(EXIT_USAGE == 64);
	HOLDS(EXIT_LIMIT == 124);
	HOLDS(EXIT_OWN == 125);
	HOLDS(EXIT_CANNOT_EXECUTE == 126);
	HOLDS(EXIT_NOT_FOUND == 127);
	HOLDS(EXIT_SIGNALLED == 128);
}

static void
freed(void)
{
	struct verdict v = { .out.data = malloc(1), .err.data = NULL };

	verdict_free(&v);
	HOLDS(v.out.data == NULL && v.err.data == NULL);
	verdict_free(&v);
}

static const struct testcase cases[] = {
	{ "a command's own code is handed on", own_codes },
	{ "a signal is 128 and its number", signals },
	{ "every limit is 124", limits },
	{ "who stopped mayfly decides, else the signal", stopped },
	{ "reasons and enforcers have the words of the API", words },
	{ "more than a limit is seen after a command's own end", exceeded },
	{ "the codes that are not the command's", numbers },
	{ "a verdict can be freed twice", freed },
};

int
main(void)
{
	return cases_run(cases, LENGTH(cases));
}
