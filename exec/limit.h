#ifndef EXEC_LIMIT_H
#define EXEC_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The limits of a run: one row each in limit_rules[], from which the options,
 * the JSON keys, the configuration, the help text and the tests are made.
 */
enum limit {
	LIMIT_TIME,
	LIMIT_WALL,
	LIMIT_MEM,
	LIMIT_FSIZE,
	LIMIT_STACK,
	LIMIT_NOFILE,
	LIMIT_NPROC,
	LIMIT_DISK,
	LIMIT_SESSION_DISK,
	LIMIT_CPUS,
	LIMIT_OUTPUT,
	LIMIT_MAX
};

/* What holds a limit in a given run: `enforced` of mayfly(1). */
enum enforcer {
	ENFORCED_NONE,
	ENFORCED_CGROUP,
	ENFORCED_RLIMIT,
	ENFORCED_TIMER,
	ENFORCED_READER,
	ENFORCED_TMPFS,
	ENFORCED_QUOTA,
	ENFORCED_SAMPLED,
	ENFORCED_MAX
};

/* No limit asked for. */
#define LIMIT_UNSET UINT64_MAX
/* What `output` is where the output is kept in memory. */
#define LIMIT_OUTPUT_KEPT 1048576

struct limit_rule {
	const char *name;
	const char *unit; /* "ms", "KB", "bytes" or "" */
	uint64_t standard; /* the default, LIMIT_UNSET for none */
	uint64_t min;
	uint64_t max;
	bool decimal; /* given as a decimal, held in thousandths */
	const char *help;
};

extern const struct limit_rule limit_rules[LIMIT_MAX];

/*
 * value: in the row's unit, thousandths for a decimal. cap: an
 * administrator's max_NAME. asked: the caller named it.
 */
struct limits {
	uint64_t value[LIMIT_MAX];
	uint64_t cap[LIMIT_MAX];
	bool asked[LIMIT_MAX];
};

/* Defaults, and caps at each row's maximum. */
void limits_init(struct limits *l);

/* The row's index, or LIMIT_MAX. name need not end at len. */
enum limit limits_find(const char *name, size_t len);

/*
 * Reads text as a value of the limit and checks it against the row's range
 * and cap. 0, or -1 with a sentence in why that names the limit and the
 * range. Sets *ret only on success.
 */
int limits_parse(const struct limits *l, enum limit which, const char *text,
    uint64_t *ret, char *why, size_t size);

/* A value as limits_parse() reads it. */
void limits_print(enum limit which, uint64_t value, char *buf, size_t size);

/*
 * The limit of bytes of an output, which is kept in memory or passed on:
 * LIMIT_UNSET only for one that is passed on.
 */
uint64_t limits_output(const struct limits *l, bool kept);

/* limits_parse() and remember that it was asked for. */
int limits_set(struct limits *l, enum limit which, const char *text, char *why,
    size_t size);

/*
 * What was asked for in from holds where nothing was in l; no more of it than
 * l->cap, which may have been lowered since.
 */
void limits_inherit(struct limits *l, const struct limits *from);

/* "cgroup", "rlimit", ...: the word of the API. */
const char *enforcer_name(enum enforcer e);

/*
 * Raises the hard limits of this process to what the plan wants where they
 * are lower; needs CAP_SYS_RESOURCE, without it does nothing.
 */
void limits_raise(const struct limits *l);

/*
 * Sets every resource limit of the calling process, soft and hard, never
 * above the present hard limit: it is the last thing before the command.
 * as_kb is RLIMIT_AS in KB or LIMIT_UNSET. The core limit is not among them
 * (limits_core). 0, or -1 with errno and the name in *ret_name.
 */
int limits_apply(const struct limits *l, uint64_t as_kb, const char **ret_name);

/*
 * Soft and hard limit of a resource, of setrlimit(2) and in its unit: value, or
 * the present hard limit where that is lower. 0 or -1/errno.
 */
int limits_lower(int resource, uint64_t value);

/*
 * RLIMIT_CORE 1, not 0: with 0 a piped core_pattern still starts the host's
 * handler as root with data of the crashed program, with 1 the kernel
 * refuses. The seccomp filter keeps it there. A hard limit of 0 stays, without
 * the privilege to raise it. 0 or -1/errno.
 */
int limits_core(void);

/* RLIMIT_NPROC for count processes, PID 1 included. 0 or -1/errno. */
int limits_processes(uint64_t count);

#endif
