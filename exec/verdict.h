#ifndef EXEC_VERDICT_H
#define EXEC_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limit.h"

/* Why a run ended: `reason` of mayfly(1). */
enum reason {
	REASON_EXIT,
	REASON_SIGNAL,
	REASON_TIME,
	REASON_WALL,
	REASON_MEMORY,
	REASON_OUTPUT,
	REASON_DISK,
	REASON_KILLED,
	REASON_MAX
};

/* Exit codes of `mayfly run` that are not the command's: mayfly(1). */
enum {
	EXIT_USAGE = 64,
	EXIT_LIMIT = 124,
	EXIT_OWN = 125,
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNALLED = 128, /* plus the signal */
};

/* What was kept of an output stream; data is the verdict's, or NULL. */
struct kept {
	char *data;
	size_t len;
	bool truncated;
};

/* How a run ended: exactly one of exit_code and signal is not -1. */
struct verdict {
	enum reason reason;
	int exit_code;
	int signal;
	int stopped_by; /* reason killed: the signal that told mayfly to stop */
	bool
	    within_line; /* what was passed on to stderr ends without newline */
	int exec_error; /* errno where the command could not be started, or 0 */
	struct kept out, err;
	uint64_t cpu_ms;
	uint64_t wall_ms;
	uint64_t memory_kb; /* peak */
	enum enforcer enforced[LIMIT_MAX];
};

/* Frees what was kept. */
void verdict_free(struct verdict *v);

/*
 * Adds to what is kept; its memory is the power of two that holds it, so
 * that len says all. 0, or -1 for want of memory with all as it was.
 */
int kept_add(struct kept *k, const char *data, size_t len);

/*
 * More was written than a limit allows, `output` or `session_disk`, which may
 * be seen only when the command has ended by itself: then that is the reason.
 */
void verdict_exceed(struct verdict *v, enum reason reason);

/* "exit", "time", ... */
const char *reason_name(enum reason r);

/* What `mayfly run` exits with. */
int verdict_exit_code(const struct verdict *v);

#endif
