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

/* Given to this user by somebody else, who kept what is above. */
static bool
is_handed_over(const char *path)
{
	char above[4096 + 40];
	struct stat st, up;

	(void)snprintf(above, sizeof(above), "%s/..", path);
	return geteuid() != 0 && stat(path, &st) == 0 &&
	       stat(above, &up) == 0 && st.st_uid == geteuid() &&
	       up.st_uid != geteuid();
}

/*
 * The managers of users mark nothing, and all that they make is the user's. An
 * undelegated unit is no place to be, though: the manager turns controllers off
 * there while limits count on them, and ends the unit when one process in it is
 * out of memory. What systemd-run asked for is in the transient unit's file.
 */
static bool
is_delegated_by_user(const char *path)
{
	char file[4096 + 64], text[65536], *line;

	(void)snprintf(file, sizeof(file), "/run/user/%u/systemd/transient%s",
	    (unsigned)geteuid(), strrchr(path, '/'));
	if (geteuid() == 0 ||
	    read_text(AT_FDCWD, file, text, sizeof(text)) <= 0)
		return false;
	line = strstr(text, "\nDelegate=");
	return line != NULL && strncmp(line, "\nDelegate=\n", 11) != 0 &&
	       strncmp(line, "\nDelegate=no\n", 13) != 0;
}

/* The delegated directory this process is in, or -1. */
static int
open_delegated(void)
{
	char path[4096 + 32];
	struct statfs fs;

	if (statfs(CGROUP_ROOT, &fs) != 0 || fs.f_type != CGROUP2_SUPER_MAGIC ||
	    own_path(path, sizeof(path)) != 0)
		return -1;
	auto_fd dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Delegated, but to whom? A caller of another user has no use of it. */
	if (dir < 0 || faccessat(dir, ".", W_OK, AT_EACCESS) != 0 ||
	    faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) != 0)
		return -1;
	/* The top of a cgroup namespace, as in a container without systemd. */
	if (has_mark(path, "user.delegate") ||
	    has_mark(path, "trusted.delegate") || is_handed_over(path) ||
	    is_delegated_by_user(path) ||
	    (strcmp(path, CGROUP_ROOT) == 0 &&
		faccessat(dir, "cgroup.type", F_OK, 0) == 0))
		return fcntl(dir, F_DUPFD_CLOEXEC, 0);
	return -1;
}

bool
cgroup_is_delegated(void)
{
	auto_fd dir = open_delegated();

	return dir >= 0;
}

/*
 * Moves this process to a leaf. A cgroup with processes in it cannot turn
 * memory on for its children; and when it turns on pids or cpu alone it becomes
 * the root of a threaded tree, in which nothing can be started. Where others
 * are as well, all stays as it is.
 */
static int
move_to_leaf(int dir)
{
	char procs[32], own[32];

	(void)snprintf(own, sizeof(own), "%d\n", (int)getpid());
	if (read_text(dir, "cgroup.procs", procs, sizeof(procs)) < 0)
		return -1;
	if (*procs == '\0')
		return 0;
	if (strcmp(procs, own) != 0 ||
	    (mkdirat(dir, CGROUP_SELF, 0755) != 0 && errno != EEXIST))
		return -1;
	return write_text(dir, CGROUP_SELF "/cgroup.procs", "0");
}

void
cgroup_settle(void)
{
	auto_fd dir = open_delegated();

	if (dir >= 0)
		(void)move_to_leaf(dir);
}

/* Turns the controllers on for the children of dir. */
static int
enable_controllers(int dir)
{
	static const char *const all[] = { "+memory", "+pids", "+cpu" };

	if (move_to_leaf(dir) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		/* What is not offered here is told by `enforced`. */
		if (write_text(dir, "cgroup.subtree_control", all[i]) != 0 &&
		    errno == EBUSY)
			return -1; /* somebody came in just now */
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
cgroup_limit(
    struct cgroup *c, const struct limits *is, const struct limits *wanted)
{
	static const enum limit its[] = { LIMIT_MEM, LIMIT_NPROC, LIMIT_CPUS };
	bool same = true;

	for (size_t i = 0; i < sizeof(its) / sizeof(*its); i++)
		same = same && is->value[its[i]] == wanted->value[its[i]];
	if (c->dir >= 0 && !same)
		set_limits(c, wanted);
}

void
cgroup_kill(const struct cgroup *c)
{
	(void)write_text(c->dir, "cgroup.kill", "1");
}

/* Its last process may be on its way out: up to 2 s. */
static int
remove_cgroup(int parent, const char *name)
{
	struct timespec pause = { 0, 1000000 };

	for (int i = 0; unlinkat(parent, name, AT_REMOVEDIR) != 0; i++) {
		if (errno != EBUSY || i == 2000)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

void
cgroup_close(struct cgroup *c)
{
	if (c->dir < 0)
		return;
	(void)remove_cgroup(c->parent, c->name);
	(void)close(c->dir);
	(void)close(c->parent);
	c->dir = c->parent = -1;
}

uint64_t
cgroup_cpu_us(const struct cgroup *c)
{
	uint64_t us = read_number(c->dir, "cpu.stat", "usage_usec ");

	return us > c->built_us ? us - c->built_us : 0;
}

uint64_t
cgroup_peak_kb(const struct cgroup *c)
{
	return read_number(c->dir, "memory.peak", NULL) / 1024;
}

bool
cgroup_was_oom(const struct cgroup *c)
{
	/* At its own limit: not at that of a cgroup above, or the machine's. */
	return read_number(c->dir, "memory.events", "oom_kill ") > 0 &&
	       read_number(c->dir, "memory.events", "oom ") > 0;
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
		auto_fd run = openat(dirfd(d), e->d_name, OPEN_DIR);
		if (run < 0 || flock(run, LOCK_EX | LOCK_NB) != 0)
			continue;
		if (!dry_run) {
			(void)write_text(run, "cgroup.kill", "1");
			if (remove_cgroup(dirfd(d), e->d_name) != 0)
				continue;
		}
		say(e->d_name);
		n++;
	}
	(void)closedir(d);
	return n;
}
