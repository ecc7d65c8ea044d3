#include "cgroup.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
/* Where mayfly itself moves: only leaves may have processes. */
#define CGROUP_SELF "mayfly-self"

static ssize_t
read_text(int dir, const char *name, char *buf, size_t size)
{
	auto_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n;
}

static int
write_text(int dir, const char *name, const char *text)
{
	auto_fd fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	return fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

/* The number after key at the start of a line, or alone in the file. */
static uint64_t
read_number(int dir, const char *name, const char *key)
{
	char buf[4096];
	const char *line = buf;

	if (read_text(dir, name, buf, sizeof(buf)) <= 0)
		return 0;
	while (key != NULL && line != NULL &&
	       strncmp(line, key, strlen(key)) != 0) {
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	if (line == NULL)
		return 0;
	return strtoull(line + (key != NULL ? strlen(key) : 0), NULL, 10);
}

/* The cgroup v2 path of this process below CGROUP_ROOT, "" for the top. */
static int
own_path(char *path, size_t size)
{
	char buf[4096], *line, *end;

	if (read_text(AT_FDCWD, "/proc/self/cgroup", buf, sizeof(buf)) <= 0)
		return -1;
	line = strncmp(buf, "0::", 3) == 0 ? buf : strstr(buf, "\n0::");
	if (line == NULL)
		return -1;
	line = strchr(line, ':') + 2;
	end = strchr(line, '\n');
	if (end != NULL)
		*end = '\0';
	/* Above the root of our cgroup namespace there is nothing for us. */
	if (strstr(line, "/..") != NULL)
		return -1;
	/* Another run, or a server, is in its leaf: ours go beside it. */
	end = strrchr(line, '/');
	if (end != NULL && strcmp(end + 1, CGROUP_SELF) == 0)
		*end = '\0';
	(void)snprintf(path, size, "%s%s", CGROUP_ROOT,
	    strcmp(line, "/") == 0 ? "" : line);
	return 0;
}

static bool
has_mark(const char *path, const char *attribute)
{
	char value[8];
	ssize_t n = getxattr(path, attribute, value, sizeof(value));

	return n >= 1 && value[0] == '1';
}

/* The delegated directory this process is in, or -1. */
static int
open_delegated(void)
{
	char path[4096 + 32];
	struct statfs fs;
	struct stat st;
	bool delegated;

	if (statfs(CGROUP_ROOT, &fs) != 0 || fs.f_type != CGROUP2_SUPER_MAGIC ||
	    own_path(path, sizeof(path)) != 0 || stat(path, &st) != 0)
		return -1;
	delegated = has_mark(path, "user.delegate") ||
		    has_mark(path, "trusted.delegate") ||
		    (geteuid() != 0 && st.st_uid == geteuid());
	/* The top of a cgroup namespace, as in a container without systemd. */
	if (!delegated && strcmp(path, CGROUP_ROOT) == 0) {
		auto_fd dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

		delegated =
		    faccessat(dir, "cgroup.type", F_OK, 0) == 0 &&
		    faccessat(dir, "cgroup.subtree_control", W_OK, 0) == 0;
	}
	if (!delegated)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
cgroup_is_delegated(void)
{
	auto_fd dir = open_delegated();

	return dir >= 0;
}

/*
 * Turns the controllers on for the children of dir. A cgroup with processes
 * of its own cannot have that, so this one first moves to a leaf.
 */
static int
enable_controllers(int dir)
{
	static const char *const all[] = { "+memory", "+pids", "+cpu" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (write_text(dir, "cgroup.subtree_control", all[i]) == 0)
			continue;
		if (errno != EBUSY)
			continue; /* not offered here: told by `enforced` */
		if (mkdirat(dir, CGROUP_SELF, 0755) != 0 && errno != EEXIST)
			return -1;
		if (write_text(dir, CGROUP_SELF "/cgroup.procs", "0") != 0 ||
		    write_text(dir, "cgroup.subtree_control", all[i]) != 0)
			return -1;
	}
	return 0;
}

static bool
set_number(const struct cgroup *c, const char *file, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return write_text(c->dir, file, text) == 0;
}

static void
set_limits(struct cgroup *c, const struct limits *l)
{
	const uint64_t *v = l->value;
	char text[64];

	c->memory = set_number(c, "memory.max", v[LIMIT_MEM] * 1024);
	if (c->memory) {
		/* Neither of these exists where there is no swap. */
		(void)set_number(c, "memory.swap.max", 0);
		(void)set_number(c, "memory.zswap.max", 0);
		(void)set_number(c, "memory.oom.group", 1);
	}
	c->pids = set_number(c, "pids.max", v[LIMIT_NPROC] + 1);
	if (v[LIMIT_CPUS] != LIMIT_UNSET) {
		(void)snprintf(text, sizeof(text), "%" PRIu64 " 100000",
		    v[LIMIT_CPUS] * 100);
		c->cpu = write_text(c->dir, "cpu.max", text) == 0;
	}
	(void)set_number(c, "cgroup.max.descendants", 0);
}

int
cgroup_open(struct cgroup *c, const struct plan *p, struct failure *f)
{
	struct timespec now;

	memset(c, 0, sizeof(*c));
	c->dir = -1;
	c->parent = open_delegated();
	if (c->parent < 0)
		return 0;
	if (enable_controllers(c->parent) != 0) {
		/* Others are in it, so it cannot be divided: as without. */
		(void)close(c->parent);
		c->parent = -1;
		return 0;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(c->name, sizeof(c->name), CGROUP_PREFIX "%d-%lx%09lx",
	    (int)getpid(), (unsigned long)now.tv_sec,
	    (unsigned long)now.tv_nsec);
	if (mkdirat(c->parent, c->name, 0755) != 0)
		return failure_set(f, "cgroup", errno, "mkdir %s", c->name);
	c->dir = openat(c->parent, c->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir < 0 || flock(c->dir, LOCK_EX | LOCK_NB) != 0)
		return failure_set(f, "cgroup", errno, "open %s", c->name);
	set_limits(c, &p->limits);
	return 0;
}

void
cgroup_kill(const struct cgroup *c)
{
	(void)write_text(c->dir, "cgroup.kill", "1");
}

void
cgroup_close(struct cgroup *c)
{
	struct timespec pause = { 0, 1000000 };

	if (c->dir < 0)
		return;
	/* Its last process may be on its way out: up to 2 s. */
	for (int i = 0; unlinkat(c->parent, c->name, AT_REMOVEDIR) != 0 &&
			errno == EBUSY && i < 2000;
	     i++)
		(void)nanosleep(&pause, NULL);
	(void)close(c->dir);
	(void)close(c->parent);
	c->dir = c->parent = -1;
}

uint64_t
cgroup_cpu_us(const struct cgroup *c)
{
	return read_number(c->dir, "cpu.stat", "usage_usec ");
}

uint64_t
cgroup_memory_kb(const struct cgroup *c)
{
	return read_number(c->dir, "memory.current", NULL) / 1024;
}

uint64_t
cgroup_peak_kb(const struct cgroup *c)
{
	return read_number(c->dir, "memory.peak", NULL) / 1024;
}

bool
cgroup_was_oom(const struct cgroup *c)
{
	return read_number(c->dir, "memory.events", "oom_kill ") > 0;
}

unsigned
cgroup_reap(bool dry_run, void (*say)(const char *name))
{
	int dir = open_delegated();
	DIR *d = dir >= 0 ? fdopendir(dir) : NULL;
	const struct dirent *e;
	unsigned n = 0;

	if (d == NULL) {
		if (dir >= 0)
			(void)close(dir);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, CGROUP_PREFIX,
			sizeof(CGROUP_PREFIX) - 1) != 0)
			continue;
		auto_fd run = openat(dirfd(d), e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (run < 0 || flock(run, LOCK_EX | LOCK_NB) != 0)
			continue;
		if (!dry_run) {
			(void)write_text(run, "cgroup.kill", "1");
			if (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) != 0)
				continue;
		}
		say(e->d_name);
		n++;
	}
	(void)closedir(d);
	return n;
}
