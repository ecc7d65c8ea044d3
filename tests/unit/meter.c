/* Sums over a /proc of files, and when to look again. */
#include "meter.h"

#include <sys/stat.h>

#include <fcntl.h>

#include "unit.h"

static const struct cgroup none = { .parent = -1, .dir = -1 };
static struct limits limits;
static struct meter meter;
static char dir[] = "/tmp/mayfly-meter.XXXXXX";

static void
write_proc(const char *pid, const char *name, const char *text)
{
	char path[100];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, pid);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, pid, name);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		skip("no file can be written");
}

static void
remove_proc(const char *pid)
{
	static const char *const names[] = { "/stat", "/status",
		"/smaps_rollup", "" };
	char path[100];

	for (size_t i = 0; i < LENGTH(names); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s%s", dir, pid, names[i]);
		(void)remove(path);
	}
}

static void
clean(void)
{
	remove_proc("1");
	remove_proc("2");
	remove_proc("30");
	remove_proc("self");
	(void)rmdir(dir);
}

static void
start(void)
{
	meter_init(&meter, &none, LIMIT_UNSET);
	if (mkdtemp(dir) == NULL)
		skip("no directory to be had");
	meter.proc = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	HOLDS(meter.proc >= 0);
}

/* A process of that name, with ticks of its own and of its children. */
static void
write_stat(const char *pid, const char *name, int own, int children)
{
	char text[300];

	(void)snprintf(text, sizeof(text),
	    "%s (%s) S 1 1 1 0 -1 4194560 1 2 3 4 %d %d %d %d 20 0 1 0 5 6 7",
	    pid, name, own, own, children, children);
	write_proc(pid, "stat", text);
}

/* Microseconds that so many ticks are. */
static int64_t
ticks(int n)
{
	return n * (INT64_C(1000000) / sysconf(_SC_CLK_TCK));
}

static void
cpu_sum(void)
{
	start();
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.cpu_us, 0, "nobody");
	write_stat("1", "init", 1, 2);
	write_stat("2", ") R 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 (", 10, 20);
	write_stat("30", "a b\n c", 100, 200);
	write_stat("self", "x", 5000, 5000);
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.cpu_us, ticks(666), "all");
	clean();
}

static void
cpu_garbage(void)
{
	start();
	write_stat("1", "init", 1, 0);
	write_proc("2", "stat", "");
	write_proc("30", "stat", "30 (x");
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.cpu_us, ticks(2), "the good one");
	write_proc("2", "stat", "2 (x) S 1 1 1 0 -1 0 1 2 3 4 5");
	write_proc("30", "stat", ")");
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.cpu_us, ticks(2), "the good one");
	clean();
}

/* Time of children that nobody waits for is in no file any more. */
static void
cpu_lost(void)
{
	start();
	write_stat("2", "a", 10, 0);
	write_stat("30", "b", 100, 0);
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.cpu_us, ticks(220), "both");
	remove_proc("30");
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.cpu_us, ticks(220), "one has gone");
	write_stat("2", "a", 15, 0);
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.cpu_us, ticks(230), "the other ran on");
	clean();
}

static void
memory_sum(void)
{
	start();
	write_proc("1", "status", "Name:\tx\nRssAnon:\t 5000 kB\n");
	write_proc("2", "status",
	    "Name:\tx\nVmRSS:\t 999 kB\nRssAnon:\t     100 kB\nRssFile:\t"
	    " 77 kB\nRssShmem:\t      20 kB\nVmData:\t 9 kB\n");
	write_proc("30", "status", "Name:\tx\nRssAnon:\t3 kB\n");
	meter_read(&meter, 123);
	expect_number((int64_t)meter.memory_kb, 123, "all but the first");
	HOLDS(meter.peak_kb == 123);
	remove_proc("2");
	meter_read(&meter, 123);
	HOLDS(meter.memory_kb == 3 && meter.peak_kb == 123);
	clean();
}

/* A process can choose its name, not what is read for its memory. */
static void
memory_name(void)
{
	start();
	write_proc("2", "status", "Name:\tRssAnon: 5\nRssAnon:\t 7 kB\n");
	meter_read(&meter, 1000);
	expect_number((int64_t)meter.memory_kb, 7, "status");
	clean();
}

/* What two share is counted once when it matters. */
static void
memory_exactly(void)
{
	start();
	for (int i = 0; i < 2; i++) {
		const char *pid = i == 0 ? "2" : "30";

		write_proc(
		    pid, "status", "x\nRssAnon: 80 kB\nRssShmem: 0 kB\n");
		write_proc(pid, "smaps_rollup",
		    "0-1 ---p 0 0:0 0 [rollup]\nRss: 90 kB\nPss: 60 kB\n"
		    "Pss_Dirty: 9 kB\nPss_Anon:    40 kB\nPss_File: 8 kB\n"
		    "Pss_Shmem:   2 kB\n");
	}
	meter_read(&meter, 160);
	expect_number((int64_t)meter.memory_kb, 160, "quickly");
	meter_read(&meter, 159);
	expect_number((int64_t)meter.memory_kb, 84, "exactly");
	remove_proc("30");
	write_proc("30", "status", "x\nRssAnon: 80 kB\n");
	meter_read(&meter, 100);
	expect_number((int64_t)meter.memory_kb, 122, "where it can");
	clean();
}

static void
first_look(void)
{
	meter_init(&meter, &none, LIMIT_UNSET);
	meter_read(&meter, 1000);
	HOLDS(meter.cpu_us == 0 && meter.memory_kb == 0);
	HOLDS(meter.cpus >= 1 && meter_samples_memory(&meter));
	meter.proc = open("/nowhere/at/all", O_PATH);
	meter_read(&meter, 1000);
	HOLDS(meter.cpu_us == 0 && meter.memory_kb == 0);
}

static void
expect_next(uint64_t cpu_us, uint64_t memory_kb, uint64_t wanted)
{
	meter.cpu_us = cpu_us;
	meter.memory_kb = memory_kb;
	expect_number((int64_t)meter_next_us(&meter, &limits), (int64_t)wanted,
	    "microseconds");
}

/* Without a cgroup: 4 bytes a nanosecond and CPU, and 5 ms at least. */
static void
next_sampled(void)
{
	meter_init(&meter, &none, LIMIT_UNSET);
	meter.cpus = 4;
	limits.value[LIMIT_TIME] = 1000;
	limits.value[LIMIT_MEM] = UINT64_C(1) << 40;
	expect_next(0, 0, 250000);
	expect_next(400000, 0, 150000);
	expect_next(979999, 0, 5000);
	expect_next(1000000, 0, 5000);
	expect_next(UINT64_MAX, 0, 5000);
	limits.value[LIMIT_MEM] = 1048576;
	expect_next(0, 0, 65536);
	expect_next(0, 524288, 32768);
	expect_next(0, 1048575, 5000);
	expect_next(0, 1048576, 5000);
	expect_next(0, UINT64_MAX, 5000);
}

static void
next_cgroup(void)
{
	struct cgroup c = { .parent = -1, .dir = 0, .memory = true };

	meter_init(&meter, &c, LIMIT_UNSET);
	HOLDS(!meter_samples_memory(&meter));
	meter.cpus = 2;
	limits.value[LIMIT_TIME] = 1000;
	limits.value[LIMIT_MEM] = 1024;
	expect_next(0, 999999, 500000);
	expect_next(999000, 0, 1000);
	expect_next(2000000, 0, 1000);
	c.memory = false;
	HOLDS(meter_samples_memory(&meter));
	expect_next(0, 1024, 5000);
}

static void
cpus_at_once(void)
{
	struct cgroup c = { .parent = -1, .dir = 0, .cpu = true };
	unsigned all;

	meter_init(&meter, &none, 10);
	all = meter.cpus;
	meter_init(&meter, &c, 10);
	HOLDS(meter.cpus == 1);
	meter_init(&meter, &c, LIMIT_UNSET);
	HOLDS(meter.cpus == all);
	meter_init(&meter, &c, 4096000);
	HOLDS(meter.cpus <= 4097 && meter.cpus <= all);
}

static void
greatest_limits(void)
{
	meter_init(&meter, &none, LIMIT_UNSET);
	meter.cpus = 1;
	limits.value[LIMIT_TIME] = limit_rules[LIMIT_TIME].max;
	limits.value[LIMIT_MEM] = limit_rules[LIMIT_MEM].max;
	expect_next(0, 0, limit_rules[LIMIT_MEM].max / 4);
	limits.value[LIMIT_MEM] *= 4;
	expect_next(0, 0, limit_rules[LIMIT_TIME].max * 1000);
}

static const struct testcase cases[] = {
	{ "CPU time is summed over processes and their children", cpu_sum },
	{ "a process whose line cannot be read counts nothing", cpu_garbage },
	{ "CPU time does not go down when a process vanishes", cpu_lost },
	{ "memory is summed, without the first process", memory_sum },
	{ "a process's name is not taken for its memory", memory_name },
	{ "shared memory is counted once near the limit", memory_exactly },
	{ "before there is a /proc nothing is used", first_look },
	{ "the next look is when the limit can be spent", next_sampled },
	{ "with a cgroup that is sooner, and memory does not matter",
	    next_cgroup },
	{ "cpus bounds how much can be spent at once", cpus_at_once },
	{ "the greatest limits do not overflow", greatest_limits },
};

int
main(void)
{
	limits_init(&limits);
	return cases_run(cases, LENGTH(cases));
}
