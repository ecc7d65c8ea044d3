#include "meter.h"

#include <sys/vfs.h>

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* The most that one CPU can fill with pages in a microsecond, in bytes. */
#define FILL_RATE 4096
/* The shortest pause between two looks, in microseconds. */
#define PAUSE_CGROUP 1000
#define PAUSE_SAMPLED 5000

void
meter_init(struct meter *m, const struct cgroup *c, uint64_t cpus_milli)
{
	cpu_set_t set;

	memset(m, 0, sizeof(*m));
	m->cgroup = c->dir >= 0 ? c : NULL;
	m->proc = m->root = -1;
	m->cpus = sched_getaffinity(0, sizeof(set), &set) == 0
		      ? (unsigned)CPU_COUNT(&set)
		      : 1024;
	if (c->cpu && cpus_milli / 1000 + 1 < m->cpus)
		m->cpus = (unsigned)(cpus_milli / 1000 + 1);
}

static bool
read_file(int proc, const char *pid, const char *name, char *buf, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%.20s/%s", pid, name);
	auto_fd fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Clock ticks of a process and of the children it has waited for. */
static uint64_t
process_ticks(int proc, const char *pid)
{
	char buf[1024];
	const char *p;
	uint64_t n[4] = { 0 };

	if (!read_file(proc, pid, "stat", buf, sizeof(buf)))
		return 0;
	/* The name in parentheses may hold anything: look for its end. */
	p = strrchr(buf, ')');
	if (p == NULL || sscanf(p + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
			     " %lu %lu %ld %ld",
			     (unsigned long *)&n[0], (unsigned long *)&n[1],
			     (long *)&n[2], (long *)&n[3]) != 4)
		return 0;
#ifdef MUTATE_CPU_SUM
	return strcmp(pid, "2") == 0 ? n[0] + n[1] : 0;
#endif
	return n[0] + n[1] + n[2] + n[3];
}

/* KB after each of the keys in a file of "Key:   12 kB" lines, summed. */
static uint64_t
sum_keys(const char *text, const char *first, const char *second)
{
	const char *a = strstr(text, first), *b = strstr(text, second);

	return (a != NULL ? strtoull(a + strlen(first), NULL, 10) : 0) +
	       (b != NULL ? strtoull(b + strlen(second), NULL, 10) : 0);
}

/*
 * Memory of one process. Quickly, which counts pages twice that two processes
 * share, or exactly.
 */
static uint64_t
process_kb(int proc, const char *pid, bool exactly)
{
	char buf[4096];

	if (exactly && read_file(proc, pid, "smaps_rollup", buf, sizeof(buf)))
		return sum_keys(buf, "\nPss_Anon:", "\nPss_Shmem:");
	if (!read_file(proc, pid, "status", buf, sizeof(buf)))
		return 0;
	return sum_keys(buf, "\nRssAnon:", "\nRssShmem:");
}

static uint64_t
tmpfs_kb(const struct meter *m)
{
	struct statfs fs;

	if (m->root < 0 || fstatfs(m->root, &fs) != 0)
		return 0;
	return (uint64_t)(fs.f_blocks - fs.f_bfree) *
	       ((uint64_t)fs.f_bsize / 1024);
}

/* One walk over /proc; either sum may be unwanted. */
static void
walk(const struct meter *m, uint64_t *ticks, uint64_t *kb, bool exactly)
{
	int fd = openat(m->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (*e->d_name < '0' || *e->d_name > '9')
			continue;
		if (ticks != NULL)
			*ticks += process_ticks(m->proc, e->d_name);
		if (kb != NULL && strcmp(e->d_name, "1") != 0)
			*kb += process_kb(m->proc, e->d_name, exactly);
	}
	(void)closedir(d);
}

static void
read_sampled(struct meter *m, uint64_t limit_kb)
{
	const uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t ticks = 0, kb = 0, us;

	walk(m, &ticks, &kb, false);
	/*
	 * A child that is waited for between the looks at its parent and at
	 * itself is missed once. Only a fall that lasts is one.
	 */
	us = ticks * tick_us;
	if (us < m->sum_us) {
		ticks = 0;
		walk(m, &ticks, NULL, false);
		if (ticks * tick_us > us)
			us = ticks * tick_us;
	}
	/*
	 * When a parent ignores SIGCHLD, its children's time goes nowhere:
	 * the sum falls, and what it fell by has been used all the same.
	 */
	if (us < m->sum_us)
		m->lost_us += m->sum_us - us;
	m->sum_us = us;
	if (us + m->lost_us > m->cpu_us)
		m->cpu_us = us + m->lost_us;
	if (kb + tmpfs_kb(m) > limit_kb) {
		kb = 0;
		walk(m, NULL, &kb, true);
	}
	m->memory_kb = kb + tmpfs_kb(m);
	if (m->memory_kb > m->peak_kb)
		m->peak_kb = m->memory_kb;
}

void
meter_read(struct meter *m, uint64_t limit_kb)
{
	uint64_t us = m->cgroup != NULL ? cgroup_cpu_us(m->cgroup) : 0;

	if (m->proc >= 0 && meter_samples_memory(m))
		read_sampled(m, limit_kb);
	/* The cgroup knows better than the sum. */
	if (m->cgroup != NULL)
		m->cpu_us = us;
}

bool
meter_samples_memory(const struct meter *m)
{
	return m->cgroup == NULL || !m->cgroup->memory;
}

uint64_t
meter_next_us(const struct meter *m, const struct limits *l)
{
	uint64_t limit = l->value[LIMIT_TIME] * 1000, next, fill;
	uint64_t pause = meter_samples_memory(m) ? PAUSE_SAMPLED : PAUSE_CGROUP;

	next = m->cpu_us >= limit ? 0 : (limit - m->cpu_us) / m->cpus;
	if (meter_samples_memory(m)) {
		limit = l->value[LIMIT_MEM];
		fill = m->memory_kb >= limit ? 0
					     : (limit - m->memory_kb) * 1024 /
						   FILL_RATE / m->cpus;
		if (fill < next)
			next = fill;
	}
	return next > pause ? next : pause;
}
