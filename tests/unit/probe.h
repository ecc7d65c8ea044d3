#ifndef UNIT_PROBE_H
#define UNIT_PROBE_H

/*
 * A small harness for what the kernel answers: cases run in a child each, since
 * a filter cannot be taken off again.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"

#define BIT32 (UINT64_C(1) << 32)
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Exit statuses of a case. */
enum { PASSED, FAILED, SKIPPED };

/*
 * A call and the errno it must end with, 0 for success. It is tried again with
 * bit 32 set in each argument under the mask `ints`: the kernel does not look
 * there, so nothing may change.
 */
struct probe {
	long nr;
	int wanted;
	unsigned ints;
	uint64_t args[4];
};

struct testcase {
	const char *sentence;
	void (*run)(void);
};

static bool failed; /* in the child: something was not as promised */

/* The statement is true, or the case fails with its text. */
#define HOLDS(statement) holds((statement), #statement)

static inline void
holds(bool is_true, const char *statement)
{
	if (is_true)
		return;
	failed = true;
	printf("\t%s: %s\n", statement, strerror(errno));
}

/* From here on the case is behind the filter, with these flags. */
static inline void
confine(unsigned extra)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    filter_load(extra) == 0)
		return;
	printf("\tfilter_load: %s\n", strerror(errno));
	_exit(FAILED);
}

/* The errno of a call, or 0; what it made is gone again. */
static inline int
outcome(long nr, const uint64_t *args)
{
	long got = syscall(nr, args[0], args[1], args[2], args[3], 0, 0);

	if (got == -1)
		return errno;
	if ((nr == SYS_clone || nr == SYS_clone3) && got == 0)
		_exit(0);
	if (nr == SYS_socket || nr == SYS_openat)
		close((int)got);
	return 0;
}

static inline void
expect(long nr, int wanted, const uint64_t *args)
{
	int found = outcome(nr, args);

	if (found == wanted)
		return;
	failed = true;
	printf("\tcall %ld(%#jx, %#jx, %#jx, %#jx): %s, not %s\n", nr,
	    (uintmax_t)args[0], (uintmax_t)args[1], (uintmax_t)args[2],
	    (uintmax_t)args[3], strerror(found), strerror(wanted));
}

static inline void
expect_probes(const struct probe *probes, size_t n)
{
	for (const struct probe *p = probes; p < probes + n; p++) {
		for (unsigned high = 0; high < 16; high++) {
			uint64_t args[4];

			if ((high & ~p->ints) != 0)
				continue;
			for (unsigned i = 0; i < 4; i++)
				args[i] = (high & 1U << i) != 0
					      ? p->args[i] | BIT32
					      : p->args[i];
			expect(p->nr, p->wanted, args);
		}
	}
}

/* The case's exit status; its own session keeps vhangup from the terminal. */
static inline int
case_run(const struct testcase *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)setsid();
		(void)alarm(60);
		c->run();
		fflush(stdout);
		_exit(failed ? FAILED : PASSED);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return FAILED;
	if (WIFSIGNALED(status))
		printf("\tkilled by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

/* What main returns. */
static inline int
cases_run(const struct testcase *cases, size_t n)
{
	static const char *const words[] = { "ok", "not ok", "skip" };
	int count[3] = { 0 };

	for (size_t i = 0; i < n; i++) {
		int status = case_run(&cases[i]);

		if (status < PASSED || status > SKIPPED)
			status = FAILED;
		count[status]++;
		printf("%s - %s\n", words[status], cases[i].sentence);
	}
	printf("%d passed, %d failed, %d skipped\n", count[PASSED],
	    count[FAILED], count[SKIPPED]);
	return count[FAILED] > 0;
}

#endif
