#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

/*
 * A small harness for what functions promise: cases run in a child each, so
 * that one which crashes fails alone.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Exit statuses of a case. */
enum { PASSED, FAILED, SKIPPED };

struct testcase {
	const char *sentence;
	void (*run)(void);
};

static bool failed; /* in the child: something was not as promised */

/* The statement is true, or the case fails with its text. */
#define HOLDS(statement) holds((statement), #statement, __LINE__)

static inline bool
holds(bool is_true, const char *statement, int line)
{
	if (!is_true) {
		failed = true;
		printf("\tline %d: %s\n", line, statement);
	}
	return is_true;
}

/* The numbers are equal; about says for which input. */
static inline void
expect_number(int64_t found, int64_t wanted, const char *about)
{
	if (found == wanted)
		return;
	failed = true;
	printf("\t%s: %" PRId64 ", not %" PRId64 "\n", about, found, wanted);
}

static inline void
expect_text(const char *found, const char *wanted, const char *about)
{
	if (found != NULL && strcmp(found, wanted) == 0)
		return;
	failed = true;
	printf("\t%s: '%s', not '%s'\n", about, found != NULL ? found : "NULL",
	    wanted);
}

static inline void
expect_has(const char *found, const char *part, const char *about)
{
	if (strstr(found, part) != NULL)
		return;
	failed = true;
	printf("\t%s: '%s' lacks '%s'\n", about, found, part);
}

/* What cannot be tried here is said; with MUST_WORK=1 that is a failure. */
static inline void
skip(const char *reason)
{
	const char *must = getenv("MUST_WORK");

	printf("\t%s\n", reason);
	fflush(stdout);
	_exit(must != NULL && strcmp(must, "1") == 0 ? FAILED : SKIPPED);
}

/* A copy that ends where the address space has a hole; never freed. */
static inline char *
guarded(const void *data, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (len + page - 1) / page * page;
	char *area = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED || mprotect(area + size, page, PROT_NONE) != 0)
		skip("no memory for a guard page");
	if (len > 0)
		memcpy(area + size - len, data, len);
	return area + size - len;
}

/* A string whose last byte is the terminator. */
static inline char *
guarded_text(const char *text)
{
	return guarded(text, strlen(text) + 1);
}

/* The case's exit status. */
static inline int
case_run(const struct testcase *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
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

/*
 * The same with a directory for all that the cases leave, for which template
 * is; its name is in the environment.
 */
static inline int
cases_run_in(char *template, const char *variable, const struct testcase *cases,
    size_t n)
{
	char command[160];
	int r;

	if (mkdtemp(template) == NULL || chmod(template, 0755) != 0)
		return 1;
	(void)setenv(variable, template, 1);
	r = cases_run(cases, n);
	(void)snprintf(command, sizeof(command),
	    "chattr -R -ia %s 2>/dev/null; rm -rf --one-file-system %s",
	    template, template);
	return system(command) != 0 || r;
}

#endif
