#ifndef EXEC_FAIL_H
#define EXEC_FAIL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>

/*
 * Why mayfly itself could not do its work: the step it was at, the errno
 * value or 0, and a sentence. Sent whole over the control socket by the
 * process inside, so it has a fixed size.
 */
struct failure {
	char step[16];
	int error;
	char detail[232];
};
_Static_assert(sizeof(struct failure) <= PIPE_BUF, "one atomic write");

/*
 * Fills f and returns -1, so that a function can end with
 * `return failure_set(...)`. error is an errno value, or 0 for none.
 */
int failure_set(struct failure *f, const char *step, int error, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/*
 * Says so and ends the process, which serves one request: where there is no
 * memory for a string or a list, nothing that it did would be certain. What it
 * leaves the reaper finds.
 */
__attribute__((__noreturn__)) void fail_memory(void);

/*
 * Is it the machine that is short of something, or broken, whatever the
 * request says?
 */
bool fail_is_machines(int error);

/*
 * "step: detail: strerror", or without the last part where error is 0.
 * Returns buf.
 */
const char *failure_text(const struct failure *f, char *buf, size_t size);

#endif
