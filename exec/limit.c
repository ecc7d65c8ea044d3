#include "limit.h"

#include <sys/resource.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defence.h"

#define WEEK_MS UINT64_C(604800000)
#define PIB_KB (UINT64_C(1) << 40)

/* The order is that of enum limit; mayfly(1) has each default and range. */
const struct limit_rule limit_rules[LIMIT_MAX] = {
	{ "time", "ms", 5000, 1, WEEK_MS, false,
	    "CPU time of the whole sandbox" },
	{ "wall", "ms", 30000, 1, WEEK_MS, false, "elapsed time" },
	{ "mem", "KB", 2097152, 1024, PIB_KB, false,
	    "memory of the whole sandbox, tmpfs included" },
	{ "fsize", "KB", 10240, 0, PIB_KB, false, "largest file written" },
	{ "stack", "KB", 8192, 128, PIB_KB, false, "stack of a process" },
	{ "nofile", "", 64, 3, 1048576, false, "open files per process" },
	{ "nproc", "", 64, 1, 4194303, false,
	    "processes and threads in the sandbox" },
	{ "disk", "KB", 65536, 64, PIB_KB, false,
	    "what a run may write outside a session" },
	{ "session_disk", "KB", 5242880, 1024, PIB_KB, false,
	    "what a session may hold on disk" },
	{ "cpus", "", LIMIT_UNSET, 10, 4096000, true,
	    "CPUs' worth of time, a decimal such as 0.5" },
	{ "output", "bytes", LIMIT_UNSET, 0, UINT64_C(1) << 50, false,
	    "bytes kept of stdout and of stderr, each" },
};

static const char *const enforcer_names[ENFORCED_MAX] = { "none", "cgroup",
	"rlimit", "timer", "reader", "tmpfs", "quota", "sampled" };

/* The rlimits a limit of ours is a row of. */
static const struct {
	int resource;
	enum limit limit;
	uint64_t unit; /* bytes in one of the limit's unit */
} rlimit_rows[] = {
	{ RLIMIT_FSIZE, LIMIT_FSIZE, 1024 },
	{ RLIMIT_STACK, LIMIT_STACK, 1024 },
	{ RLIMIT_NOFILE, LIMIT_NOFILE, 1 },
};

/* The rlimits that nobody can choose, each with what it bounds. */
static const struct {
	int resource;
	rlim_t value;
	const char *name;
} rlimit_fixed[] = {
	{ RLIMIT_MEMLOCK, 64 * 1024, "RLIMIT_MEMLOCK" }, /* not swapped */
	{ RLIMIT_MSGQUEUE, 819200, "RLIMIT_MSGQUEUE" }, /* kernel memory */
	{ RLIMIT_SIGPENDING, 1024, "RLIMIT_SIGPENDING" }, /* kernel memory */
	{ RLIMIT_RTPRIO, 0, "RLIMIT_RTPRIO" }, /* no real-time scheduling */
	{ RLIMIT_NICE, 0, "RLIMIT_NICE" }, /* no better niceness */
	{ RLIMIT_LOCKS, 1024, "RLIMIT_LOCKS" }, /* nothing any more */
};

void
limits_init(struct limits *l)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		l->value[i] = limit_rules[i].standard;
		l->cap[i] = limit_rules[i].max;
		l->asked[i] = false;
	}
}

enum limit
limits_find(const char *name, size_t len)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		if (strlen(limit_rules[i].name) == len &&
		    memcmp(limit_rules[i].name, name, len) == 0)
			return i;
	}
	return LIMIT_MAX;
}

/*
 * Digits only, in thousandths when decimal; -1 when it is not a number.
 * UINT64_MAX, which no limit can be, stands for all that are larger.
 */
static int
parse_number(const char *text, bool decimal, uint64_t *ret)
{
	uint64_t n = 0;
	int places = -1; /* digits after the point, -1 before it */
	bool large = false;
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (decimal && *p == '.' && places < 0 && p != text) {
			places = 0;
			continue;
		}
		if (*p < '0' || *p > '9' || places == 3)
			return -1;
		large = large || n > (UINT64_MAX - 9) / 10;
		n = n * 10 + (uint64_t)(*p - '0');
		if (places >= 0)
			places++;
	}
	if (p == text || places == 0)
		return -1;
	for (places = decimal ? places < 0 ? 0 : places : 3; places < 3;
	     places++) {
		large = large || n > UINT64_MAX / 10;
		n *= 10;
	}
	*ret = large ? UINT64_MAX : n;
	return 0;
}

void
limits_print(enum limit which, uint64_t value, char *buf, size_t size)
{
	if (limit_rules[which].decimal)
		(void)snprintf(buf, size, "%" PRIu64 ".%03u", value / 1000,
		    (unsigned)(value % 1000));
	else
		(void)snprintf(buf, size, "%" PRIu64, value);
}

int
limits_parse(const struct limits *l, enum limit which, const char *text,
    uint64_t *ret, char *why, size_t size)
{
	const struct limit_rule *r = &limit_rules[which];
	char min[32], max[32];
	uint64_t n;
	bool number;

	number = parse_number(text, r->decimal, &n) == 0;
	if (number &&
	    ((n >= r->min && n <= l->cap[which]) || !DEFENCE(LIMIT_RANGE))) {
		*ret = n;
		return 0;
	}
	limits_print(which, r->min, min, sizeof(min));
	limits_print(which, l->cap[which], max, sizeof(max));
	(void)snprintf(why, size, "%s: '%.40s' is %s%s to %s%s%s", r->name,
	    text,
	    number	 ? "out of range: "
	    : r->decimal ? "not a decimal number with at most three places: "
			 : "not a whole number: ",
	    min, max, *r->unit != '\0' ? " " : "", r->unit);
	return -1;
}

int
limits_set(struct limits *l, enum limit which, const char *text, char *why,
    size_t size)
{
	if (limits_parse(l, which, text, &l->value[which], why, size) != 0)
		return -1;
	l->asked[which] = true;
	return 0;
}

void
limits_inherit(struct limits *l, const struct limits *from)
{
	for (int i = 0; i < LIMIT_MAX; i++) {
		if (l->asked[i] || !from->asked[i])
			continue;
		l->value[i] =
		    from->value[i] < l->cap[i] ? from->value[i] : l->cap[i];
		l->asked[i] = true;
	}
}

uint64_t
limits_output(const struct limits *l, bool kept)
{
	uint64_t value = l->value[LIMIT_OUTPUT], cap = l->cap[LIMIT_OUTPUT];

	if (!kept || value != LIMIT_UNSET)
		return value;
	return cap < LIMIT_OUTPUT_KEPT ? cap : LIMIT_OUTPUT_KEPT;
}

const char *
enforcer_name(enum enforcer e)
{
	return enforcer_names[e];
}

static rlim_t
in_bytes(uint64_t value, uint64_t unit)
{
	if (value == LIMIT_UNSET || value > (UINT64_C(1) << 62) / unit)
		return RLIM_INFINITY;
	return value * unit;
}

void
limits_raise(const struct limits *l)
{
	for (size_t i = 0; i < sizeof(rlimit_rows) / sizeof(*rlimit_rows);
	     i++) {
		rlim_t want = in_bytes(
		    l->value[rlimit_rows[i].limit], rlimit_rows[i].unit);
		struct rlimit r;

		if (getrlimit(rlimit_rows[i].resource, &r) == 0 &&
		    r.rlim_max < want) {
			r.rlim_max = want;
			(void)setrlimit(rlimit_rows[i].resource, &r);
		}
	}
}

int
limits_lower(int resource, uint64_t value)
{
	struct rlimit r;

	if (getrlimit(resource, &r) != 0)
		return -1;
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > value)
		r.rlim_max = value;
	r.rlim_cur = r.rlim_max;
	return setrlimit(resource, &r);
}

int
limits_apply(const struct limits *l, uint64_t as_kb, const char **ret_name)
{
	/* A backstop: the sum over all processes is checked outside. */
	rlim_t cpu = l->value[LIMIT_TIME] / 1000 + 2;

	for (size_t i = 0; i < sizeof(rlimit_rows) / sizeof(*rlimit_rows);
	     i++) {
		*ret_name = limit_rules[rlimit_rows[i].limit].name;
		if (limits_lower(rlimit_rows[i].resource,
			in_bytes(l->value[rlimit_rows[i].limit],
			    rlimit_rows[i].unit)) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(rlimit_fixed) / sizeof(*rlimit_fixed);
	     i++) {
		*ret_name = rlimit_fixed[i].name;
		if (limits_lower(
			rlimit_fixed[i].resource, rlimit_fixed[i].value) != 0)
			return -1;
	}
	*ret_name = "time";
	if (limits_lower(RLIMIT_CPU, cpu) != 0)
		return -1;
	*ret_name = "mem";
	if (as_kb != LIMIT_UNSET &&
	    limits_lower(RLIMIT_AS, in_bytes(as_kb, 1024)) != 0)
		return -1;
	return 0;
}

int
limits_core(void)
{
#ifdef MUTATE_CORE
	return limits_lower(RLIMIT_CORE, 0);
#endif
	struct rlimit r = { 1, 1 };
	int error;

	if (setrlimit(RLIMIT_CORE, &r) == 0)
		return 0;
	error = errno;
	/* An inherited hard limit of 0 cannot be raised without privilege. */
	if (error == EPERM && getrlimit(RLIMIT_CORE, &r) == 0 &&
	    r.rlim_max == 0)
		return 0;
	errno = error;
	return -1;
}

int
limits_processes(uint64_t count)
{
	return limits_lower(RLIMIT_NPROC, count);
}
